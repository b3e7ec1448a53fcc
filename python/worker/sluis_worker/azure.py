"""Requests to `/score` under `--strictness azure`: decoded, cast and answered the way that Azure's scoring of MLflow models does.

A *sample* follows from the model (signature, flavors, saved example) and decides how `input_data` is decoded: a split
frame cast to the sample's dtypes, an array of the sample's dtype, a dict of those, or the value itself where there is no
sample. What no sample decodes is read by its shape. docs/azure.md describes the rules; the casts are those of the
environment's own pandas and numpy. Knows requests and answers, nothing of frames.
"""

import io
import json
import os
import time
from urllib.parse import parse_qs

import numpy as np
import pandas as pd

from . import logs

PATH = "/score"

_SCRIPT_ERROR = "An unexpected error occurred in scoring script. Check the logs for more info."
_INTERNAL_ERROR = "An unexpected internal error occurred. Check the logs for more info."

#: The dtype that a column of the type has in a frame.
_COLUMN_DTYPES = {
    "boolean": np.dtype("bool"),
    "integer": np.dtype("int32"),
    "long": np.dtype("int64"),
    "float": np.dtype("float32"),
    "double": np.dtype("float64"),
    "string": np.dtype("object"),
    "binary": np.dtype("object"),
    "datetime": np.dtype("datetime64[ns]"),
}

#: Flavors whose models take text and what holds text.
_TEXT_FLAVORS = ("transformers", "langchain", "openai")
_UNPARSED_FLAVOR = "hftransformersv2"


class Refused(Exception):
    """The request is none that the model can be asked with; the text is the answer's message, the status 400."""


class Script:
    """One loaded model, asked the way of Azure. An application like MLflow's own: it answers whole requests."""

    def __init__(self, model, metadata, folder):
        self._model = model
        self._flavors = frozenset(metadata.flavors or {})
        self._decoder = _decoder(metadata, self._flavors, folder)
        # MLflow before 2.6 knows no params, and its `predict` takes none.
        self._takes_params = hasattr(metadata, "get_params_schema")
        self._params_declared = self._takes_params and metadata.get_params_schema() is not None

    def answer(self, method, path, _headers, body):
        """(status, headers, body) of one request; never raises for what a caller or the model did."""
        try:
            value, params = self._read(method, path, body)
        except Refused as refusal:
            return _error(400, str(refusal), failed=False)
        except Exception as error:
            logs.report("a request could not be read:", error)
            return _error(500, _INTERNAL_ERROR, failed=False)
        started = time.perf_counter()
        try:
            answer = _plain(self._run(value, params))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            logs.report("the model or the decoding of its input raised", error)
            return _error(500, _SCRIPT_ERROR, failed=True)
        elapsed = (time.perf_counter() - started) * 1000
        try:
            document = json.dumps({} if answer is None else answer)
        except Exception as error:
            logs.report("the model's answer cannot be written:", error)
            return _error(500, _INTERNAL_ERROR, failed=False)
        headers = [["x-ms-run-fn-exec-ms", "{:.3f}".format(elapsed)]]
        return _response(200, document, False, headers)

    def _read(self, method, path, body):
        """The values of `input_data` and `params`."""
        if method == "GET":
            request = _from_query(path.partition("?")[2])
        else:
            request = _from_body(body)
        if "input_data" not in request:
            raise Refused("A value is not provided for the 'input_data' parameter.")
        return request["input_data"], request.get("params")

    def _run(self, value, params):
        if self._params_declared and params is not None and not isinstance(params, dict):
            raise TypeError("params must be an object of names and values, not {}".format(type(params).__name__))
        if self._decoder is not None:
            value = self._decoder(value)
        if not _is_decoded(value):
            if self._flavors.intersection(_TEXT_FLAVORS) or _UNPARSED_FLAVOR in self._flavors:
                value, params = self._parse_text(value, params)
            else:
                value = _parse(value)
        if self._takes_params:
            return self._model.predict(value, params=params)
        return self._model.predict(value)

    def _parse_text(self, value, params):
        """What models of text get: text, lists and objects of text as they are, all else as arrays and frames."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                if _UNPARSED_FLAVOR in self._flavors:
                    raise
        if isinstance(value, str):
            return value, params
        if "input_data" in value:
            value = value["input_data"]
        if _UNPARSED_FLAVOR in self._flavors:
            return value, params
        if "transformers" in self._flavors and isinstance(value, dict) and "parameters" in value:
            params = value["parameters"]
            value = {key: item for key, item in value.items() if key != "parameters"}
        if "transformers" in self._flavors and isinstance(value, dict) and set(value) == {"input_string"}:
            value = value["input_string"]
        if isinstance(value, str):
            return value, params
        if isinstance(value, list):
            return _list_of_text(value), params
        if not _is_split(value) and all(_is_text(item) for item in value.values()):
            return value, params
        return _frame_or_arrays(value), params


def _from_query(query):
    """A request in the query of a GET: JSON where it is, text where it is not, a list where a name repeats."""
    request = {}
    for name, texts in parse_qs(query, keep_blank_values=True).items():
        values = [_json_or_text(text) for text in texts]
        request[name] = values[0] if len(values) == 1 else values
    return request


def _json_or_text(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def _from_body(body):
    if not len(body):
        raise Refused("POST body is empty. Expecting a JSON dictionary.")
    try:
        request = json.loads(bytes(body))
    except json.JSONDecodeError as error:
        # Names the place and what was expected there, and quotes nothing.
        raise Refused("POST body could not be decoded as JSON: {}".format(error)) from None
    if not isinstance(request, dict):
        raise Refused("POST body should be a JSON dictionary.")
    return request


def _decoder(metadata, flavors, folder):
    """The function that decodes `input_data` under the model's sample; None without a sample."""
    schema = metadata.get_input_schema()
    if schema is None:
        example = _example_frame(metadata, folder)
        return None if example is None else _FrameDecoder(dict(example.dtypes))
    if schema.is_tensor_spec():
        names = schema.input_names()
        dtypes = [np.zeros(1, item.type).dtype for item in schema.inputs]
        if len(dtypes) == 1 and not schema.has_input_names():
            return _ArrayDecoder(dtypes[0])
        return _ArraysDecoder(dict(zip(names, dtypes)))
    if "transformers" in flavors:
        return _ContainerDecoder(dict if schema.has_input_names() else list)
    names = schema.input_names() if schema.has_input_names() else range(len(schema.inputs))
    types = [getattr(item.type, "name", None) for item in schema.inputs]
    # Columns of any other type keep Azure's server from starting, so no request comes here with one.
    return _FrameDecoder({name: _COLUMN_DTYPES.get(kind, np.dtype("object")) for name, kind in zip(names, types)})


