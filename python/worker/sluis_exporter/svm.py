"""Support vector machines of scikit-learn as steps."""

import numpy as np

from .errors import NotCovered
from .walk import estimates

#: Kernels by their names.
KERNELS = {"linear": "linear", "poly": "poly", "polynomial": "poly", "rbf": "rbf", "sigmoid": "sigmoid"}


def _kernel(builder, model, source, weights, intercept):
    """Weighted sums of what a row has in common with each support vector."""
    name = type(model).__name__
    if not isinstance(model.kernel, str) or model.kernel not in KERNELS:
        raise NotCovered("{} with a kernel of one's own has no native form".format(name))
    # The width of the kernel that 'scale' and 'auto' came to has no public name; a pickle of the model holds it.
    gamma = model.__getstate__().get("_gamma")
    vectors = model.support_vectors_
    if not isinstance(vectors, np.ndarray) or gamma is None:
        raise NotCovered("{} that was fitted on sparse rows has no native form".format(name))
    return _sums(builder, model, source, vectors, gamma, weights, intercept)


def _sums(builder, model, source, vectors, gamma, weights, intercept):
    value = builder.check(builder.numbers(source), "finite")
    if len(vectors) == 0 or vectors.shape[1] != value.width:
        raise NotCovered("{} without support vectors has no native form".format(type(model).__name__))
    builder.turns_among(value, vectors)
    builder.at_least_ulps(max(64, vectors.shape[1], len(vectors) // 16))
    add = builder.arrays.add
    made = builder.step(
        "kernel",
        [value],
        len(intercept),
        kind=KERNELS[model.kernel],
        gamma=float(gamma),
        coef0=float(model.coef0),
        degree=int(model.degree),
        vectors=add(vectors, "float64"),
        weights=add(weights, "float64"),
        intercept=add(intercept, "float64"),
    )
    return builder.check(made, "finite")


@estimates("sklearn", "KernelRidge")
def _ridge(builder, model, source, form):
    if form != "values":
        return None
    vectors, weights = model.X_fit_, np.asarray(model.dual_coef_)
    if not isinstance(model.kernel, str) or model.kernel not in KERNELS or model.degree != int(model.degree):
        raise NotCovered("KernelRidge with a kernel of one's own has no native form")
    value = builder.numbers(source)
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float64 or value.single:
        raise NotCovered("KernelRidge that was not fitted on dense rows of doubles has no native form")
    gamma = 1.0 / vectors.shape[1] if model.gamma is None else model.gamma
    rows = np.atleast_2d(weights.T)
    made = _sums(builder, model, value, vectors, gamma, rows, np.zeros(len(rows)))
    made.vector = weights.ndim == 1
    return made


def _one(builder, model, source):
    return _kernel(builder, model, source, np.asarray(model.dual_coef_), np.asarray(model.intercept_))


@estimates("sklearn", "SVR", "NuSVR")
def _regressor(builder, model, source, form):
    return _one(builder, model, source) if form == "values" else None


@estimates("sklearn", "OneClassSVM")
def _one_class(builder, model, source, form):
    if form not in ("values", "decision", "samples"):
        return None
    made = _one(builder, model, source)
    if form == "values":
        made = builder.step("is_above", [made], 1, threshold=0.0, equal=False)
        made.labels = np.array([-1, 1], dtype=np.int64)
    elif form == "samples":
        made = builder.each(made, "add", np.asarray(model.offset_).reshape(-1))
    return made


def _pairs(model):
    """By pair of classes, the weight of each support vector, and the intercept."""
    coefficients = np.asarray(model.dual_coef_)
    ends = np.cumsum(model.n_support_)
    places = [slice(end - count, end) for end, count in zip(ends, model.n_support_)]
    weights = []
    for first in range(len(places)):
        for second in range(first + 1, len(places)):
            row = np.zeros(coefficients.shape[1])
            row[places[first]] = coefficients[second - 1, places[first]]
            row[places[second]] = coefficients[first, places[second]]
            weights.append(row)
    return np.asarray(weights), np.asarray(model.intercept_)


@estimates("sklearn", "SVC", "NuSVC")
def _classifier(builder, model, source, form):
    if form not in ("labels", "decision", "proba"):
        return None
    name, classes = type(model).__name__, len(model.classes_)
    if form == "proba" and (not model.probability or np.size(model.probA_) == 0):
        raise NotCovered("{} that was fitted without probabilities has none".format(name))
    two = classes == 2
    made = _one(builder, model, source) if two else _kernel(builder, model, source, *_pairs(model))
    pairs = classes * (classes - 1) // 2
    if form == "proba":
        builder.at_least_ulps(1024)
        # Of two classes, the public sums have the other sign.
        slopes = -np.asarray(model.probA_) if two else np.asarray(model.probA_)
        add = builder.arrays.add
        return builder.step("coupling", [made], classes, slopes=add(slopes, "float64"), shifts=add(model.probB_, "float64"))
    if two:
        return made if form == "decision" else builder.step("is_above", [made], 1, threshold=0.0, equal=True)
    other = builder.each(made, "multiply", [-1.0])
    if model.decision_function_shape == "ovr" and (form == "decision" or model.break_ties):
        won = builder.step("is_above", [other], pairs, threshold=0.0, equal=False)
        made = builder.step("duels", [won, other], classes)
        return made if form == "decision" else builder.step("argmax", [made], 1)
    if form == "decision":
        return made
    won = builder.step("is_above", [other], pairs, threshold=0.0, equal=True)
    return builder.step("argmax", [builder.step("duels", [won], classes)], 1)
