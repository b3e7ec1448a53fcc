"""The export of an ONNX model: its graph is described, and MLflow's wrapper is asked for answers.

Knows the order of things only; `onnx_graph` knows the session, `onnx_sample` the rows.
"""

import os
import time

import numpy as np

from sluis_worker.errors import class_name

from .builder import FORMAT, Builder
from .errors import NotCovered
from .frames import Frames
from .onnx_graph import Graph, fed_from_frame
from .onnx_sample import SECONDS, SLOWEST, WORDS, TensorAsker, Tensors, ask_tensors, example_columns, example_tensors
from .sample import Asker, Sampler

#: Rows of a frame that are asked at most.
ROWS = 4000


def export(order, loaded, encode):
    """Writes program and sample; the order's method has to be the wrapper's own."""
    if order["method"] != "predict":
        raise NotCovered("the method '{}' of an ONNX model has no native form".format(order["method"]))
    graph = Graph(loaded.model, order["model"])
    _hush()

    def predict(data):
        return loaded.predict(data, None)

    builder = Builder(order["kinds"], order["names"])
    if order["tensors"] is None:
        description, asker = _from_frames(order, builder, graph, loaded, predict, encode)
    else:
        description, asker = _from_tensors(order, graph, loaded, predict, encode)
    head = {"format": FORMAT, "name": "ONNX model", "inputs": order["kinds"], "names": order["names"], "graph": description, "ulps": 0}
    builder.arrays.write(os.path.join(order["out"], "program"), head)
    asker.arrays.write(os.path.join(order["out"], "sample"), {"format": 1, "sets": asker.sets})


def _hush():
    """Rows that the graph refuses are asked on purpose: what the library writes about them tells nobody anything."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)


def _from_tensors(order, graph, loaded, predict, encode):
    specs = order["tensors"]
    tensors = Tensors(specs, graph.inputs)
    if specs[0]["name"] is None:
        if len(graph.inputs) != 1:
            raise NotCovered("one tensor for a graph of {} inputs".format(len(graph.inputs)))
        description = graph.describe([specs[0]["dtype"]], "tensor")
    else:
        by_name = {spec["name"]: spec["dtype"] for spec in specs}
        if set(by_name) != {name for name, _, _ in graph.inputs}:
            raise NotCovered("the tensors of the signature are not the inputs of the graph")
        description = graph.describe([by_name[name] for name, _, _ in graph.inputs], "tensors")
    asker = TensorAsker(tensors, predict, encode, tables=True)
    ask_tensors(asker, tensors, example_tensors(loaded, specs))
    return description, asker


def _from_frames(order, builder, graph, loaded, predict, encode):
    kinds, names = order["kinds"], order["names"]
    example = example_columns(loaded, names, kinds)
    for place, kind in enumerate(kinds):
        if kind == "string":
            builder.known_texts[place].update(WORDS if example is None else example[place])
    frames, sampler = Frames(kinds, names, None), Sampler(builder)
    fed, form = fed_from_frame(frames.make(sampler.usual(5)), graph.inputs)
    description = graph.describe(fed, form)
    asker = Asker(frames, predict, encode, tables=True)
    shape = graph.inputs[0][2]
    batch = shape[0] if shape and isinstance(shape[0], int) and shape[0] > 0 else None
    make = _choose(asker, sampler, example, batch or 3)
    rows = _rows(asker, make, batch)
    if batch is None:
        asker.ask(make(rows), rows)
        whole = make(16)
        for count in (1, 2, 3, 5, 7):
            for start in range(0, 16 - count, count):
                asker.ask([column[start : start + count] for column in whole], count)
        if example is not None:
            asker.ask([column[:500] for column in example], min(500, len(example[0])))
    else:
        for _ in range(rows // batch):
            asker.ask_whole(make(batch), batch)
    width = len(kinds)
    odd = sampler.odd(min(640, 30 * width))
    step = batch or width
    for start in range(0, len(odd[0]) - step + 1, step):
        part = [column[start : start + step] for column in odd]
        (asker.ask if batch is None else asker.ask_whole)(part, step)
    return description, asker


def _choose(asker, sampler, example, rows):
    """The first way of making columns that the model takes."""
    random = np.random.RandomState(911)

    def small(count):
        """Small and never negative: numbers that may stand for words or categories."""
        return [column if isinstance(column, list) else (np.abs(np.asarray(column)) > 1) * 1 for column in sampler.usual(count)]

    def given(count):
        chosen = [random.randint(0, len(column), count) for column in example]
        return [[column[row] for row in rows] if isinstance(column, list) else column[rows] for column, rows in zip(example, chosen)]

    for way in [sampler.usual, small] + ([given] if example is not None else []):
        data = way(rows)
        if asker.differs(data) is None:
            continue
        if any(asker.differs(data) for _ in range(3)):
            raise NotCovered("Python answers the same rows in two ways")
        return way
    raise NotCovered("Python raised on usual rows: {}".format(class_name(asker.raised)))


def _rows(asker, make, batch):
    """How many rows Python answers in the time that a start may take."""
    count = batch or 16
    data, start = make(count), time.perf_counter()
    asker.differs(data)
    seconds = (time.perf_counter() - start) / 2 / count
    if seconds > SLOWEST:
        raise NotCovered("a row takes {:.0f} ms: work that long stays in a process that can be ended".format(seconds * 1000))
    return int(min(ROWS, max(1200, SECONDS / max(seconds, 1e-6))))
