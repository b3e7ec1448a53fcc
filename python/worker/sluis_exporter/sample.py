"""Rows chosen to tell a program from its model, and what the model answers to each.

Rows come from the input example, from the signature's types, and from the model's own turning points: each of them, one
step below and one above. Knows inputs and answers; the comparison is made in Rust (`crates/native/src/proof`).
"""

import time

import numpy as np

from sluis_worker.protocol import ARROW_ANSWER, DENSE_ANSWER, JSON_ANSWER

from .container import Arrays
from .errors import NotCovered

#: Rows that the model is asked all at once, at most, and rows of odd values.
ROWS, ODD_ROWS = 12000, 640

_FORMS = {DENSE_ANSWER: "dense", JSON_ANSWER: "json", ARROW_ANSWER: "table"}

#: Seconds that asking row by row may take: rows that a model refuses are found by halving.
PATIENCE = 60.0

SPECIALS = (
    [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1e-45, 5e-324, 1e-35, -1e-35, 1e-36, 3.4028234e38]
    + [3.4028236e38, -3.4028236e38, 1e300, -1e300, 16777217.0, 9007199254740993.0, 0.5, 1.5, -1.0, 1.0, 2.0]
)

#: Integer types by their smallest and largest value.
RANGES = {"integer": (-(2 ** 31), 2 ** 31 - 1), "long": (-(2 ** 63), 2 ** 63 - 1)}


