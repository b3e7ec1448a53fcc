"""catboost's models as steps, from the JSON that the library itself writes (`save_model(format="json")`)."""

import json
import math
import os
import tempfile

import numpy as np

from .errors import NotCovered
from .trees import DEFAULT_LEFT, NAN_IS_MISSING, Ensemble
from .walk import estimates

#: Losses whose answers are the exponential of the sum.
EXPONENTIAL = ("Poisson", "Tweedie", "LogLinQuantile")

#: Losses whose answers are none of sum, exponential and class.
OTHERS = ("RMSEWithUncertainty", "MultiLogloss", "MultiCrossEntropy", "MultiRMSE", "MultiRMSEWithMissingValues", "Cox", "SurvivalAft", "Distribution")

PARTS = {
    "categorical_features": "categorical features",
    "text_features": "text features",
    "embedding_features": "embedding features",
    "ctrs": "statistics of categories",
}


@estimates("catboost", "CatBoost", "CatBoostRegressor", "CatBoostRanker")
def _values(builder, model, source, form):
    if form not in ("values", "margin"):
        return None
    loss, made = _sum(builder, model, source)
    if form == "values" and type(model).__name__ != "CatBoost" and loss in EXPONENTIAL:
        builder.ulps = max(builder.ulps, 4)
        made = builder.step("exp", [made], made.width)
    made.vector = made.width == 1
    return made


@estimates("catboost", "CatBoostClassifier")
def _classes(builder, model, source, form):
    loss, made = _sum(builder, model, source)
    if form == "labels":
        if made.width > 1:
            made = builder.step("argmax", [made], 1)
            made.matrix = True
            return made
        return builder.step("is_above", [made], 1, threshold=_margin(model), equal=False)
    if form == "margin":
        made.vector = made.width == 1
        return made
    if form != "proba":
        return None
    builder.ulps = max(builder.ulps, 4)
    if made.width > 1:
        if loss != "MultiClass":
            raise NotCovered("probabilities of catboost's loss '{}' have no native form".format(loss))
        builder.ulps = max(builder.ulps, 8)
        return builder.step("softmax", [made], made.width)
    return builder.step("complement", [builder.step("sigmoid", [made], 1, slope=1.0)], 2)


def _margin(model):
    """The sum above which the second class is answered."""
    chosen = model.get_probability_threshold()
    if chosen == 0.5:
        return 0.0
    if not 0.0 < chosen < 1.0:
        raise NotCovered("a probability threshold of {} has no native form".format(chosen))
    return -math.log(1.0 / chosen - 1.0)


def _sum(builder, model, source):
    """The loss, and the sums of the trees."""
    whole = _written(model)
    features = _features(whole["features_info"])
    scale, bias = whole["scale_and_bias"]
    bias = np.atleast_1d(np.asarray(bias, dtype=np.float64))
    trees = whole.get("oblivious_trees")
    loss = str((model.get_all_params() or {}).get("loss_function", "")).split(":")[0] if not _bare(model) else ""
    if loss in OTHERS:
        raise NotCovered("catboost's loss '{}' has no native form".format(loss))
    ensemble = Ensemble(len(bias), "le", "float32", "float64")
    for tree in trees if trees is not None else whole["trees"]:
        if trees is not None:
            _oblivious(ensemble, tree, features)
        else:
            _branching(ensemble, tree, features)
    made = ensemble.step(builder, builder.numbers(source), len(bias), 0.0)
    if scale != 1:
        made = builder.each(made, "multiply", np.full(len(bias), float(scale)))
    if bias.any():
        made = builder.each(made, "add", bias)
    return loss, made


def _bare(model):
    """Whether the model does not know what it was fitted with."""
    try:
        return not model.get_all_params()
    except Exception:
        return True


def _written(model):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.json")
        model.save_model(path, format="json")
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def _features(info):
    """By float feature, its input column and the flags of its nodes."""
    for part, name in PARTS.items():
        if info.get(part):
            raise NotCovered("catboost's {} have no native form".format(name))
    features = {}
    for feature in info.get("float_features") or []:
        # A missing value is above every border, or below all of them.
        right = feature.get("nan_value_treatment") == "AsTrue"
        flags = NAN_IS_MISSING if right else NAN_IS_MISSING | DEFAULT_LEFT
        features[int(feature["feature_index"])] = (int(feature["flat_feature_index"]), flags)
    return features


def _split(split, features):
    if split["split_type"] != "FloatFeature":
        raise NotCovered("catboost's splits of type {} have no native form".format(split["split_type"]))
    column, flags = features[int(split["float_feature_index"])]
    return column, float(np.float32(split["border"])), flags


def _oblivious(ensemble, tree, features):
    """A tree that asks the same on each level: the first split is the lowest bit of a leaf's number."""
    splits = [_split(split, features) for split in tree.get("splits") or []]
    depth = len(splits)
    inner, leaves = (1 << depth) - 1, 1 << depth
    column, threshold, flags = np.zeros(inner + leaves, np.int64), np.zeros(inner + leaves), np.zeros(inner + leaves, np.int64)
    for level, (place, border, flag) in enumerate(reversed(splits)):
        nodes = slice((1 << level) - 1, (2 << level) - 1)
        column[nodes], threshold[nodes], flags[nodes] = place, border, flag
    # Node i has 2i + 1 where the answer is no and 2i + 2 where it is yes: leaves follow in the order of their numbers.
    left = np.where(np.arange(inner + leaves) < inner, 2 * np.arange(inner + leaves) + 1, 0)
    right = np.where(left > 0, left + 1, 0)
    numbers = np.arange(inner, inner + leaves)
    ensemble.tree(column, threshold, left, right, flags, numbers, tree["leaf_values"])


def _branching(ensemble, root, features):
    """A tree of nodes that ask for themselves."""
    column, threshold, left, right, flags, leaves, values = [], [], [], [], [], [], []
    todo = [(root, None)]
    while todo:
        node, parent = todo.pop(0)
        number = len(column)
        if parent is not None:
            side, owner = parent
            side[owner] = number
        for part in (column, threshold, left, right, flags):
            part.append(0)
        if "split" not in node:
            leaves.append(number)
            values.append(node["value"])
            continue
        column[number], threshold[number], flags[number] = _split(node["split"], features)
        todo += [(node["left"], (left, number)), (node["right"], (right, number))]
    ensemble.tree(column, threshold, left, right, flags, np.array(leaves), values)
