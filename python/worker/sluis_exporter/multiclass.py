"""Classifiers that are built from classifiers of two classes, and estimators of several outputs, as steps."""

import numpy as np

from .errors import NotCovered
from .walk import estimate, estimates, is_classifier, within


def _members(builder, model, source, form):
    for number, member in enumerate(model.estimators_):
        with within("estimator {}".format(number)):
            yield form(builder, member, source) if callable(form) else estimate(builder, member, source, form)


def _score(builder, member, source):
    """How sure a classifier of two classes is of the second one."""
    if not is_classifier(member):
        return estimate(builder, member, source, "values")
    if hasattr(member, "decision_function"):
        return estimate(builder, member, source, "decision")
    return builder.pick(estimate(builder, member, source, "proba"), [1])


def _threshold(member):
    return 0.0 if hasattr(member, "decision_function") and is_classifier(member) else 0.5


@estimates("sklearn", "OneVsRestClassifier")
def _one_vs_rest(builder, model, source, form):
    if model.multilabel_:
        raise NotCovered("OneVsRestClassifier of several labels has no native form")
    alone = len(model.estimators_) == 1
    if form == "decision":
        return builder.concat(list(_members(builder, model, source, "decision")))
    if form == "labels":
        made = builder.concat(list(_members(builder, model, source, _score)))
        if alone:
            return builder.step("is_above", [made], 1, threshold=_threshold(model.estimators_[0]), equal=False)
        return builder.step("argmax", [made], 1, last=_ties()[0])
    if form != "proba":
        return None
    parts = [builder.pick(made, [1]) for made in _members(builder, model, source, "proba")]
    if any(part.single for part in parts):
        raise NotCovered("OneVsRestClassifier in single precision has no native form")
    builder.at_least_ulps(4)
    made = builder.step("complement", parts, 2) if alone else builder.concat(parts)
    return builder.step("share", [made], made.width, none=_ties()[1])


def _ties():
    """Whether this version takes the last of equally sure members, and what it makes of probabilities that are all zero."""
    from sklearn.dummy import DummyClassifier
    from sklearn.multiclass import OneVsRestClassifier

    rows, classes = np.zeros((3, 1)), [0, 1, 2]
    last = OneVsRestClassifier(DummyClassifier()).fit(rows, classes).predict(rows[:1])[0] == 2
    with np.errstate(all="ignore"):
        zeros = OneVsRestClassifier(DummyClassifier(strategy="constant", constant=0)).fit(rows, classes).predict_proba(rows[:1])
    return bool(last), 0.0 if np.all(zeros == 0.0) else None


@estimates("sklearn", "OneVsOneClassifier")
def _one_vs_one(builder, model, source, form):
    if form not in ("labels", "decision"):
        return None
    if model.pairwise_indices_ is not None:
        raise NotCovered("OneVsOneClassifier over precomputed rows has no native form")
    classes, source = len(model.classes_), builder.numbers(source)
    won = builder.concat(list(_members(builder, model, source, "labels")))
    scores = builder.concat(list(_members(builder, model, source, _score)))
    made = builder.step("duels", [won, scores], classes)
    if classes == 2:
        made = builder.pick(made, [1])
        if form == "labels":
            return builder.step("is_above", [made], 1, threshold=_threshold(model.estimators_[0]), equal=False)
        return made
    return builder.step("argmax", [made], 1) if form == "labels" else made


@estimates("sklearn", "MultiOutputRegressor")
def _regressors(builder, model, source, form):
    if form != "values":
        return None
    parts = list(_members(builder, model, source, "values"))
    types = set(getattr(part, "dtype", "float64") for part in parts)
    if len(types) != 1 or any(hasattr(part, "labels") for part in parts):
        raise NotCovered("MultiOutputRegressor of several types has no native form")
    made = builder.concat(parts)
    made.vector, made.dtype = False, types.pop()
    return made


@estimates("sklearn", "MultiOutputClassifier")
def _classifiers(builder, model, source, form):
    if form != "labels":
        return None
    parts = list(_members(builder, model, source, "labels"))
    return several_labels(builder, parts, [member.classes_ for member in model.estimators_])


def several_labels(builder, parts, classes):
    """Several labels for a row: by output, the number of its class, and its classes."""
    classes = [np.asarray(own) for own in classes]
    kinds = set("text" if own.dtype.kind in "UO" else own.dtype.name for own in classes)
    if len(kinds) != 1 or any(part.width != 1 or hasattr(part, "labels") for part in parts):
        raise NotCovered("outputs of several types have no native form")
    starts = np.cumsum([0] + [len(own) for own in classes[:-1]])
    made = builder.each(builder.concat(parts), "add", starts)
    made.labels, made.matrix = np.concatenate(classes), True
    return made
