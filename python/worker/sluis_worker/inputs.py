"""From the frames of a call to what a model's `predict` takes: DataFrame, ndarray, dict of ndarrays.

Knows numpy, pandas and Arrow; nothing of models. Arrays lie over the frame's own buffer, which is writable, so that a
model which changes its input in place finds what it finds under MLflow.
"""

import json

import numpy as np
import pandas as pd

from .errors import ProtocolError

_DTYPES = {
    name: np.dtype(name)
    for name in (
        "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split()
    )
}


class InputDecoder:
    """Decodes payloads; keeps the column index from one call to the next, since making one costs more than scoring."""

    def __init__(self, columns):
        self._default = None if columns is None else pd.Index(columns)
        self._names = None
        self._index = None

    def dense(self, head, body):
        """A frame or a tensor of one element type."""
        array = _array(head, body, 0, len(body))
        form = head.get("as")
        if form == "tensor":
            return array
        if form != "frame":
            raise ProtocolError("a dense payload is 'frame' or 'tensor', not {!r}".format(form))
        columns = self._columns(head.get("columns"))
        if array.ndim != 2 or array.shape[1] != len(columns):
            raise ProtocolError(
                "a frame of {} columns has the shape {}".format(len(columns), list(array.shape))
            )
        # Column by column, as MLflow's own frames lie in memory: a sum over another layout may differ in its last bit.
        return pd.DataFrame(np.asfortranarray(array), columns=columns, copy=False)

    def tensors(self, head, body):
        """Named tensors, in order."""
        specs = head.get("tensors")
        if not isinstance(specs, list):
            raise ProtocolError("the head of a tensors payload needs a list 'tensors'")
        return {spec["name"]: _array(spec, body, spec["offset"], spec["length"]) for spec in specs}

    def arrow(self, body):
        """A frame of several types, as pandas itself reads text, numbers and missing values."""
        import pyarrow.ipc

        with pyarrow.ipc.open_stream(body) as reader:
            table = reader.read_all()
        return _dressed(table.to_pandas(), table.schema)

    def _columns(self, names):
        if names is None:
            if self._default is None:
                raise ProtocolError("a frame without column names, and 'load' named none")
            return self._default
        if names != self._names:
            self._names, self._index = names, _numbered(names) if isinstance(names, int) else pd.Index(names)
        return self._index


def _dressed(frame, schema):
    """The frame with what Arrow has no type for: numbers as column labels, columns of Python objects."""
    for name, field in zip(schema.names, schema):
        form = (field.metadata or {}).get(b"sluis.as")
        if form == b"object":
            frame[name] = frame[name].astype(object)
        elif form == b"json":
            frame[name] = _objects([json.loads(text) for text in frame[name]])
        elif form == b"numpy":
            scalar = np.bytes_ if frame[name].map(type).eq(bytes).all() else np.str_
            frame[name] = _objects([scalar(value) for value in frame[name]])
    if (schema.metadata or {}).get(b"sluis.columns") == b"numbered":
        frame.columns = _numbered(len(schema.names))
    return frame


def _objects(values):
    array = np.empty(len(values), object)
    for position, value in enumerate(values):
        array[position] = value
    return pd.Series(array, dtype=object)


def _numbered(count):
    """The labels that pandas itself gives to columns that it is handed by number."""
    return pd.DataFrame({number: [] for number in range(count)}).columns


def _text(shape, length):
    """Texts of one width, of four bytes a character; the width follows from the number of bytes."""
    count = 1
    for extent in shape:
        count *= extent
    return np.dtype("<U{}".format(max(length // (4 * count), 1) if count else 1))


def _array(spec, body, offset, length):
    shape = spec.get("shape")
    dtype = _text(shape, length) if spec.get("dtype") == "str" else _DTYPES.get(spec.get("dtype"))
    if dtype is None or not isinstance(shape, list):
        raise ProtocolError("a tensor needs a known 'dtype' and a 'shape', got {!r}".format(spec))
    count = 1
    for extent in shape:
        count *= extent
    if count * dtype.itemsize != length or offset + length > len(body):
        raise ProtocolError("{} bytes do not fit {} of shape {}".format(length, dtype, shape))
    if count == 0:
        return np.empty(shape, dtype)  # frombuffer refuses an empty buffer.
    if offset % dtype.itemsize:
        # Parts of a body need not be aligned; some native code demands it.
        return np.frombuffer(bytearray(body[offset : offset + length]), dtype).reshape(shape)
    return np.ndarray(shape, dtype, body, offset)
