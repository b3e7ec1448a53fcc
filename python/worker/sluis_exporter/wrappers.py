"""Estimators that ask another one as it is, and estimators that ask nothing, as steps."""

import numpy as np

from .builder import NUMBERS, Frame
from .errors import NotCovered
from .walk import estimate, estimates, within


@estimates("sklearn", "GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
def _search(builder, model, source, form):
    best = getattr(model, "best_estimator_", None)
    if best is None:
        raise NotCovered("{} that kept no best estimator has no native form".format(type(model).__name__))
    with within("best estimator"):
        return estimate(builder, best, source, form)


@estimates("sklearn", "RANSACRegressor")
def _ransac(builder, model, source, form):
    return estimate(builder, model.estimator_, builder.check(builder.numbers(source), "finite"), form)


@estimates("sklearn", "FixedThresholdClassifier", "TunedThresholdClassifierCV")
def _threshold(builder, model, source, form):
    inner = model.estimator_
    if form != "labels":
        return estimate(builder, inner, source, form)
    if getattr(model, "pos_label", None) is not None or not isinstance(getattr(model, "scoring", ""), str):
        raise NotCovered("{} with a positive label or scorer of one's own has no native form".format(type(model).__name__))
    method = model.response_method
    if method == "auto":
        method = "predict_proba" if hasattr(inner, "predict_proba") else "decision_function"
    if method == "predict_proba":
        made = builder.pick(estimate(builder, inner, source, "proba"), [1])
    else:
        made = estimate(builder, inner, source, "decision")
    threshold = getattr(model, "best_threshold_", None)
    if threshold is None:
        threshold = model.threshold
    if threshold == "auto":
        threshold = 0.5 if method == "predict_proba" else 0.0
    return builder.step("is_above", [made], 1, threshold=float(threshold), equal=True)


@estimates("sklearn", "DummyClassifier", "DummyRegressor")
def _dummy(builder, model, source, form):
    name = type(model).__name__
    if model.n_outputs_ != 1 or model.strategy in ("uniform", "stratified"):
        raise NotCovered("{} of several outputs or by chance has no native form".format(name))
    row = np.zeros((1, 1))
    if form == "labels":
        answer = [float(np.flatnonzero(model.classes_ == model.predict(row)[0])[0])]
    elif form == "proba":
        answer = model.predict_proba(row)[0]
    elif form == "values":
        answer = np.asarray(model.predict(row)).reshape(-1)
        if answer.dtype != np.float64:
            raise NotCovered("{} of type {} has no native form".format(name, answer.dtype))
    else:
        return None
    # Either row of the table, whatever was asked.
    nothing = builder.step("above", [_any_number(builder, source)], 1, threshold=float(np.finfo(np.float64).max))
    ones = np.vstack([answer, answer])
    return builder.step("table", [nothing], len(answer), values=builder.arrays.add(ones, "float64"))


def _any_number(builder, source):
    if not isinstance(source, Frame):
        return builder.pick(source, [0])
    columns = [column for column in source.columns if builder.kinds[column] in NUMBERS]
    if not columns:
        raise NotCovered("a model of texts that looks at none has no native form")
    return builder.numbers(Frame(columns[:1]))