def _example_frame(metadata, folder):
    """The saved example of a model without signature, where it is a frame that can be read."""
    info = metadata.saved_input_example_info or {}
    if info.get("type") != "dataframe" or not info.get("artifact_path"):
        return None
    try:
        with open(os.path.join(folder, info["artifact_path"]), encoding="utf-8") as file:
            example = json.load(file)
        return pd.DataFrame(example["data"], columns=example["columns"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _FrameDecoder:
    """A split frame, cast column by column; what the sample lacks is not cast."""

    def __init__(self, dtypes):
        self._dtypes = dtypes

    def __call__(self, value):
        frame = _split_frame(value)
        unknown = np.dtype("object")
        return frame.astype({column: self._dtypes.get(column, unknown) for column in frame.columns})


class _ArrayDecoder:
    """A list of any depth as an array."""

    def __init__(self, dtype):
        self._dtype = dtype

    def __call__(self, value):
        if not isinstance(value, list):
            raise TypeError("input_data must be a list, not {}".format(type(value).__name__))
        return np.array(value, dtype=self._dtype)


class _ArraysDecoder:
    """An object of lists as a dict of arrays; what the sample lacks stays as it is."""

    def __init__(self, dtypes):
        self._decoders = {name: _ArrayDecoder(dtype) for name, dtype in dtypes.items()}

    def __call__(self, value):
        if not isinstance(value, dict):
            raise TypeError("input_data must be an object, not {}".format(type(value).__name__))
        return {
            name: self._decoders[name](item) if name in self._decoders else item for name, item in value.items()
        }


class _ContainerDecoder:
    """A list or an object whose items are not looked at."""

    def __init__(self, kind):
        self._kind = kind

    def __call__(self, value):
        if not isinstance(value, self._kind):
            raise TypeError("input_data must be a {}, not a {}".format(self._kind.__name__, type(value).__name__))
        return value


def _is_decoded(value):
    if isinstance(value, dict):
        return all(isinstance(item, np.ndarray) for item in value.values()) and len(value) > 0
    return isinstance(value, (pd.DataFrame, np.ndarray))


def _parse(value):
    """A value without a sample, by its shape. Raises for what is no list, no object, and no JSON text of one."""
    if "input_data" in value:
        value = value["input_data"]
    if isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, list):
        return np.array(value)
    return _frame_or_arrays(value)


def _is_split(value):
    return all(key in value for key in ("columns", "index", "data"))


def _frame_or_arrays(value):
    if _is_split(value):
        return _split_frame(value)
    return {name: np.array(item) for name, item in value.items()}


def _split_frame(value):
    """The frame of a split object, typed as pandas types its cells: dates in columns that are named like dates."""
    if not isinstance(value, dict):
        raise TypeError("a frame must be an object with 'columns' and 'data', not {}".format(type(value).__name__))
    return pd.read_json(io.StringIO(json.dumps(value)), orient="split", dtype=False)


def _is_text(value):
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _list_of_text(value):
    if all(isinstance(item, str) for item in value):
        return value
    if all(isinstance(item, dict) for item in value):
        if all(_is_text(text) for item in value for text in item.values()):
            return value
        raise TypeError("a list of objects must hold texts and lists of texts only")
    return np.array(value)


def _plain(answer):
    """Arrays as lists, frames and series as records, anything else as it is."""
    if isinstance(answer, np.ndarray):
        return answer.tolist()
    if isinstance(answer, pd.Series):
        answer = pd.DataFrame(answer)
    if isinstance(answer, pd.DataFrame):
        return answer.to_dict(orient="records")
    return answer


def _error(status, message, failed):
    return _response(status, json.dumps({"message": message}), failed, [])


def _response(status, document, failed, headers):
    headers = [["content-type", "application/json"], ["x-ms-run-function-failed", str(failed)]] + headers
    return status, headers, document.encode("utf-8", "backslashreplace")
