"""Nearest neighbours and nearest centroids of scikit-learn as steps."""

import numpy as np

from .errors import NotCovered
from .transformers import linear
from .walk import estimates

#: Numbers in the rows that a model was fitted on: among more, its own search tree finds neighbours sooner than looking at each.
MOST_NUMBERS = 1000000

DISTANCES = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "l1": "manhattan",
    "cityblock": "manhattan",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
}


def _nearest(builder, value, width, points, targets, **options):
    builder.turns_among(value, points)
    add = builder.arrays.add
    fields = dict({"count": 1, "by_distance": False, "expanded": False}, **options)
    return builder.step("neighbors", [value], width, points=add(points, "float64"), targets=add(targets, "float64"), **fields)


def _distance(model):
    """The name of the distance, as the model came to use it."""
    name, params = model.effective_metric_, dict(model.effective_metric_params_ or {})
    p = params.pop("p", None)
    if name == "minkowski":
        name = {1: "manhattan", 2: "euclidean", float("inf"): "chebyshev"}.get(p, name)
    if not isinstance(name, str) or name not in DISTANCES or any(value is not None for value in params.values()):
        raise NotCovered("{} with the distance {!r} has no native form".format(type(model).__name__, name))
    return DISTANCES[name]


@estimates("sklearn", "KNeighborsClassifier", "KNeighborsRegressor")
def _neighbors(builder, model, source, form):
    name = type(model).__name__
    regressor = name == "KNeighborsRegressor"
    if form not in (("values",) if regressor else ("labels", "proba")):
        return None
    if not regressor and model.outputs_2d_:
        raise NotCovered("{} of several outputs has no native form".format(name))
    if model.weights not in (None, "uniform", "distance"):
        raise NotCovered("{} with weights of one's own has no native form".format(name))
    distance = _distance(model)
    # The rows that it was fitted on have no public name; what a pickle of the model holds is its public state.
    state = model.__getstate__()
    points, targets, brute = state.get("_fit_X"), np.asarray(state.get("_y")), state.get("_fit_method") == "brute"
    if not isinstance(points, np.ndarray) or points.dtype.kind not in "fiu" or targets.dtype.kind not in "fiu":
        raise NotCovered("{} that was not fitted on dense rows of numbers has no native form".format(name))
    if points.size > MOST_NUMBERS:
        raise NotCovered("{} of more than {} numbers has no native form".format(name, MOST_NUMBERS))
    if np.dtype("float32") in (targets.dtype, points.dtype):
        raise NotCovered("{} in single precision has no native form".format(name))
    value = builder.check(builder.numbers(source), "finite")
    width = (1 if targets.ndim == 1 else targets.shape[1]) if regressor else len(model.classes_)
    by_distance = model.weights == "distance"
    made = _nearest(
        builder,
        value,
        width,
        points,
        targets,
        distance=distance,
        count=int(model.n_neighbors),
        by_distance=by_distance,
        classes=not regressor,
        expanded=brute,
    )
    builder.at_least_ulps(64 if by_distance else 16)
    made.vector = regressor and targets.ndim == 1
    return builder.step("argmax", [made], 1) if form == "labels" else made


@estimates("sklearn", "NearestCentroid")
def _centroids(builder, model, source, form):
    if form != "labels":
        return None
    if model.metric not in ("euclidean", "manhattan"):
        raise NotCovered("NearestCentroid with the distance {!r} has no native form".format(model.metric))
    value = builder.check(builder.numbers(source), "finite")
    centers = np.asarray(model.centroids_, dtype=np.float64)
    if value.single:
        raise NotCovered("NearestCentroid in single precision has no native form")
    count = len(centers)
    shares = getattr(model, "class_prior_", None)
    plain = shares is None or np.isclose(shares, 1 / count).all()
    if model.metric == "manhattan":
        if not plain:
            raise NotCovered("NearestCentroid of unequal classes with the distance 'manhattan' has no native form")
        made = _nearest(builder, value, count, centers, np.arange(count), distance="manhattan", classes=True)
        return builder.step("argmax", [made], 1)
    builder.turns_among(value, centers)
    # The nearest center is that of the largest x c - c c / 2.
    scale, priors = np.ones(value.width), np.zeros(count)
    if not plain:
        spread = np.asarray(model.within_class_std_dev_, dtype=np.float64)
        scale, priors = np.where(spread != 0, spread, 1.0), np.log(shares)
    near = centers / scale
    made = linear(builder, value, near / scale, priors - 0.5 * (near * near).sum(axis=1))
    return builder.step("argmax", [made], 1)
