"""Tests of the worker that need the standard library only: `python3 -m unittest discover -s python/worker`."""
