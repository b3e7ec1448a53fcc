"""Transformers of scikit-learn as steps."""

import numbers
import warnings

import numpy as np

from .builder import Frame
from .errors import NotCovered
from .walk import transform, transforms, within


@transforms("sklearn", "Pipeline")
def _pipeline(builder, pipeline, source):
    for name, step in pipeline.steps:
        with within("step '{}'".format(name)):
            source = transform(builder, step, source)
    return source


@transforms("sklearn", "FeatureUnion")
def _union(builder, union, source):
    weights, parts = union.transformer_weights or {}, []
    for name, step in union.transformer_list:
        if isinstance(step, str) and step == "drop":
            continue
        with within("part '{}'".format(name)):
            part = builder.numbers(transform(builder, step, source))
            weight = weights.get(name)
            parts.append(part if weight is None else builder.each(part, "multiply", [weight]))
    made = builder.concat(parts)
    made.sparse = any(part.sparse for part in parts)
    return made


@transforms("sklearn", "ColumnTransformer")
def _columns(builder, transformer, source):
    parts = []
    for name, step, columns in transformer.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        with within("transformer '{}'".format(name)):
            chosen = _select(builder, source, columns)
            if chosen.width == 0:
                continue
            parts.append(builder.numbers(transform(builder, step, chosen)))
    if not parts:
        raise NotCovered("no columns are left")
    made = builder.concat(parts)
    made.sparse = bool(transformer.sparse_output_)
    return made


def _select(builder, source, columns):
    if isinstance(columns, str):
        raise NotCovered("a single column as a series has no native form")
    if isinstance(columns, slice):
        if any(isinstance(end, str) for end in (columns.start, columns.stop)):
            raise NotCovered("slices by name have no native form")
        columns = list(range(source.width))[columns]
    columns = list(columns)
    if columns and all(isinstance(column, (bool, np.bool_)) for column in columns):
        columns = [index for index, chosen in enumerate(columns) if chosen]
    positions = [_position(builder, source, column) for column in columns]
    if isinstance(source, Frame):
        return Frame([source.columns[position] for position in positions])
    return builder.pick(source, positions)


def _position(builder, source, column):
    if isinstance(column, str):
        if not isinstance(source, Frame) or builder.names is None:
            raise NotCovered("columns by name need a frame")
        names = [builder.names[position] for position in source.columns]
        if column not in names:
            raise NotCovered("there is no column '{}' in the signature".format(column))
        return names.index(column)
    if isinstance(column, numbers.Integral):
        position = int(column) + (source.width if column < 0 else 0)
        if 0 <= position < source.width:
            return position
    raise NotCovered("a column that is not in the signature")


def _numbers(builder, source, rule):
    return builder.check(builder.numbers(source), rule)


def _operand(value, vector):
    vector = np.asarray(vector)
    return vector.astype(np.float32) if value.single else vector


@transforms("sklearn", "StandardScaler")
def _standard(builder, scaler, source):
    value = _numbers(builder, source, "no_infinity")
    if not scaler.with_mean and not scaler.with_std:
        return value
    if value.sparse:
        return _scale_sparse(builder, value, scaler.scale_)
    rounded = value.single and _rounds(scaler)
    if scaler.with_mean:
        value = builder.each(value, "subtract", scaler.mean_.astype(np.float32) if rounded else scaler.mean_)
    if scaler.with_std:
        value = builder.each(value, "divide", scaler.scale_.astype(np.float32) if rounded else scaler.scale_)
    return value


def _rounds(scaler):
    """Whether this version rounds its own numbers to single precision for rows that have it."""
    width = len(scaler.scale_ if scaler.with_std else scaler.mean_)
    rows = np.random.RandomState(0).standard_normal((200, width)).astype(np.float32)
    rows *= np.float32(1.0) if scaler.scale_ is None else scaler.scale_.astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The scaler was fitted with names, these rows have none.
        made = scaler.transform(rows.copy())
    if scaler.with_mean:
        rows = rows - scaler.mean_.astype(np.float32)
    if scaler.with_std:
        rows = rows / scaler.scale_.astype(np.float32)
    return bool(np.array_equal(made, rows))


@transforms("sklearn", "RobustScaler")
def _robust(builder, scaler, source):
    value = _numbers(builder, source, "no_infinity")
    if value.sparse:
        return _scale_sparse(builder, value, scaler.scale_ if scaler.with_scaling else None)
    if scaler.with_centering:
        # In place, so that single precision is computed in double and rounded.
        value = builder.each(value, "subtract", scaler.center_)
    if scaler.with_scaling:
        value = builder.each(value, "divide", scaler.scale_)
    return value


@transforms("sklearn", "MinMaxScaler")
def _min_max(builder, scaler, source):
    value = _numbers(builder, source, "no_infinity")
    value = builder.each(value, "multiply", _operand(value, scaler.scale_))
    value = builder.each(value, "add", _operand(value, scaler.min_))
    return _clip(builder, value, *scaler.feature_range) if getattr(scaler, "clip", False) else value


@transforms("sklearn", "MaxAbsScaler")
def _max_abs(builder, scaler, source):
    value = _numbers(builder, source, "no_infinity")
    if value.sparse:
        return _scale_sparse(builder, value, scaler.scale_)
    value = builder.each(value, "divide", _operand(value, scaler.scale_))
    return _clip(builder, value, -1.0, 1.0) if getattr(scaler, "clip", False) else value


