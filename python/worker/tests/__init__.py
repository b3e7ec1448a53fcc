"""Tests of the worker: `python3 -m unittest discover -s tests -t .` in `python/worker`. Those of models skip what the interpreter lacks."""
