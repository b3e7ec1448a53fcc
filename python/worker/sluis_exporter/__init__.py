"""Writes a loaded model as a scoring program: numbers and steps that need no Python to be evaluated.

Runs once, in the model's own environment, on Python 3.8 or later. Reads public attributes and public dump functions of
scikit-learn, xgboost, lightgbm and catboost; an ONNX model is not walked, but pointed at. The form of what it writes is described in `protocol/program.md`.
"""