def _scale_sparse(builder, value, scale):
    # Sparse columns are multiplied by the inverse.
    return value if scale is None else builder.each(value, "multiply", 1.0 / np.asarray(scale))


def _clip(builder, value, low, high):
    return builder.each(builder.each(value, "at_least", [low]), "at_most", [high])


@transforms("sklearn", "Binarizer")
def _binarizer(builder, binarizer, source):
    value = _numbers(builder, source, "finite")
    builder.turns_at(value, range(value.width), [binarizer.threshold] * value.width)
    value = builder.beside(value, [[binarizer.threshold]] * value.width)
    return builder.step("above", [value], value.width, threshold=float(binarizer.threshold))


@transforms("sklearn", "Normalizer")
def _normalizer(builder, normalizer, source):
    value = _numbers(builder, source, "finite")
    if value.single or value.sparse:
        raise NotCovered("Normalizer over single precision or sparse columns has no native form")
    made = builder.step("normalize", [value], value.width, norm=normalizer.norm)
    builder.ulps = max(builder.ulps, 16)
    return made


@transforms("sklearn", "PolynomialFeatures")
def _polynomial(builder, features, source):
    value = _numbers(builder, source, "finite")
    if value.single or value.sparse:
        raise NotCovered("PolynomialFeatures over single precision or sparse columns has no native form")
    powers = np.asarray(features.powers_)
    made = builder.step("powers", [value], powers.shape[0], powers=builder.arrays.add(powers, "int32"))
    builder.ulps = max(builder.ulps, 16)
    return made


@transforms("sklearn", "PCA", "IncrementalPCA", "TruncatedSVD")
def _components(builder, reducer, source):
    value = _numbers(builder, source, "finite")
    if value.single:
        raise NotCovered("{} in single precision has no native form".format(type(reducer).__name__))
    components = np.asarray(reducer.components_, dtype=np.float64)
    mean = getattr(reducer, "mean_", None)
    if mean is not None:
        value = builder.each(value, "subtract", mean)
    made = linear(builder, value, components, np.zeros(components.shape[0]))
    if getattr(reducer, "whiten", False):
        scale = np.sqrt(reducer.explained_variance_)
        smallest = np.finfo(scale.dtype).eps
        scale[scale < smallest] = smallest
        made = builder.each(made, "divide", scale)
    return made


def linear(builder, value, weights, intercept):
    """weights @ row + intercept, by output. Equal to Python's within the bound that this sets."""
    weights = np.atleast_2d(np.asarray(weights))
    if weights.dtype != np.float64 and value.single:
        raise NotCovered("a linear model in single precision has no native form")
    if weights.shape[1] != value.width:
        raise NotCovered("{} weights for {} columns".format(weights.shape[1], value.width))
    intercept = np.broadcast_to(np.asarray(intercept, dtype=np.float64).reshape(-1), (weights.shape[0],))
    # The order of additions is the linear algebra library's: reordering n terms moves the last bits.
    builder.ulps = max(builder.ulps, 32, weights.shape[1] // 16)
    made = builder.step(
        "linear",
        [value],
        weights.shape[0],
        weights=builder.arrays.add(weights, "float64"),
        intercept=builder.arrays.add(intercept, "float64"),
    )
    return made


@transforms("sklearn", "SimpleImputer")
def _imputer(builder, imputer, source):
    missing = imputer.missing_values
    is_nan = isinstance(missing, float) and missing != missing
    if isinstance(source, Frame) and all(builder.kinds[column] == "string" for column in source.columns):
        if is_nan or missing is None:
            if imputer.add_indicator:
                raise NotCovered("SimpleImputer of text with add_indicator has no native form")
            return source  # A decoded text is never missing.
        raise NotCovered("SimpleImputer that replaces a text has no native form")
    if not is_nan and not isinstance(missing, numbers.Real):
        raise NotCovered("SimpleImputer of {!r} has no native form".format(type(missing).__name__))
    value = _numbers(builder, source, "no_infinity" if is_nan else "finite")
    fill = np.asarray(imputer.statistics_, dtype=np.float64)
    kept = list(range(value.width))
    if imputer.strategy != "constant" and not getattr(imputer, "keep_empty_features", False):
        kept = [column for column in kept if fill[column] == fill[column]]
    made = builder.pick(value, kept)
    fill = _operand(made, fill[kept]).astype(np.float64)
    filled = builder.step(
        "impute", [made], made.width, like=made, missing=None if is_nan else float(missing), fill=builder.arrays.add(fill, "float64")
    )
    if not imputer.add_indicator:
        return filled
    marked = builder.pick(value, imputer.indicator_.features_)
    marks = builder.step("is_missing", [marked], marked.width, missing=None if is_nan else float(missing))
    return builder.concat([filled, marks])


@transforms("sklearn", "VarianceThreshold", "SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe")
@transforms("sklearn", "GenericUnivariateSelect", "SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector")
def _selector(builder, selector, source):
    # What is selected passes unchanged; whatever else they check, they check no less than the columns they keep.
    value = builder.check(builder.numbers(source), "finite")
    return builder.pick(value, selector.get_support(indices=True))
