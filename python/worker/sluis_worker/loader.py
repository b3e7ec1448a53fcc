"""Loads a model folder once, for both ways of scoring.

MLflow loads it (`mlflow.pyfunc.load_model`), so that all of MLflow's own rules hold. Meanwhile the loader module's
`_load_pyfunc`, which is the documented contract between MLflow and loader modules, is wrapped to remember what it
returned: the implementation whose `predict_fn` can then be called without checking a payload a second time.

Knows nothing of calls and frames.
"""

import contextlib
import importlib
import inspect
import json
import os
import sys

from . import methods


class Loaded:
    """A loaded model: MLflow's own object, and what scores an enforced payload."""

    def __init__(self, folder, model, predict, direct, named):
        #: The model's folder.
        self.folder = folder
        #: `mlflow.pyfunc.PyFuncModel`
        self.model = model
        #: Takes one enforced payload, and the enforced params that were given, or None.
        self.predict = predict
        #: Whether `predict` is the implementation's own function rather than `PyFuncModel.predict`.
        self.direct = direct
        #: Functions over one enforced payload that a call may name instead, by name.
        self.methods = named

    def enforcing(self, method):
        """An MLflow model that enforces as this one does, and then calls a method of this one."""
        from mlflow.pyfunc import PyFuncModel

        return PyFuncModel(model_meta=self.model.metadata, model_impl=_OnlyPredict(self.methods[method]))


class _OnlyPredict:
    """An implementation in the form that MLflow expects."""

    def __init__(self, function):
        self._function = function

    def predict(self, data):
        return self._function(data)


def load(folder):
    """Loads the model in `folder`. Whatever MLflow or the model raises passes through."""
    import mlflow.pyfunc
    from mlflow.models import Model

    description = Model.load(os.path.join(folder, "MLmodel")).to_dict()
    flavor = (description.get("flavors") or {}).get("python_function") or {}
    options = {}
    config = os.environ.get("SERVING_MODEL_CONFIG")
    if config:
        options["model_config"] = json.loads(config)
    with _remember_implementation(folder, flavor) as seen:
        model = mlflow.pyfunc.load_model(folder, **options)
    predict = _direct_predict(model, seen, flavor, description)
    named = methods.of(seen[0], flavor.get("loader_module")) if len(seen) == 1 else {}
    if predict is None:
        return Loaded(folder, model, _checked_predict(model), direct=False, named=named)
    return Loaded(folder, model, predict, direct=True, named=named)


@contextlib.contextmanager
def _remember_implementation(folder, flavor):
    """Yields a list that holds, after loading, the implementation that the loader module returned."""
    seen = []
    module = _import_loader(folder, flavor)
    original = getattr(module, "_load_pyfunc", None)
    if original is None:
        yield seen  # MLflow will say what is wrong with it.
        return
    depth = [0]

    def remembering(*args, **kwargs):
        depth[0] += 1
        try:
            implementation = original(*args, **kwargs)
        finally:
            depth[0] -= 1
        if depth[0] == 0:
            seen.append(implementation)
        return implementation

    module._load_pyfunc = remembering
    try:
        yield seen
    finally:
        module._load_pyfunc = original


def _import_loader(folder, flavor):
    code = flavor.get("code")
    if code:
        # The loader module may live in the model's own code.
        sys.path.insert(0, os.path.join(folder, code))
    try:
        return importlib.import_module(flavor["loader_module"])
    except Exception:
        return None  # MLflow meets the same failure right away, and words it.


def _direct_predict(model, seen, flavor, description):
    """The implementation's function over an enforced payload and params; None where only `PyFuncModel.predict` is right."""
    if len(seen) != 1:
        return None
    if description.get("is_signature_from_type_hint") or description.get("type_hint_from_example"):
        return None  # MLflow converts such payloads within `PyFuncModel.predict`.
    function = getattr(seen[0], flavor.get("predict_fn") or "predict", None)
    if function is None:
        return None
    params_schema = getattr(model.metadata, "get_params_schema", None)
    if params_schema is None or not _takes_params(function):
        return lambda data, params: function(data)
    schema = params_schema()
    if schema is None:
        return lambda data, params: function(data, params=params)
    defaults = {spec.name: spec.default for spec in schema.params}

    def predict(data, params):
        # In MLflow's order: what was given comes first.
        given = {} if params is None else params
        for name, default in defaults.items():
            given.setdefault(name, default)
        return function(data, params=given)

    return predict


def _checked_predict(model):
    """MLflow's own `predict`, which checks what it gets once more. Before MLflow 2.6 there were no params."""
    if not _takes_params(model.predict):
        return lambda data, params: model.predict(data)
    return lambda data, params: model.predict(data, params=params)


def _takes_params(function):
    try:
        parameter = inspect.signature(function).parameters.get("params")
    except (TypeError, ValueError):
        return False
    return parameter is not None and parameter.kind is not inspect.Parameter.VAR_KEYWORD
