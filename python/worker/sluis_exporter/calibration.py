"""Calibrated classifiers and isotonic regression of scikit-learn as steps."""

import copy

import numpy as np

from .errors import NotCovered
from .walk import estimate, estimates, within

#: Curves that are steeper move last bits too far.
STEEPEST = 2.0 ** 18


@estimates("sklearn", "FrozenEstimator")
def _frozen(builder, model, source, form):
    return estimate(builder, model.estimator, source, form)


@estimates("sklearn", "IsotonicRegression")
def _isotonic(builder, model, source, form):
    value = builder.check(builder.numbers(source), "finite")
    if form != "values" or value.width != 1:
        return None
    if model.out_of_bounds != "clip":
        raise NotCovered("IsotonicRegression that does not clip has no native form")
    builder.turns_at(value, [0] * len(model.X_thresholds_), model.X_thresholds_)
    return _curve(builder, value, model)


def _curve(builder, value, model):
    xs, ys = np.asarray(model.X_thresholds_), np.asarray(model.y_thresholds_)
    if value.single or xs.dtype != np.float64 or ys.dtype != np.float64:
        raise NotCovered("IsotonicRegression in single precision has no native form")
    add = builder.arrays.add
    builder.at_least_ulps(4)
    return builder.step("interpolate", [value], 1, ends=add([len(xs)], "int64"), xs=add(xs, "float64"), ys=add(ys, "float64"))


def _steepness(calibrator):
    """By how much, at most, it moves an answer further than what it was given was moved."""
    if type(calibrator).__name__ == "IsotonicRegression":
        xs, ys = np.asarray(calibrator.X_thresholds_), np.asarray(calibrator.y_thresholds_)
        with np.errstate(all="ignore"):
            slopes = np.abs(np.diff(ys) / np.diff(xs))
        return float(np.max(slopes[np.isfinite(slopes)], initial=0.0))
    return abs(float(calibrator.a_)) / 4


@estimates("sklearn", "CalibratedClassifierCV")
def _calibrated(builder, model, source, form):
    if form not in ("labels", "proba"):
        return None
    parts, steepest = [], 1.0
    for number, member in enumerate(model.calibrated_classifiers_):
        with within("calibrated classifier {}".format(number)):
            parts.append(_member(builder, member, source))
        steepest = max([steepest] + [_steepness(calibrator) for calibrator in member.calibrators])
    if steepest > STEEPEST:
        raise NotCovered("CalibratedClassifierCV with a curve that is so steep has no native form")
    builder.ulps = int(np.ceil(builder.ulps * steepest))
    made = builder.step("sum", parts, parts[0].width)
    made = builder.each(made, "divide", [len(parts)])
    return builder.step("argmax", [made], 1) if form == "labels" else made


def _member(builder, member, source):
    if member.method not in ("sigmoid", "isotonic"):
        raise NotCovered("the method '{}' has no native form".format(member.method))
    estimator, classes = member.estimator, len(member.classes)
    if list(estimator.classes_) != list(member.classes):
        raise NotCovered("members that know fewer classes have no native form")
    if hasattr(estimator, "decision_function"):
        scores = estimate(builder, estimator, source, "decision")
    else:
        scores = estimate(builder, estimator, source, "proba")
        scores = builder.pick(scores, [1]) if classes == 2 else scores
    if scores.width != len(member.calibrators):
        raise NotCovered("{} scores for {} calibrators".format(scores.width, len(member.calibrators)))
    parts = [_calibrate(builder, builder.pick(scores, [column]), one) for column, one in enumerate(member.calibrators)]
    if classes == 2:
        made = builder.step("complement", parts, 2)
    else:
        made = builder.concat(parts)
        made = builder.step("share", [made], classes, none=1 / classes)
    return builder.each(made, "at_most", [1.0])


def _calibrate(builder, score, calibrator):
    if type(calibrator).__name__ == "IsotonicRegression":
        return _curve(builder, score, calibrator)
    # Single precision ends here: the slope is a double.
    score = copy.copy(score)
    score.single = False
    made = builder.each(builder.each(score, "multiply", [calibrator.a_]), "add", [calibrator.b_])
    builder.at_least_ulps(64)
    return builder.step("sigmoid", [builder.each(made, "multiply", [-1.0])], 1)
