"""Rows for an ONNX model, and what MLflow answers to each set of them.

The same library computes on both sides, so what is tried is what lies around it: how rows become tensors, in how many at a time, and
how tensors become answers. Knows inputs and answers; the comparison is made in Rust.
"""

import time

import numpy as np

from sluis_worker.errors import class_name
from sluis_worker.inputs import InputDecoder

from .errors import NotCovered
from .sample import RANGES, SPECIALS, Asker

#: Rows that are asked at most, and numbers that they may have in all.
ROWS, NUMBERS = 4000, 1 << 21

#: Seconds that the rows should take Python, about.
SECONDS = 8.0

#: A row that takes longer is no matter of a proof at the start.
SLOWEST = 0.1

WORDS = ["a", "b", "", "never seen", "\u00e9\u4e2d\U0001f600", "A longer text, of some words."]


class Tensors:
    """Makes inputs of tensors by the signature's types and shapes, and by the graph's where the signature leaves them open."""

    def __init__(self, specs, graph_inputs):
        self.specs = specs
        self._named = specs[0]["name"] is not None
        graph = {name: shape for name, _, shape in graph_inputs}
        only = graph_inputs[0][2] if len(graph_inputs) == 1 else None
        self._graph = [graph.get(spec["name"], only if not self._named else None) for spec in specs]
        self._decoder = InputDecoder(None)
        #: Whether the first extent is the number of rows, and may be any.
        self.by_row = all(extent[0] is None for extent in (self._known(place) for place in range(len(specs))))

    def _known(self, place):
        """The extents that are fixed; a name or None where one is open."""
        shape, graph = self.specs[place]["shape"], self._graph[place]
        if graph is None or len(graph) != len(shape):
            return list(shape)
        known = [theirs if ours is None and isinstance(theirs, int) and theirs > 0 else ours for ours, theirs in zip(shape, graph)]
        return known

    def shapes(self, rows, size):
        """The shapes of one set of rows; open extents other than the first are of that size."""
        made = []
        for place in range(len(self.specs)):
            known = self._known(place)
            made.append([rows if axis == 0 and extent is None else size if extent is None else extent for axis, extent in enumerate(known)])
        return made

    def make(self, arrays):
        """One input."""
        body, heads = bytearray(), []
        for spec, array in zip(self.specs, arrays):
            raw = _raw(array)
            heads.append({"name": spec["name"], "dtype": spec["dtype"], "shape": list(array.shape), "offset": len(body), "length": len(raw)})
            body += raw
        if self._named:
            return self._decoder.tensors({"tensors": heads}, body)
        return self._decoder.dense(dict(heads[0], **{"as": "tensor"}), body)


def _raw(array):
    order = array.dtype.newbyteorder("<")
    return np.ascontiguousarray(array, dtype=order).tobytes()


class TensorAsker(Asker):
    """Asks with tensors."""

    def _keep(self, columns, rows, answer):
        tensors = []
        for spec, array in zip(self._frames.specs, columns):
            body = self.arrays.add(np.frombuffer(_raw(array), dtype=np.uint8), "uint8")
            tensors.append({"name": spec["name"], "dtype": spec["dtype"], "shape": list(array.shape), "body": body})
        self.sets.append(dict(self._answered(answer), rows=int(rows), tensors=tensors))


