"""The child side of the worker protocol: one loaded MLflow model that answers one call at a time.

Runs in the model's own environment, on Python 3.8 or later. Starting needs the standard library only; numpy, pandas,
pyarrow and MLflow are the environment's own and are imported when the model is loaded.
"""
