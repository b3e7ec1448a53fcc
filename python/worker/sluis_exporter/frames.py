"""Inputs as the worker makes them from decoded payloads, so that the model is asked as it will be. Knows no model."""

import numpy as np

from sluis_worker.inputs import InputDecoder

_NUMPY = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64"}


class Frames:
    """Makes inputs of one layout."""

    def __init__(self, kinds, names, tensor):
        self._kinds, self._names, self._tensor = kinds, names, tensor
        self._decoder = InputDecoder(names)

    def make(self, columns):
        """One input; `columns` are sequences of equal length."""
        if self._tensor is not None or len(set(self._kinds)) == 1 and self._kinds[0] != "string":
            dtype = np.dtype(self._tensor or _NUMPY[self._kinds[0]])
            matrix = np.column_stack([np.asarray(column).astype(dtype) for column in columns])
            head = {"dtype": dtype.name, "shape": list(matrix.shape)}
            head["as"] = "frame" if self._tensor is None else "tensor"
            return self._decoder.dense(head, bytearray(np.ascontiguousarray(matrix).tobytes()))
        return self._decoder.arrow(self._stream(columns))

    def _stream(self, columns):
        import pyarrow

        arrays = []
        for kind, column in zip(self._kinds, columns):
            if kind == "string":
                arrays.append(pyarrow.array(list(column), type=pyarrow.string()))
            else:
                arrays.append(pyarrow.array(np.asarray(column).astype(_NUMPY[kind]), from_pandas=False))
        batch = pyarrow.RecordBatch.from_arrays(arrays, names=list(self._names))
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return sink.getvalue()
