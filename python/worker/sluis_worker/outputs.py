"""From what a model returned to the answer's frame: dense where numbers allow it, Arrow for plain frames, else JSON.

The rules keep one promise: what the parent writes from a dense or Arrow answer is what MLflow's scoring server writes
from the value itself. Whatever is in doubt goes the JSON way, which is MLflow's own function. Knows no sockets.
"""

import io
import re

import numpy as np
import pandas as pd

from .protocol import ARROW_ANSWER, DENSE_ANSWER, HEAD_LIMIT, JSON_ANSWER

_NAMES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split()

#: numpy's names by type, in either byte order: a name costs numpy more than sending the array. float16 and longer floats go
#: as JSON.
_DENSE = {np.dtype(name).newbyteorder(order): name for name in _NAMES for order in "<>"}

_LITTLE = {name: np.dtype(name).newbyteorder("<") for name in _NAMES}


class Unserializable(Exception):
    """The value has no JSON form under MLflow's rules; the cause tells why."""


def encode(value, predictions_to_json):
    """(kind, head, chunks) for any value; `predictions_to_json` is that of the MLflow at hand."""
    kind = type(value)
    if kind is np.ndarray:
        if value.ndim > 0 and value.dtype in _DENSE:
            return _dense(value, None)
    elif kind is pd.DataFrame:
        answer = _frame(value)
        if answer is not None:
            return answer
    elif kind is pd.Series and (value.name is None or isinstance(value.name, str)):
        # MLflow writes a series as the frame of one column.
        answer = _frame(value.to_frame("0" if value.name is None else value.name))
        if answer is not None:
            return answer
    return _json(value, predictions_to_json)


def _dense(array, columns):
    name = _DENSE[array.dtype]
    array = np.ascontiguousarray(array, dtype=_LITTLE[name])
    head = {"dtype": name, "shape": list(array.shape)}
    if columns is not None:
        head["columns"] = columns
    chunks = [array.reshape(-1).view(np.uint8).data] if array.nbytes else []
    return DENSE_ANSWER, head, chunks


def _frame(frame):
    columns = _column_names(frame)
    if columns is None:
        return None
    dtypes = frame.dtypes.tolist()
    first = dtypes[0]
    if isinstance(first, np.dtype) and first in _DENSE and all(dtype == first for dtype in dtypes):
        return _dense(frame.to_numpy(), columns)
    return _arrow(frame, columns)


#: The labels of the last frame and their keys: models that answer frames name the same columns each time.
_last_labels = [None, None]


def _column_names(frame):
    """The keys of MLflow's records; None where they are not plain or not unique."""
    columns = frame.columns
    # An index is never changed, so the same object has the same labels.
    if columns is not _last_labels[0]:
        _last_labels[:] = columns, _keys(columns)
    return _last_labels[1]


def _keys(columns):
    labels = columns.tolist()
    if not labels or columns.nlevels != 1:
        return None
    if all(type(label) is int for label in labels):
        labels = [str(label) for label in labels]
    elif not all(type(label) is str for label in labels):
        return None
    if len(set(labels)) != len(labels) or not all(map(_is_text, labels)):
        return None
    if sum(map(len, labels)) > HEAD_LIMIT // 8:
        return None
    return labels


def _arrow(frame, columns):
    try:
        import pyarrow
    except ImportError:
        return None
    arrays = []
    for position in range(len(columns)):
        array = _arrow_column(frame.iloc[:, position], pyarrow)
        if array is None:
            return None
        arrays.append(array)
    batch = pyarrow.RecordBatch.from_arrays(arrays, names=columns)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return ARROW_ANSWER, {}, [memoryview(sink.getvalue())]


def _arrow_column(column, pyarrow):
    """The column's values as they are (a NaN stays a NaN); None where Arrow cannot say the same."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype in _DENSE:
        return pyarrow.array(column.to_numpy(), from_pandas=False)
    if dtype != object and not isinstance(dtype, pd.StringDtype):
        return None
    values = column.to_numpy(dtype=object)
    if not all(type(value) is str for value in values):
        return None
    try:
        return pyarrow.array(values, type=pyarrow.large_string(), from_pandas=False)
    except (UnicodeEncodeError, pyarrow.ArrowException):
        return None


def _is_text(label):
    return re.search("[\ud800-\udfff]", label) is None


def _json(value, predictions_to_json):
    document = io.StringIO()
    try:
        predictions_to_json(value, document)
        body = document.getvalue().encode("utf-8")
    except Exception as error:
        raise Unserializable() from error
    return JSON_ANSWER, {}, [body]
