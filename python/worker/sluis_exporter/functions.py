"""FunctionTransformer with functions of numpy as steps."""

import numpy as np

from .builder import Frame, Value
from .errors import NotCovered
from .walk import transform, transforms

#: Functions of one number, and what leads back from their values.
FUNCTIONS = {
    "absolute": lambda value: value,
    "cbrt": lambda value: value ** 3,
    "ceil": lambda value: value,
    "cos": np.arccos,
    "exp": np.log,
    "exp2": np.log2,
    "expm1": np.log1p,
    "floor": lambda value: value,
    "log": np.exp,
    "log10": lambda value: np.power(10.0, value),
    "log1p": np.expm1,
    "log2": np.exp2,
    "negative": lambda value: -value,
    "reciprocal": lambda value: np.divide(1.0, value),
    "rint": lambda value: value,
    "sin": np.arcsin,
    "sqrt": np.square,
    "square": np.sqrt,
    "tanh": np.arctanh,
}

#: Functions whose value is the nearest number, whoever computes them.
EXACT = ("absolute", "ceil", "floor", "negative", "reciprocal", "rint", "sqrt", "square")

#: Functions of numbers from somewhere on, and from where.
BEGINNINGS = {"log": 0.0, "log10": 0.0, "log2": 0.0, "log1p": -1.0, "sqrt": 0.0}

#: Functions that keep integers integers; numpy's wrap around.
OF_INTEGERS = ("absolute", "ceil", "floor", "negative", "reciprocal", "rint", "square")


def name_of(function):
    """The name of a function of numpy's; None for any other."""
    for name in FUNCTIONS:
        if function is getattr(np, name):
            return name
    return None


def apply(builder, value, name):
    """A function, number by number."""
    if value.single and name not in EXACT:
        raise NotCovered("'{}' in single precision has no native form".format(name))
    if name not in EXACT:
        builder.at_least_ulps(8)
    if name in BEGINNINGS:
        builder.begins_at(value, BEGINNINGS[name])
    made = builder.step("function", [value], value.width, name=name, single=value.single)
    made.single = value.single
    if name not in EXACT:
        made.blurs = [(8 if blur is None else 64, 0.0) for blur in value.blurs]
    made.origins = [_behind(origin, FUNCTIONS[name]) for origin in value.origins]
    return made


def _behind(origin, back):
    if origin is None:
        return None
    position, before = origin

    def to_input(value):
        with np.errstate(all="ignore"):
            return before(float(back(value)))

    return position, to_input


@transforms("sklearn", "FunctionTransformer")
def _function(builder, transformer, source):
    if transformer.func is None:
        return builder.check(source, "finite") if transformer.validate and isinstance(source, Value) else source
    name = name_of(transformer.func)
    if name is None or transformer.kw_args:
        raise NotCovered("FunctionTransformer with a function of one's own has no native form")
    kinds = set(builder.kinds[column] for column in source.columns) if isinstance(source, Frame) else set()
    if "boolean" in kinds or "float" in kinds and len(kinds) > 1 or kinds & {"integer", "long"} and name in OF_INTEGERS:
        raise NotCovered("'{}' of columns of these types has no native form".format(name))
    value = builder.numbers(source)
    if value.sparse:
        raise NotCovered("'{}' of sparse columns has no native form".format(name))
    return apply(builder, builder.check(value, "finite") if transformer.validate else value, name)


@transforms("sklearn", "PowerTransformer")
def _power(builder, transformer, source):
    value = builder.check(builder.numbers(source), "no_infinity")
    if value.single or value.sparse:
        raise NotCovered("PowerTransformer over single precision or sparse columns has no native form")
    exponents, kind = np.asarray(transformer.lambdas_, dtype=np.float64), transformer.method.replace("-", "_")
    if kind == "box_cox":
        builder.begins_at(value, 0.0)
    made = builder.step(
        "power", [value], value.width, kind=kind, exponents=builder.arrays.add(exponents, "float64"), direct=_direct(kind)
    )
    backs = [_power_back(kind, exponent) for exponent in exponents]
    made.origins = [_behind(origin, back) for origin, back in zip(value.origins, backs)]
    # What is subtracted, 1 / exponent or 1 / (2 - exponent), leaves its last bits.
    sides = np.stack([np.abs(exponents), np.abs(2.0 - exponents)][: 1 if kind == "box_cox" else 2])
    shifts = np.max(1.0 / np.where(sides < 1e-12, 1.0, sides), axis=0)
    made.blurs = [(32, float(shift)) for shift in shifts]
    builder.at_least_ulps(64)
    # The scaler behind it has no public name; a pickle of the transformer holds it.
    return transform(builder, transformer.__getstate__()["_scaler"], made) if transformer.standardize else made


def _direct(kind):
    """Whether this version makes a power as such: of small numbers it then keeps fewer bits."""
    from sklearn.preprocessing import PowerTransformer

    probe = PowerTransformer(kind.replace("_", "-"), standardize=False).fit([[1.0], [2.0], [4.0]])
    probe.lambdas_ = np.array([0.5])
    return bool(kind == "yeo_johnson" and probe.transform([[1e-20]])[0, 0] == 0.0)


def _power_back(kind, exponent):
    def grown(value, exponent):
        if abs(exponent) < np.finfo(np.float64).eps:
            return np.expm1(value)
        return np.expm1(np.log1p(value * exponent) / exponent)

    if kind == "box_cox":
        return lambda value: grown(value, exponent) + 1.0
    return lambda value: grown(value, exponent) if value >= 0 else -grown(-value, 2.0 - exponent)
