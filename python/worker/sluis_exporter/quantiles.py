"""QuantileTransformer of scikit-learn as steps."""

import numpy as np

from .errors import NotCovered
from .walk import transforms


@transforms("sklearn", "QuantileTransformer")
def _quantiles(builder, transformer, source):
    if transformer.output_distribution != "uniform":
        raise NotCovered("QuantileTransformer to normal distributions has no native form")
    value = builder.check(builder.numbers(source), "no_infinity")
    if value.single or value.sparse:
        raise NotCovered("QuantileTransformer over single precision or sparse columns has no native form")
    references = np.asarray(transformer.references_, dtype=np.float64)
    columns = [_points(quantiles, references) for quantiles in np.asarray(transformer.quantiles_, dtype=np.float64).T]
    for column, (xs, _) in enumerate(columns):
        # The ends themselves, and numbers beside the others: at these, answers may turn where a tree behind this asks.
        aside = 1e-9 * (xs[-1] - xs[0])
        points = np.concatenate([xs[[0, -1]], xs + aside, xs - aside])
        builder.turns_at(value, [column] * len(points), points)
    # From either side, so that of equal quantiles the middle is taken.
    rising = _lines(builder, value, columns)
    falling = _lines(builder, builder.each(value, "multiply", [-1.0]), [(-xs[::-1], -ys[::-1]) for xs, ys in columns])
    made = builder.step("sum", [rising, builder.each(falling, "multiply", [-1.0])], value.width)
    made = builder.each(made, "multiply", [0.5])
    made.origins = [_back(origin, *points) for origin, points in zip(value.origins, columns)]
    made.blurs = [(16, 1.0)] * value.width
    builder.at_least_ulps(16)
    return made


def _points(xs, ys):
    """The points of a column. Of equal ones at an end, the outermost answers for the end itself, the innermost beside it."""
    if xs[0] == xs[-1]:
        return np.array([xs[0], np.nextafter(xs[0], np.inf)]), np.array([0.0, 1.0])
    low, high = np.flatnonzero(xs == xs[0])[-1], np.flatnonzero(xs == xs[-1])[0]
    inner_x, inner_y = xs[low + 1 : high], ys[low + 1 : high]
    left = ([xs[0]], [0.0]) if low == 0 else ([xs[0], np.nextafter(xs[0], np.inf)], [0.0, ys[low]])
    right = ([xs[-1]], [1.0]) if high == len(xs) - 1 else ([np.nextafter(xs[-1], -np.inf), xs[-1]], [ys[high], 1.0])
    xs = np.concatenate([left[0], inner_x, right[0]])
    if np.any(np.diff(xs) < 0):
        raise NotCovered("QuantileTransformer over quantiles that are next to each other has no native form")
    return xs, np.concatenate([left[1], inner_y, right[1]])


def _lines(builder, value, columns):
    add = builder.arrays.add
    ends = add(np.cumsum([len(xs) for xs, _ in columns]), "int64")
    xs, ys = (add(np.concatenate(side), "float64") for side in zip(*columns))
    return builder.step("interpolate", [value], value.width, ends=ends, xs=xs, ys=ys)


def _back(origin, xs, ys):
    if origin is None:
        return None
    position, before = origin
    return position, lambda value: before(float(np.interp(value, ys, xs)))
