"""What `python -u <this folder>` runs: the worker, in an interpreter whose import path gained only this folder.

Knows nothing; the guard keeps children that the model starts with `multiprocessing` from becoming workers.
"""

if __name__ == "__main__":
    from sluis_worker.worker import main

    main()
