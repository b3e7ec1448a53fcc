"""From an estimator to steps: which exporter takes it, and messages that name the place within a pipeline.

Knows how estimators contain each other; what one computes is the other modules' matter.
"""

import contextlib

from .errors import NotCovered

#: What can be asked of the last estimator, and the form that its exporter gives.
METHODS = {
    "predict": None,
    "predict_proba": "proba",
    "decision_function": "decision",
    "score_samples": "samples",
    "margin": "margin",
    "raw_score": "margin",
}

_TRANSFORMERS = {}
_ESTIMATORS = {}


def transforms(package, *names):
    """Registers the exporter of transformers: (builder, transformer, source) -> source."""

    def register(function):
        for name in names:
            _TRANSFORMERS[package, name] = function
        return function

    return register


def estimates(package, *names):
    """Registers the exporter of estimators: (builder, estimator, source, form) -> Value.

    Forms: `values` (a regressor's answers), `labels` (numbers of classes, one column), `proba`, `decision`, `samples`, and of
    boosting libraries `margin` (the sum of the trees).
    A value of its own labels has them as `labels`, and several for each row where `matrix` is true.
    """

    def register(function):
        for name in names:
            _ESTIMATORS[package, name] = function
        return function

    return register


@contextlib.contextmanager
def within(place):
    """Messages from inside name the place."""
    try:
        yield
    except NotCovered as error:
        raise NotCovered("{}: {}".format(place, error)) from None


def transform(builder, transformer, source):
    """The steps of a transformer."""
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return source
    return _find(_TRANSFORMERS, transformer)(builder, transformer, source)


def estimate(builder, estimator, source, form):
    """The steps of an estimator."""
    made = _find(_ESTIMATORS, estimator)(builder, estimator, source, form)
    if made is None:
        raise NotCovered("{} has no native form for its {}".format(type(estimator).__name__, form))
    return made


def answer(builder, estimator, method):
    """The whole program of an estimator and one of its methods."""
    if method not in METHODS:
        raise NotCovered("the method '{}' has no native form".format(method))
    source, last = unwrap(builder, estimator, builder.inputs())
    with within(last[0]) if last[0] else contextlib.suppress():
        _finish(builder, last[1], source, method)


def unwrap(builder, estimator, source):
    """Walks pipelines down to the last estimator: (its source, (its place, itself))."""
    place = ""
    while type(estimator).__name__ == "Pipeline" and type(estimator).__module__.startswith("sklearn."):
        for name, step in estimator.steps[:-1]:
            with within("step '{}'".format(name)):
                source = transform(builder, step, source)
        name, estimator = estimator.steps[-1]
        place = "step '{}'".format(name)
    return source, (place, estimator)


def is_classifier(estimator):
    """Whether it answers with classes of its own."""
    # catboost's regressors have classes too, and none of them.
    return hasattr(estimator, "predict") and len(getattr(estimator, "classes_", ())) > 0


def _finish(builder, estimator, source, method):
    form = METHODS[method]
    if form is None:
        form = "labels" if is_classifier(estimator) else "values"
    value = estimate(builder, estimator, source, form)
    labels = getattr(value, "labels", None)
    if form == "labels" or labels is not None:
        builder.answers_labels(value, estimator.classes_ if labels is None else labels, getattr(value, "matrix", False))
        return
    vector = getattr(value, "vector", value.width == 1 and form != "proba")
    builder.answers(value, vector, getattr(value, "dtype", "float64"))


def _find(table, estimator):
    cls = type(estimator)
    found = table.get((cls.__module__.split(".")[0], cls.__name__))
    if found is None:
        raise NotCovered("{} has no native form".format(cls.__name__))
    return found
