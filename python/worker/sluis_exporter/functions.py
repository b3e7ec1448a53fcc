"""FunctionTransformer with functions of numpy as steps."""

import numpy as np

from .builder import Frame, Value
from .errors import NotCovered
from .walk import transforms

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
