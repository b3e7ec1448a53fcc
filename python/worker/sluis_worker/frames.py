"""Arrays and frames between the data channel and the model.

Dense blocks become numpy views without a copy; frames of several types travel as Arrow.
"""

from . import protocol

DENSE = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
}  # fmt: skip
ARROW_KINDS = "biuf"


class Decoder:
    """Turns calls into what `predict` takes; keeps the column index from call to call."""

    def __init__(self, columns):
        self._columns = columns
        self._index = None

    def frame(self, head, body):
        """A DataFrame over the block, in well under 20 µs."""
        import numpy
        import pandas

        if self._index is None:
            self._index = pandas.Index(self._columns)
        array = numpy.frombuffer(body, head["dtype"]).reshape(head["shape"])
        return pandas.DataFrame(array, columns=self._index, copy=False)

    @staticmethod
    def tensor(head, body):
        import numpy

        return numpy.frombuffer(body, head["dtype"]).reshape(head["shape"])

    @staticmethod
    def tensors(head, body):
        import numpy

        view, start, out = memoryview(body), 0, {}
        for tensor in head["tensors"]:
            end = start + tensor["length"]
            # A copy, since a block may begin at an address that its type is not aligned to.
            array = numpy.frombuffer(view[start:end].tobytes(), tensor["dtype"]).reshape(tensor["shape"])
            out[tensor["name"]] = array.copy()
            start = end
        return out

    @staticmethod
    def arrow(_head, body):
        import pyarrow

        with pyarrow.ipc.open_stream(pyarrow.py_buffer(body)) as reader:
            return reader.read_pandas()


def answer(prediction):
    """(kind, head, body) of a prediction."""
    import numpy
    import pandas

    if isinstance(prediction, numpy.ndarray) and prediction.ndim > 0 and str(prediction.dtype) in DENSE:
        return protocol.ANSWER_DENSE, *_dense(numpy, prediction)
    if isinstance(prediction, pandas.DataFrame):
        tabular = _frame(numpy, prediction)
        if tabular is not None:
            return tabular
    return protocol.ANSWER_JSON, {}, as_json(prediction)


def _dense(numpy, array):
    array = numpy.ascontiguousarray(array)
    head = {"dtype": str(array.dtype), "shape": list(array.shape)}
    return head, array.reshape(-1) if array.size else b""


def _frame(numpy, frame):
    """A frame of plain types with text names; None when JSON must carry it."""
    names = list(frame.columns)
    plain = names and all(type(name) is str for name in names) and len(set(names)) == len(names)
    if not plain:
        return None
    dtypes = list(frame.dtypes)
    if all(dtype == dtypes[0] for dtype in dtypes) and str(dtypes[0]) in DENSE:
        head, body = _dense(numpy, frame.to_numpy())
        head["columns"] = names
        return protocol.ANSWER_DENSE, head, body
    if not all(_arrow_column(numpy, frame[name]) for name in names):
        return None
    return _arrow(frame)


def _arrow_column(numpy, column):
    dtype = column.dtype
    if isinstance(dtype, numpy.dtype) and dtype.kind in ARROW_KINDS:
        return str(dtype) in DENSE
    is_text = str(dtype) == "str" or (dtype == object and all(type(value) is str for value in column))
    return is_text and not column.isna().any()


def _arrow(frame):
    try:
        import pyarrow
    except ImportError:
        return None
    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return protocol.ANSWER_ARROW, {}, sink.getvalue()


def as_json(prediction):
    """The response body as the environment's own MLflow writes it."""
    from io import StringIO

    from mlflow.pyfunc.scoring_server import predictions_to_json

    from .errors import Unserializable

    text = StringIO()
    try:
        predictions_to_json(prediction, text)
    except Exception as error:
        raise Unserializable(str(error)) from error
    return text.getvalue().encode()
