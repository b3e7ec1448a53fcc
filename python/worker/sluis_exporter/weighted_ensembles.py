"""AdaBoost and IsolationForest of scikit-learn as steps."""

import numpy as np

from .errors import NotCovered
from .sklearn_trees import add_tree, single_precision
from .trees import Ensemble
from .walk import estimate, estimates, within


def _all(members, name):
    return all(type(member).__name__ == name and type(member).__module__.startswith("sklearn.") for member in members)


@estimates("sklearn", "AdaBoostRegressor")
def _ada_regressor(builder, model, source, form):
    if form != "values":
        return None
    members = model.estimators_
    value = builder.check(builder.numbers(source), "finite")
    if _all(members, "DecisionTreeRegressor"):
        ensemble = Ensemble(1, "le", "float32", "float64")
        for number, member in enumerate(members):
            add_tree(ensemble, member.tree_, np.asarray(member.tree_.value)[:, 0, 0], number)
        made = ensemble.step(builder, builder.check(value, "single"), len(members), 0.0)
    else:
        made = []
        for number, member in enumerate(members):
            with within("estimator {}".format(number)):
                made.append(estimate(builder, member, value, "values"))
        made = builder.concat(made)
    weights = np.asarray(model.estimator_weights_)[: len(members)]
    return builder.step("weighted_median", [made], 1, weights=builder.arrays.add(weights, "float64"))


@estimates("sklearn", "AdaBoostClassifier")
def _ada_classifier(builder, model, source, form):
    if form not in ("labels", "decision", "proba") or len(model.classes_) < 2:
        return None
    classes, value = len(model.classes_), builder.check(builder.numbers(source), "finite")
    real = getattr(model, "algorithm", "SAMME") == "SAMME.R"
    if _all(model.estimators_, "DecisionTreeClassifier"):
        made = _votes_of_trees(builder, model, value, real)
    elif real:
        raise NotCovered("AdaBoostClassifier with SAMME.R over other members than trees has no native form")
    else:
        made = _votes(builder, model, value)
    made = builder.each(made, "divide", [np.sum(model.estimator_weights_)])
    if classes == 2:
        made = builder.each(made, "multiply", [-1.0, 1.0])
        ones, zero = builder.arrays.add([1.0, 1.0], "float64"), builder.arrays.add([0.0], "float64")
        made = builder.step("linear", [made], 1, weights=ones, intercept=zero)
    if form == "decision":
        return made
    if form == "labels":
        if classes == 2:
            return builder.step("is_above", [made], 1, threshold=0.0, equal=False)
        return builder.step("argmax", [made], 1)
    builder.at_least_ulps(64)
    if classes == 2:
        made = builder.concat([builder.each(made, "multiply", [-1.0]), made])
        made = builder.each(made, "divide", [2.0])
    else:
        made = builder.each(made, "divide", [classes - 1])
    return builder.step("softmax", [made], classes)


def _ballots(model, member, weight):
    """By class of the member, what it adds to each class of the model."""
    classes = len(model.classes_)
    return np.asarray([np.where(model.classes_ == own, weight, -1 / (classes - 1) * weight) for own in member.classes_])


def _votes_of_trees(builder, model, value, real):
    classes = len(model.classes_)
    ensemble = Ensemble(classes, "le", "float32", "float64")
    for member, weight in zip(model.estimators_, model.estimator_weights_):
        shares = np.asarray(member.tree_.value)[:, 0, :]
        if not real:
            values = _ballots(model, member, weight)[np.argmax(shares, axis=1)]
        elif len(member.classes_) != classes:
            raise NotCovered("AdaBoostClassifier whose members know fewer classes has no native form")
        else:
            total = shares.sum(axis=1)[:, np.newaxis]
            logs = np.log(np.clip(shares / np.where(total == 0.0, 1.0, total), np.finfo(np.float64).eps, None))
            values = (classes - 1) * (logs - (1.0 / classes) * logs.sum(axis=1)[:, np.newaxis])
        add_tree(ensemble, member.tree_, values)
    if real:
        builder.at_least_ulps(64)
    return ensemble.step(builder, builder.check(value, "single"), classes, 0.0)


def _votes(builder, model, value):
    parts = []
    for number, (member, weight) in enumerate(zip(model.estimators_, model.estimator_weights_)):
        with within("estimator {}".format(number)):
            chosen = estimate(builder, member, value, "labels")
        table = builder.arrays.add(_ballots(model, member, weight), "float64")
        parts.append(builder.step("table", [chosen], len(model.classes_), values=table))
    return builder.step("sum", parts, len(model.classes_))


def _path_length(counts):
    """The mean length of a path through a tree that isolates so many rows."""
    counts = np.asarray(counts, dtype=np.int64)
    lengths = np.zeros(counts.shape)
    lengths[counts == 2] = 1.0
    more = counts > 2
    lengths[more] = 2.0 * (np.log(counts[more] - 1.0) + np.euler_gamma) - 2.0 * (counts[more] - 1.0) / counts[more]
    return lengths


def _depths(tree):
    """By node, how many nodes lie on the way to it, itself included."""
    depths = np.ones(tree.node_count)
    for node, (left, right) in enumerate(zip(tree.children_left, tree.children_right)):
        if left != -1:
            depths[[left, right]] = depths[node] + 1.0
    return depths


@estimates("sklearn", "IsolationForest")
def _isolation(builder, model, source, form):
    if form not in ("values", "decision", "samples"):
        return None
    longest = float(_path_length([model.max_samples_])[0]) * len(model.estimators_)
    if longest == 0.0:
        raise NotCovered("IsolationForest over samples of one row has no native form")
    ensemble = Ensemble(1, "le", "float32", "float64")
    for member, columns in zip(model.estimators_, model.estimators_features_):
        tree = member.tree_
        values = _depths(tree) + _path_length(tree.n_node_samples) - 1.0
        add_tree(ensemble, tree, values, columns=columns)
    made = ensemble.step(builder, single_precision(builder, model, source), 1, 0.0, divisor=longest)
    made = builder.each(made, "multiply", [-1.0])
    made = builder.each(builder.step("function", [made], 1, name="exp2"), "multiply", [-1.0])
    builder.at_least_ulps(8)
    if form == "samples":
        return made
    if form == "values":
        made = builder.step("apart", [made], 1, threshold=float(model.offset_), ulps=8)
    # As a linear step, so that what is left of two large numbers is held against these.
    one, offset = builder.arrays.add([1.0], "float64"), builder.arrays.add([-model.offset_], "float64")
    made = builder.step("linear", [made], 1, weights=one, intercept=offset)
    if form == "values":
        made = builder.step("is_above", [made], 1, threshold=0.0, equal=True)
        made.labels = np.array([-1, 1], dtype=np.int64)
    return made
