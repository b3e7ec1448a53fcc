"""Registers every exporter. Knows their names only."""

from . import (  # noqa: F401
    bayes,
    calibration,
    catboost_trees,
    encoders,
    functions,
    hist_boosting,
    lightgbm_trees,
    linear_models,
    multiclass,
    neighbors,
    others,
    quantiles,
    sklearn_trees,
    svm,
    transformers,
    weighted_ensembles,
    wrappers,
    xgboost_trees,
)
