"""Collects the steps of a scoring program while a model is walked.

A step takes values that earlier steps made and makes one: a matrix with a row for each row asked. Knows the form of
programs; what a model's numbers mean is the exporters' matter.
"""

import numpy as np

from .container import Arrays
from .errors import NotCovered

FORMAT = 1

#: Types of input columns that are numbers.
NUMBERS = ("boolean", "integer", "long", "float", "double")


class Frame:
    """Input columns as they come, by position: what a transformer is given before anything was computed."""

    def __init__(self, columns):
        self.columns = list(columns)

    @property
    def width(self):
        return len(self.columns)


class Value:
    """A matrix that a step makes."""

    def __init__(self, number, width, single=False, sparse=False, origins=None):
        self.number = number
        self.width = width
        #: Whether Python computes with it in single precision.
        self.single = single
        #: Whether Python has it as a sparse matrix.
        self.sparse = sparse
        #: By column, (input column, function from a value back to about the input); None where there is no such function.
        self.origins = origins if origins is not None else [None] * width
        #: By column, how far its numbers may be from Python's: (units in the last place, of themselves and so much more); else None.
        self.blurs = [None] * width


class Builder:
    """A program in the making."""

    def __init__(self, kinds, names):
        #: By input column, its type in the signature.
        self.kinds = list(kinds)
        #: By input column, its name; None for a tensor.
        self.names = None if names is None else list(names)
        self.arrays = Arrays()
        self.steps = []
        self.output = None
        #: By input column, values at which the model's answer may change.
        self.turning_points = [[] for _ in kinds]
        #: By input column, the lowest number that the model usually answers to; None where there is no such number.
        self.lowest = [None for _ in kinds]
        #: By input column, texts that the model knows.
        self.known_texts = [set() for _ in kinds]
        #: Bits of the last place that an answer may differ by; 0 means equal to the bit.
        self.ulps = 0

    def inputs(self):
        """All input columns."""
        return Frame(range(len(self.kinds)))

    def step(self, op, sources, width, like=None, **fields):
        """Adds a step and gives its value."""
        entry = {"op": op, "from": [source.number for source in sources], "width": int(width)}
        entry.update(fields)
        self.steps.append(entry)
        value = Value(len(self.steps) - 1, int(width))
        if like is not None:
            value.single, value.sparse = like.single, like.sparse
            if like.width == value.width:
                value.origins, value.blurs = list(like.origins), list(like.blurs)
        return value

    def numbers(self, source):
        """A frame of numbers as a matrix; a matrix as it is."""
        if isinstance(source, Value):
            return source
        for column in source.columns:
            if self.kinds[column] not in NUMBERS:
                raise NotCovered("column {} is text where numbers are computed with".format(self.title(column)))
        value = self.step("columns", [], source.width, columns=source.columns)
        kinds = set(self.kinds[column] for column in source.columns)
        value.single = kinds == {"float"}
        value.origins = [(column, float) for column in source.columns]
        return value

    def title(self, column):
        """How an input column is called in a message."""
        return str(column) if self.names is None else "'{}'".format(self.names[column])

    def check(self, value, rule):
        """Rows that break the rule are left to Python, which refuses them. Rules: finite, no_infinity, single, single_or_nan."""
        return self.step("check", [value], value.width, like=value, rule=rule)

    def beside(self, value, edges):
        """Rows that blurred numbers might take to another side of an edge than Python's are left to it. `edges` by column."""
        columns = [column for column, blur in enumerate(value.blurs) if blur is not None and len(edges[column])]
        if not columns:
            return value
        edges = [np.unique(edges[column]) for column in columns]
        return self.step(
            "beside",
            [value],
            value.width,
            like=value,
            columns=columns,
            ends=self.arrays.add(np.cumsum([len(own) for own in edges]), "int64"),
            edges=self.arrays.add(np.concatenate(edges), "float64"),
            ulps=self.arrays.add([value.blurs[column][0] for column in columns], "float64"),
            more=self.arrays.add([value.blurs[column][1] for column in columns], "float64"),
        )

    def each(self, value, name, operand):
        """Every row with a vector: subtract, divide, multiply, add, at_least, at_most."""
        operand = np.asarray(operand, dtype=np.float64).reshape(-1)
        if operand.size == 1 and value.width != 1:
            operand = np.repeat(operand, value.width)
        if operand.size != value.width:
            raise NotCovered("{} numbers for {} columns".format(operand.size, value.width))
        made = self.step(
            "each", [value], value.width, like=value, do=name, single=value.single, operand=self.arrays.add(operand, "float64")
        )
        made.origins = [_moved(origin, name, number) for origin, number in zip(value.origins, operand)]
        made.blurs = [_blurred(blur, name, number) for blur, number in zip(value.blurs, operand)]
        return made

    def concat(self, values):
        """Matrices side by side."""
        if len(values) == 1:
            return values[0]
        made = self.step("concat", values, sum(value.width for value in values))
        made.single = all(value.single for value in values)
        made.origins = [origin for value in values for origin in value.origins]
        made.blurs = [blur for value in values for blur in value.blurs]
        return made

    def at_least_ulps(self, ulps):
        """The answer may differ by so many units in the last place, or by more."""
        self.ulps = max(self.ulps, int(ulps))

    def pick(self, value, columns):
        """Some columns of a matrix."""
        columns = [int(column) for column in columns]
        if columns == list(range(value.width)):
            return value
        made = self.step("pick", [value], len(columns), columns=columns)
        made.single, made.sparse = value.single, value.sparse
        made.origins = [value.origins[column] for column in columns]
        made.blurs = [value.blurs[column] for column in columns]
        return made

    def turns_at(self, value, columns, points):
        """Notes that answers may change where columns of a matrix have these values."""
        for column, point in zip(columns, points):
            origin = value.origins[column] if 0 <= column < value.width else None
            if origin is not None:
                position, back = origin
                self.turning_points[position] += [back(near) for near in _near(float(point), value.blurs[column])]

    def begins_at(self, value, point):
        """Notes that the numbers of a matrix usually lie above this one."""
        for origin in value.origins:
            low = float("nan") if origin is None else origin[1](float(point))
            if low == low and abs(low) != float("inf"):
                known = self.lowest[origin[0]]
                self.lowest[origin[0]] = low if known is None else max(known, low)

    def turns_among(self, value, points, most=300):
        """Notes rows of a matrix as values that matter: answers depend on where a row lies among them."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, value.width)
        chosen = np.linspace(0, len(points) - 1, min(most, len(points))).astype(int)
        for row in points[np.unique(chosen)]:
            self.turns_at(value, range(value.width), row)

    def answers(self, value, vector, dtype):
        """The program answers with this matrix, or with its only column as a vector."""
        self.output = {"form": "values", "from": value.number, "vector": bool(vector), "dtype": dtype}

    def answers_labels(self, value, classes, matrix=False):
        """The program answers with the classes whose numbers this matrix holds: one of each row, or several."""
        classes = np.asarray(classes)
        output = {"form": "labels", "from": value.number, "matrix": bool(matrix)}
        if classes.dtype.kind in "iu" or classes.dtype.kind == "b":
            if classes.dtype.name not in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"):
                raise NotCovered("labels of type {}".format(classes.dtype))
            output["dtype"] = classes.dtype.name
            output["labels"] = self.arrays.add(classes, "int64")
        elif classes.dtype.kind == "f" and classes.dtype.name in ("float32", "float64"):
            output["dtype"] = classes.dtype.name
            output["numbers"] = self.arrays.add(classes, "float64")
        elif all(type(label) is str or isinstance(label, np.str_) for label in classes.tolist()):
            output["texts"] = self.arrays.add_texts([str(label) for label in classes.tolist()])
        else:
            raise NotCovered("labels of type {}".format(classes.dtype))
        output["count"] = int(classes.size)
        self.output = output

    def description(self, name):
        """The head of the program's file."""
        return {
            "format": FORMAT,
            "name": name,
            "inputs": self.kinds,
            "steps": self.steps,
            "output": self.output,
            "ulps": int(self.ulps),
        }


def _near(point, blur):
    """The point, or numbers on either side that are clearly so."""
    if blur is None:
        return [point]
    aside = 64 * blur[0] * np.finfo(np.float64).eps * (abs(point) + blur[1])
    return [point - aside, point + aside]


def _moved(origin, name, number):
    """Where a value comes from after one more operation on it."""
    if origin is None:
        return None
    position, back = origin
    number = float(number)
    if name == "subtract":
        return (position, lambda value: back(value + number))
    if name == "add":
        return (position, lambda value: back(value - number))
    if name == "divide":
        return (position, lambda value: back(value * number))
    if name == "multiply":
        return (position, lambda value: back(value / number)) if number else None
    return origin


def _blurred(blur, name, number):
    """How far a value may be from Python's after one more operation on it."""
    if blur is None or name in ("at_least", "at_most"):
        return blur
    ulps, more = blur
    number = abs(float(number))
    if name in ("subtract", "add"):
        return (ulps, more + number)
    with np.errstate(all="ignore"):
        return (ulps, float(np.divide(more, number)) if name == "divide" else more * number)