class Sampler:
    """Makes columns of values for the inputs of a program."""

    def __init__(self, builder, seed=20240):
        self._builder = builder
        self._random = np.random.RandomState(seed)
        self._points = [self._around(position) for position in range(len(builder.kinds))]
        self._centers = [self._center(position) for position in range(len(builder.kinds))]

    def covered(self):
        """How many turning points there are, with their neighbours."""
        return sum(len(points) for points in self._points)

    def usual(self, rows):
        """Columns of values that a model may be asked any day: every turning point, and values around them."""
        return [self._usual(position, rows) for position in range(len(self._builder.kinds))]

    def rows_needed(self):
        """Rows that hold every turning point once, with as many others."""
        return 2 * max([len(points) for points in self._points] or [0])

    def odd(self, rows):
        """Columns where, row by row, one value is odd: missing, infinite, extreme, unknown."""
        columns = self.usual(rows)
        for row in range(rows):
            position = row % len(columns)
            odd = self._odd(position)
            columns[position][row] = odd[(row // len(columns)) % len(odd)]
        return columns

    def _around(self, position):
        """The turning points of a column and their neighbours in both precisions, as its type holds them."""
        points = np.unique(np.asarray(self._builder.turning_points[position], dtype=np.float64))
        points = points[np.isfinite(points)]
        with np.errstate(all="ignore"):
            single = points.astype(np.float32)
            near = [points, np.nextafter(points, -np.inf), np.nextafter(points, np.inf)]
            near += [one.astype(np.float64) for one in (single, *(np.nextafter(single, np.float32(side)) for side in (-np.inf, np.inf)))]
        values = np.unique(np.concatenate(near)) if len(points) else points
        kind = self._builder.kinds[position]
        if kind == "float":
            values = values[np.abs(values) <= np.finfo(np.float32).max].astype(np.float32).astype(np.float64)
        elif kind in RANGES:
            low, high = RANGES[kind]
            around = np.concatenate([np.floor(values), np.ceil(values)])
            values = np.unique(around[(around > low) & (around < high) & (np.abs(around) < 2.0 ** 53)])
        elif kind in ("boolean", "string"):
            values = values[:0]
        return self._random.permutation(np.unique(values[np.isfinite(values)]))

    def _center(self, position):
        points = self._points[position]
        if len(points) == 0:
            return 0.0, 1.0
        low, high = np.percentile(points, [5, 95])
        return (low + high) / 2, (high - low) / 2 or abs(high) or 1.0

    def _usual(self, position, rows):
        kind, random = self._builder.kinds[position], self._random
        if kind == "boolean":
            return random.randint(0, 2, rows).astype(bool)
        if kind == "string":
            known = sorted(self._builder.known_texts[position])
            return [known[index] for index in random.randint(0, len(known), rows)] if known else ["a"] * rows
        middle, width = self._centers[position]
        values = middle + width * random.standard_normal(rows) * np.where(random.rand(rows) < 0.1, 10.0, 1.0)
        points = self._points[position]
        if len(points):
            chosen = random.permutation(rows)[: min(rows // 2, len(points))]
            values[chosen] = points[: len(chosen)]
        lowest = self._builder.lowest[position]
        if lowest is not None:
            lowest = np.floor(lowest) + 1 if kind in RANGES else lowest
            values = lowest + np.abs(values - lowest)
        if kind in RANGES:
            low, high = RANGES[kind]
            return np.clip(np.rint(values), max(low, -(2.0 ** 52)), min(high, 2.0 ** 52)).astype(np.int64)
        if kind == "float":
            return values.astype(np.float32).astype(np.float64)
        return values

    def _odd(self, position):
        kind = self._builder.kinds[position]
        if kind == "boolean":
            return [True, False]
        if kind == "string":
            known = sorted(self._builder.known_texts[position])[:2]
            changed = [text + " " for text in known] + [text.upper() for text in known] + [text[:-1] for text in known]
            return ["", "never seen", "\u00e9\u4e2d\U0001f600", "nan", "None"] + changed
        if kind in RANGES:
            low, high = RANGES[kind]
            return [low, high, low + 1, high - 1, 0, -1, 1, min(high, 2 ** 53 + 1)]
        if kind == "float":
            with np.errstate(all="ignore"):
                return [float(np.float32(value)) for value in SPECIALS]
        return SPECIALS


class Asker:
    """Asks the model, and keeps what was asked with what came."""

    def __init__(self, frames, predict, encode, tables=False):
        self._frames, self._predict, self._encode = frames, predict, encode
        #: Whether programs of this kind answer with frames of several types.
        self._tables = tables
        self._end = time.time() + PATIENCE
        self.arrays = Arrays()
        self.sets = []
        #: The first thing that the model raised.
        self.raised = None

    def ask(self, columns, rows):
        """Asks all rows at once; where the model raises, each half."""
        if rows == 0 or time.time() > self._end:
            return
        try:
            answer = self._answer(columns)
        except NotCovered:
            raise
        except Exception as error:
            self.raised = self.raised or error
            if rows == 1:
                self._keep(columns, rows, None)
                return
            half = rows // 2
            self.ask([column[:half] for column in columns], half)
            self.ask([column[half:] for column in columns], rows - half)
            return
        self._keep(columns, rows, answer)

    def ask_whole(self, columns, rows):
        """Asks all rows at once, and never some of them: for models that take so many and no others."""
        try:
            answer = self._answer(columns)
        except NotCovered:
            raise
        except Exception:
            answer = None
        self._keep(columns, rows, answer)

    def differs(self, columns):
        """Whether the model answers the same rows in two ways; None where it raises."""
        try:
            first, second = self._answer(columns), self._answer(columns)
        except NotCovered:
            raise
        except Exception as error:
            self.raised = error
            return None
        return first != second

    def _answer(self, columns):
        kind, head, chunks = self._encode(self._predict(self._frames.make(columns)))
        if kind == ARROW_ANSWER and not self._tables:
            raise NotCovered("an answer that is a frame of several types has no native form")
        head = {key: head[key] for key in ("dtype", "shape", "columns") if key in head}
        return _FORMS[kind], head, b"".join(bytes(chunk) for chunk in chunks)

    def _keep(self, columns, rows, answer):
        columns = [self._column(values) for values in columns]
        self.sets.append(dict(self._answered(answer), rows=int(rows), columns=columns))

    def _answered(self, answer):
        if answer is None:
            return {}
        form, head, body = answer
        return {"answer": dict(head, form=form, body=self.arrays.add(np.frombuffer(body, dtype=np.uint8), "uint8"))}

    def _column(self, values):
        if isinstance(values, list) and values and isinstance(values[0], str):
            return {"texts": self.arrays.add_texts(values)}
        array = np.asarray(values)
        if array.dtype.kind in "iub":
            return {"integers": self.arrays.add(array, "int64")}
        return {"numbers": self.arrays.add(array, "float64")}
