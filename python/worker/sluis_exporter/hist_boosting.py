"""Gradient boosting over histograms of scikit-learn as steps."""

import numpy as np

from .builder import Frame
from .errors import NotCovered
from .trees import CATEGORIES, DEFAULT_LEFT, NAN_IS_MISSING, SIDED, Ensemble
from .walk import estimates, transform


@estimates("sklearn", "HistGradientBoostingRegressor", "HistGradientBoostingClassifier")
def _hist_boosting(builder, model, source, form):
    # scikit-learn has no public name for these trees; what a pickle of the model holds is its public state.
    state = model.__getstate__()
    if state.get("_predictors") is None:
        raise NotCovered("{} of this version has no native form".format(type(model).__name__))
    value = _encoded(builder, model, state, source)
    ensemble = Ensemble(1, "le", "float64", "float64")
    outputs = int(model.n_trees_per_iteration_)
    for stage in state["_predictors"]:
        for target, predictor in enumerate(stage):
            _add(ensemble, predictor, target)
    base = np.asarray(state["_baseline_prediction"], dtype=np.float64).reshape(-1)
    made = ensemble.step(builder, value, outputs, base)
    if type(model).__name__ == "HistGradientBoostingRegressor":
        if form != "values":
            return None
        if model.loss in ("poisson", "gamma"):
            builder.at_least_ulps(4)
            return builder.step("exp", [made], 1)
        return made
    if form == "decision":
        return made
    if form == "labels":
        if outputs == 1:
            return builder.step("is_above", [made], 1, threshold=0.0, equal=False)
        return builder.step("argmax", [made], 1)
    builder.at_least_ulps(64)
    if outputs == 1:
        return builder.step("complement", [builder.step("sigmoid", [made], 1)], 2)
    return builder.step("softmax", [made], outputs)


def _encoded(builder, model, state, source):
    """The columns as the trees know them: numbers of categories first, with NaN for an unknown one, then numbers."""
    chosen = getattr(model, "is_categorical_", None)
    if chosen is None:
        return builder.numbers(source)
    preprocessor = state.get("_preprocessor")
    if preprocessor is None:
        raise NotCovered("{} over categories of this version has no native form".format(type(model).__name__))
    encoder = preprocessor.named_transformers_["encoder"]
    parts = [transform(builder, encoder, _columns(builder, source, np.flatnonzero(chosen)))]
    others = np.flatnonzero(~np.asarray(chosen))
    if len(others):
        parts.append(builder.numbers(_columns(builder, source, others)))
    return builder.concat(parts)


def _columns(builder, source, positions):
    if isinstance(source, Frame):
        return Frame([source.columns[position] for position in positions])
    return builder.pick(source, positions)


def _add(ensemble, predictor, target):
    nodes = predictor.nodes
    threshold = np.array(nodes["num_threshold"], dtype=np.float64)
    flags = np.where(nodes["missing_go_to_left"] != 0, NAN_IS_MISSING | DEFAULT_LEFT, NAN_IS_MISSING).astype(np.uint8)
    # A category in the set goes left. All that is a number after encoding is known.
    for node in np.flatnonzero((nodes["is_categorical"] != 0) & (nodes["is_leaf"] == 0)):
        threshold[node] = ensemble.categories(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        flags[node] |= CATEGORIES | SIDED
    leaves = np.flatnonzero(nodes["is_leaf"])
    ensemble.tree(
        nodes["feature_idx"], threshold, nodes["left"], nodes["right"], flags, leaves, nodes["value"][leaves], target
    )
