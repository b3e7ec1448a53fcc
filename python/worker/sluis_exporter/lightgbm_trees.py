"""lightgbm's boosters and scikit-learn wrappers as steps, from the text that the library itself writes."""

import numpy as np

from .errors import NotCovered
from .trees import CATEGORIES, DEFAULT_LEFT, NAN_IS_MISSING, ZERO_IS_MISSING, Ensemble
from .walk import estimates

#: Values nearer to zero than this are zero to lightgbm.
ZERO = float(np.float32(1e-35))

PLAIN = "regression regression_l1 huber fair quantile mape lambdarank rank_xendcg none".split()
EXPONENTIAL = "poisson gamma tweedie".split()


@estimates("lightgbm", "Booster")
def _booster(builder, booster, source, form):
    if form not in ("values", "margin", "proba"):
        return None
    made = _scores(builder, booster, source, raw=form == "margin")
    if form == "proba" and made.width == 1:
        made = builder.step("complement", [made], 2)
    made.vector = made.width == 1
    return made


@estimates("lightgbm", "LGBMRegressor", "LGBMRanker")
def _regressor(builder, model, source, form):
    return None if form == "proba" else _booster(builder, model.booster_, source, form)


@estimates("lightgbm", "LGBMClassifier")
def _classifier(builder, model, source, form):
    if form == "decision" or callable(getattr(model, "objective_", None)):
        return None
    if form == "margin":
        return _booster(builder, model.booster_, source, form)
    made = _scores(builder, model.booster_, source)
    if made.width == 1:
        made = builder.step("complement", [made], 2)
    if made.width != int(model.n_classes_):
        raise NotCovered("LGBMClassifier with {} outputs for {} classes".format(made.width, model.n_classes_))
    return builder.step("argmax", [made], 1) if form == "labels" else made


def _scores(builder, booster, source, raw=False):
    head, trees = _parts(booster.model_to_string())
    outputs = int(head["num_tree_per_iteration"])
    ensemble = Ensemble(1, "le", "float64", "float64")
    for index, tree in enumerate(trees):
        _add(ensemble, tree, index % outputs)
    # The raw score of a forest is the sum, not the mean.
    divisor = max(len(trees) // outputs, 1) if "average_output" in head and not raw else None
    value = builder.numbers(source)
    made = ensemble.step(builder, value, outputs, 0.0, divisor=divisor, zero_below=ZERO)
    return made if raw else _transformed(builder, made, head.get("objective", "none").split())


def _parts(text):
    """The head and the trees, each as a dictionary of its lines."""
    head, trees, current = {}, [], None
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "Tree":
            current = {}
            trees.append(current)
        elif line == "end of trees":
            break
        elif line:
            (head if current is None else current)[key] = value
    return head, trees


def _add(ensemble, tree, target):
    if tree.get("is_linear", "0") != "0":
        raise NotCovered("lightgbm's linear trees have no native form")
    values = np.array(tree["leaf_value"].split(), dtype=np.float64)
    inner = int(tree["num_leaves"]) - 1
    if inner == 0:
        ensemble.tree([-1], [0.0], [0], [0], [0], np.array([0]), values[:1], target)
        return
    kinds = _numbers(tree, "decision_type", np.int64)
    threshold = np.array(tree["threshold"].split(), dtype=np.float64)
    flags = np.where(kinds & 2, DEFAULT_LEFT, 0)
    flags |= np.where((kinds >> 2) & 3 == 1, ZERO_IS_MISSING, 0)
    flags |= np.where((kinds >> 2) & 3 == 2, NAN_IS_MISSING, 0)
    flags |= np.where(kinds & 1, CATEGORIES, 0)
    if (kinds & 1).any():
        ends, words = _numbers(tree, "cat_boundaries", np.int64), _numbers(tree, "cat_threshold", np.int64)
        for node in np.flatnonzero(kinds & 1):
            chosen = int(threshold[node])
            threshold[node] = ensemble.categories(words[ends[chosen] : ends[chosen + 1]])
    child = [_numbers(tree, name, np.int64) for name in ("left_child", "right_child")]
    left, right = (np.where(side >= 0, side, inner + ~side) for side in child)
    leaves = np.arange(inner, inner + len(values))
    padding = np.zeros(len(values), dtype=np.int64)
    ensemble.tree(
        np.concatenate([_numbers(tree, "split_feature", np.int64), padding]),
        np.concatenate([threshold, padding]),
        np.concatenate([left, padding]),
        np.concatenate([right, padding]),
        np.concatenate([flags, padding]),
        leaves,
        values,
        target,
    )


def _numbers(tree, name, dtype):
    return np.array(tree[name].split(), dtype=dtype)


def _transformed(builder, made, objective):
    name = objective[0] if objective else "none"
    options = dict(part.split(":", 1) for part in objective[1:] if ":" in part)
    if name in PLAIN:
        if "sqrt" in objective:
            raise NotCovered("lightgbm's reg_sqrt has no native form")
        return made
    if name in EXPONENTIAL:
        builder.ulps = max(builder.ulps, 4)
        return builder.step("exp", [made], made.width)
    if name in ("binary", "multiclassova", "cross_entropy"):
        builder.ulps = max(builder.ulps, 4)
        slope = float(options.get("sigmoid", 1.0))
        return builder.step("sigmoid", [made], made.width, slope=slope)
    if name == "multiclass":
        builder.ulps = max(builder.ulps, 4)
        return builder.step("softmax", [made], made.width)
    raise NotCovered("lightgbm's objective '{}' has no native form".format(name))
