"""xgboost's boosters and scikit-learn wrappers as steps, from the JSON that the library itself writes."""

import json
import re

import numpy as np

from .errors import NotCovered
from .trees import CATEGORIES, DEFAULT_LEFT, NAN_IS_MISSING, Ensemble
from .walk import estimates

#: Objectives whose answer is the sum of the trees as it is.
PLAIN = (
    "reg:squarederror reg:linear reg:squaredlogerror reg:pseudohubererror reg:absoluteerror reg:quantileerror "
    "rank:pairwise rank:ndcg rank:map binary:logitraw"
).split()
EXPONENTIAL = "count:poisson reg:gamma reg:tweedie survival:cox survival:aft".split()
LOGISTIC = ("binary:logistic", "reg:logistic")
SOFTMAX = ("multi:softprob", "multi:softmax")


@estimates("xgboost", "Booster")
def _booster(builder, booster, source, form):
    if form not in ("values", "margin", "proba"):
        return None
    # A DMatrix takes no infinity.
    source = builder.check(builder.numbers(source), "single_or_nan")
    made, objective = _sum(builder, booster, source, None)
    if form != "margin":
        made = _transformed(builder, made, objective)
    if form == "values" and objective == "multi:softmax":
        made = builder.step("argmax", [made], 1)
    if form == "proba" and made.width == 1:
        made = builder.step("complement", [made], 2, single=True)
    made.vector, made.dtype = made.width == 1, "float32"
    return made


@estimates("xgboost", "XGBRegressor", "XGBRFRegressor", "XGBRanker")
def _regressor(builder, model, source, form):
    if form not in ("values", "margin"):
        return None
    made, objective = _sum(builder, _checked(model), _checked_source(builder, model, source), _iterations(model))
    if form == "values":
        made = _transformed(builder, made, objective)
    made.vector, made.dtype = made.width == 1, "float32"
    return made


@estimates("xgboost", "XGBClassifier", "XGBRFClassifier")
def _classifier(builder, model, source, form):
    made, objective = _sum(builder, _checked(model), _checked_source(builder, model, source), _iterations(model))
    if form == "decision":
        return None
    if form == "margin":
        made.vector, made.dtype = made.width == 1, "float32"
        return made
    classes = int(model.n_classes_)
    made = _transformed(builder, made, objective)
    if made.width == 1 and classes == 2:
        if form == "labels":
            made = builder.step("is_above", [made], 1, threshold=0.5, equal=False)
        else:
            made = builder.step("complement", [made], 2, single=True)
    elif made.width == classes > 2:
        if form == "labels":
            made = builder.step("argmax", [made], 1)
    else:
        raise NotCovered("XGBClassifier of several labels has no native form")
    made.dtype = "float32"
    return made


def _checked(model):
    missing = getattr(model, "missing", None)
    if missing is not None and missing == missing:
        raise NotCovered("a 'missing' other than NaN has no native form")
    return model.get_booster()


def _checked_source(builder, model, source):
    """The source, without infinities where this version of the wrapper refuses them."""
    value = builder.numbers(source)
    row = np.zeros((1, int(model.n_features_in_)), dtype=np.float32)
    row[0, 0] = np.inf
    try:
        model.predict(row)
    except Exception:
        return builder.check(value, "single_or_nan")
    return value


def _iterations(model):
    """How many rounds the wrapper uses: up to the best one, where training was stopped early."""
    try:
        return int(model.best_iteration) + 1
    except AttributeError:
        return None