def ask_tensors(asker, tensors, example):
    """Fills the asker with sets of tensors that the model takes."""
    random = np.random.RandomState(4711)
    make = _choose(asker, tensors, random, example)
    cost, numbers = _cost(asker, tensors, make)
    per_set = 1 if tensors.by_row else 0
    rows = int(min(ROWS, max(16, NUMBERS // max(numbers, 1)), max(16, SECONDS / max(cost, 1e-6))))
    if per_set:
        for count in (1, 2, 3, 5, 8, 13):
            for _ in range(4):
                asker.ask(make(count, random.randint(1, 6)), count)
        whole = make(rows, 4)
        asker.ask(whole, rows)
        odd = make(60, 4)
        _spoil(odd, random)
        asker.ask(odd, 60)
    else:
        for _ in range(rows):
            asker.ask(make(1, random.randint(1, 6)), 1)
        for _ in range(16):
            odd = make(1, 4)
            _spoil(odd, random)
            asker.ask(odd, 1)


def _cost(asker, tensors, make):
    """Seconds that a row takes, and how many numbers it has."""
    data, start = make(1, 4), time.perf_counter()
    for _ in range(3):
        asker.differs(data)
    seconds = (time.perf_counter() - start) / 6
    if seconds > SLOWEST:
        raise NotCovered("a row takes {:.0f} ms: work that long stays in a process that can be ended".format(seconds * 1000))
    return seconds, sum(array.size for array in data)


def _choose(asker, tensors, random, example):
    """The first way of making values that the model takes."""

    def usual(rows, size):
        return [_values(spec["dtype"], shape, random) for spec, shape in zip(tensors.specs, tensors.shapes(rows, size))]

    def small(rows, size):
        return [_small(spec["dtype"], shape, random) for spec, shape in zip(tensors.specs, tensors.shapes(rows, size))]

    def given(rows, _size):
        if not tensors.by_row:
            return example
        return [array[random.randint(0, len(array), rows)] for array in example]

    ways = [usual, small] + ([given] if example is not None else [])
    for way in ways:
        if asker.differs(way(3 if tensors.by_row else 1, 4)) is not None:
            if any(asker.differs(way(3 if tensors.by_row else 1, 4)) for _ in range(3)):
                raise NotCovered("Python answers the same rows in two ways")
            return way
    raise NotCovered("Python raised on usual rows: {}".format(class_name(asker.raised)))


def _values(dtype, shape, random):
    if dtype == "bool":
        return random.randint(0, 2, shape).astype(bool)
    if dtype == "str":
        return np.array(WORDS)[random.randint(0, len(WORDS), shape)]
    if dtype.startswith("u"):
        return random.randint(0, 256, shape).astype(dtype)
    if dtype.startswith("int"):
        return random.randint(-9, 100, shape).astype(dtype)
    scale = np.where(random.rand(*shape) < 0.1, 10.0, 1.0)
    return (random.standard_normal(shape) * scale).astype(dtype)


def _small(dtype, shape, random):
    """Small and never negative: numbers that may stand for words or categories."""
    if dtype in ("bool", "str"):
        return _values(dtype, shape, random)
    return random.randint(0, 2, shape).astype(dtype)


def _spoil(arrays, random):
    """Puts odd values into some places."""
    for array in arrays:
        flat = array.reshape(-1)
        if array.dtype.kind not in "fiu" or not flat.size:
            continue
        with np.errstate(all="ignore"):
            if array.dtype.kind == "f":
                odd = np.array(SPECIALS).astype(array.dtype)
            else:
                limits = np.iinfo(array.dtype)
                odd = np.array([limits.min, limits.max, 0, 1], dtype=array.dtype)
        places = random.randint(0, flat.size, max(1, flat.size // 20))
        flat[places] = odd[random.randint(0, len(odd), len(places))]


def example_tensors(loaded, specs):
    """The model's input example in the form of its tensors; None where there is none of that form."""
    value = _example(loaded)
    if isinstance(value, dict):
        parts = [value.get(spec["name"]) for spec in specs]
    else:
        parts = [value] if len(specs) == 1 and specs[0]["name"] is None else [None]
    arrays = []
    for spec, part in zip(specs, parts):
        if not isinstance(part, np.ndarray) or part.ndim != len(spec["shape"]) or not part.size:
            return None
        arrays.append(part.astype(np.str_ if spec["dtype"] == "str" else spec["dtype"]))
    return arrays if len({len(array) for array in arrays}) == 1 else None


def example_columns(loaded, names, kinds):
    """The model's input example as columns; None where it is no frame of these."""
    frame = _example(loaded)
    if not hasattr(frame, "columns") or any(name not in frame.columns for name in names) or not len(frame):
        return None
    columns = []
    for name, kind in zip(names, kinds):
        values = frame[name].tolist()
        if any(value is None or isinstance(value, str) != (kind == "string") for value in values):
            return None
        if kind in RANGES and any(value != value or value != int(value) for value in values):
            return None
        columns.append(values if kind == "string" else np.asarray(values))
    return columns


def _example(loaded):
    try:
        return loaded.model.metadata.load_input_example(loaded.folder)
    except Exception:
        return None
