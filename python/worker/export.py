"""What `python -u <this file> ORDER` runs: one export of a model into a scoring program, then the end.

Knows nothing; the guard keeps children that the model starts with `multiprocessing` from exporting too.
"""

if __name__ == "__main__":
    from sluis_exporter.run import main

    main()