def _sum(builder, booster, source, rounds):
    """The sum of the trees, and the objective's name."""
    learner = json.loads(bytes(booster.save_raw("json")).decode("utf-8"))["learner"]
    machine = learner["gradient_booster"]
    if machine["name"] not in ("gbtree", "dart"):
        raise NotCovered("xgboost's booster '{}' has no native form".format(machine["name"]))
    weights = machine.get("weight_drop")
    if weights is not None:
        # dart adds and takes away the base score around each tree.
        builder.ulps = max(builder.ulps, 16)
    model = machine["gbtree"]["model"] if machine["name"] == "dart" else machine["model"]
    settings = learner["learner_model_param"]
    objective = learner["objective"]["name"]
    if int(settings.get("num_target", "1")) > 1:
        raise NotCovered("xgboost models of several targets have no native form")
    outputs = max(int(settings["num_class"]), 1)
    count = len(model["trees"]) if rounds is None else _trees_of(model, rounds, outputs)
    value = builder.numbers(source)
    ensemble = Ensemble(1, "lt", "float32", "float32")
    for index in range(count):
        weight = 1.0 if weights is None else weights[index]
        _add(ensemble, model["trees"][index], int(model["tree_info"][index]), weight)
    base = _base(settings["base_score"], objective, outputs)
    return ensemble.step(builder, value, outputs, base), objective


def _trees_of(model, rounds, outputs):
    ends = model.get("iteration_indptr")
    if ends is not None:
        return int(ends[min(rounds, len(ends) - 1)])
    parallel = int(model["gbtree_model_param"].get("num_parallel_tree", "1"))
    return min(rounds * outputs * max(parallel, 1), len(model["trees"]))


def _add(ensemble, tree, target, weight):
    if int(tree.get("tree_param", {}).get("size_leaf_vector", "1")) > 1:
        raise NotCovered("xgboost's trees with several values in a leaf have no native form")
    left = np.asarray(tree["left_children"])
    right = np.asarray(tree["right_children"])
    threshold = np.asarray(tree["split_conditions"], dtype=np.float32)
    flags = np.where(np.asarray(tree["default_left"]) != 0, NAN_IS_MISSING | DEFAULT_LEFT, NAN_IS_MISSING)
    threshold, flags = threshold.astype(np.float64), flags.astype(np.uint8)
    _add_categories(ensemble, tree, threshold, flags)
    leaves = np.flatnonzero(left == -1)
    values = np.asarray(tree["split_conditions"], dtype=np.float32)[leaves]
    if weight != 1.0:
        values = np.float32(weight) * values
    ensemble.tree(tree["split_indices"], threshold, left, right, flags, leaves, values, target)


def _add_categories(ensemble, tree, threshold, flags):
    """Nodes that ask for a set of categories: those in the set go right."""
    nodes = tree.get("categories_nodes") or []
    for node, start, size in zip(nodes, tree["categories_segments"], tree["categories_sizes"]):
        chosen = tree["categories"][start : start + size]
        words = [0] * (max(chosen, default=0) // 32 + 1)
        for category in chosen:
            words[category // 32] |= 1 << (category % 32)
        threshold[node] = ensemble.categories(words)
        flags[node] |= CATEGORIES


def _base(text, objective, outputs):
    """The margin that sums begin with, in single precision."""
    numbers = [np.float32(number) for number in re.findall(r"[-+0-9.eE]+", str(text))]
    if len(numbers) not in (1, outputs):
        raise NotCovered("{} base scores for {} outputs".format(len(numbers), outputs))
    one = np.float32(1)
    with np.errstate(all="ignore"):
        if objective in LOGISTIC:
            margins = [-_log(one / number - one) for number in numbers]
        elif objective in EXPONENTIAL:
            margins = [_log(number) for number in numbers]
        else:
            margins = numbers
    return margins[0] if len(margins) == 1 else margins


def _log(number):
    """The nearest single-precision logarithm; numpy's own is vectorised, and a bit coarser."""
    return np.float32(np.log(np.float64(number)))


def _transformed(builder, made, objective):
    if objective in PLAIN:
        return made
    if objective in LOGISTIC:
        return builder.step("sigmoid", [made], made.width, single=True)
    if objective in EXPONENTIAL:
        return builder.step("exp", [made], made.width, single=True)
    if objective in SOFTMAX:
        return builder.step("softmax", [made], made.width, single=True)
    if objective == "binary:hinge":
        return builder.step("is_above", [made], 1, threshold=0.0, equal=False)
    raise NotCovered("xgboost's objective '{}' has no native form".format(objective))
