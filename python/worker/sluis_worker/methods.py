"""The methods that a loaded model has beside its own function: probabilities, margins, scores.

Each is the library's own public method, or its `predict` with one of its public arguments; docs/methods.md lists them.
Only four flavors of MLflow hold such models; what another flavor holds has no methods. Knows nothing of calls.
"""

import json

#: Of scikit-learn, in the order in which they are listed: each takes the rows and nothing else.
_SKLEARN = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "predict_joint_log_proba",
    "decision_function",
    "score_samples",
    "transform",
    "apply",
)

#: Where old versions of MLflow keep the library's own model; newer ones have `get_raw_model`.
_HOLDERS = ("sklearn_model", "xgb_model", "lgb_model", "cb_model")


def of(implementation, loader_module):
    """Functions over one enforced payload, by method name; empty for a model that has its own function only."""
    if loader_module not in ("mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost"):
        return {}
    model = _library_model(implementation)
    for kind in type(model).__mro__:
        find = _FAMILIES.get(kind.__module__.split(".")[0])
        if find is not None:
            return find(model)
    return _named(model, _SKLEARN)


def _library_model(implementation):
    get = getattr(implementation, "get_raw_model", None)
    if get is not None:
        return get()
    for name in _HOLDERS:
        if hasattr(implementation, name):
            return getattr(implementation, name)
    return implementation  # The loaders of the oldest versions return the library's model itself.


def _named(model, names):
    """The methods of these names that the model has; a property that raises counts as absent."""
    found = {}
    for name in names:
        try:
            function = getattr(model, name, None)
        except Exception:
            continue
        if callable(function):
            found[name] = function
    return found


def _with(function, **arguments):
    return lambda data: function(data, **arguments)


def _both(function):
    """The raw score under the names that either library gives to it."""
    return {"margin": function, "raw_score": function}


def _two_columns(positive):
    """Probabilities of both classes from those of the second, as the libraries' own classifiers answer them."""
    import numpy as np

    return np.vstack((1.0 - positive, positive)).transpose()


def _xgboost(model):
    import xgboost

    if not isinstance(model, xgboost.Booster):
        found = _named(model, ("predict", "predict_proba"))
        found.update(_both(_with(model.predict, output_margin=True)))
        found.update(_named(model, ("apply",)))
        return found

    def score(data, **arguments):
        return model.predict(xgboost.DMatrix(data), **arguments)

    found = {"predict": score}
    objective = _objective(model)
    if objective == "multi:softprob":
        found["predict_proba"] = score
    elif objective == "binary:logistic":
        found["predict_proba"] = lambda data: _two_columns(score(data))
    found.update(_both(_with(score, output_margin=True)))
    found["pred_leaf"] = _with(score, pred_leaf=True)
    found["pred_contribs"] = _with(score, pred_contribs=True)
    return found


def _objective(booster):
    try:
        return json.loads(booster.save_config())["learner"]["objective"]["name"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _lightgbm(model):
    import lightgbm

    found = _named(model, ("predict", "predict_proba"))
    if isinstance(model, lightgbm.Booster):
        objective = str(model.dump_model(num_iteration=1).get("objective", "")).split(" ")[0]
        if objective in ("multiclass", "multiclassova"):
            found["predict_proba"] = model.predict
        elif objective == "binary":
            found["predict_proba"] = lambda data: _two_columns(model.predict(data))
    found.update(_both(_with(model.predict, raw_score=True)))
    found["pred_leaf"] = _with(model.predict, pred_leaf=True)
    found["pred_contrib"] = _with(model.predict, pred_contrib=True)
    return found


def _catboost(model):
    found = _named(model, ("predict", "predict_proba", "predict_log_proba"))
    found.update(_both(_with(model.predict, prediction_type="RawFormulaVal")))
    return found


_FAMILIES = {"xgboost": _xgboost, "lightgbm": _lightgbm, "catboost": _catboost}
