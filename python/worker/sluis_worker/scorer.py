"""Carries out calls: decodes the payload, calls the model, encodes what it returned or raised.

Knows what MLflow's scoring server answers when a model raises; knows nothing of sockets.
"""

import json
import time

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, INTERNAL_ERROR, INVALID_PARAMETER_VALUE
from mlflow.pyfunc import scoring_server

from . import azure, logs, params, protocol
from .application import Application
from .errors import ProtocolError, describe, text
from .inputs import InputDecoder
from .outputs import Unserializable, encode

#: In MLflow 1, whatever a model raised was a bad request.
_ALWAYS_BAD_REQUEST = mlflow.__version__.startswith("1.")


class Scorer:
    """One loaded model."""

    def __init__(self, loaded, columns, raw_eager):
        self._loaded = loaded
        self._inputs = InputDecoder(columns)
        #: MLflow's application for each method that was asked for; the model's own function is None.
        self._applications = {None: Application(loaded.model)} if raw_eager else {}
        self._scripts = {}
        self._head = None
        self._parsed = None

    def score(self, kind, head, body):
        """(kind, head, chunks) of the answer to one call; `ProtocolError` where the call is none."""
        started = time.perf_counter_ns()
        head = self._parse(head)
        method = head.get("model_method")
        if method is not None and method not in self._loaded.methods:
            return self._no_method(method, started)
        if kind == protocol.RAW:
            return self._raw(head, body, method)
        given = params.decode(head["params"]) if "params" in head else None
        try:
            data = self._decode(kind, head, body)
        except ProtocolError:
            raise
        except Exception as error:
            # pyarrow missing or at odds with pandas: this call cannot be carried out, the next may.
            return _cannot(error, started)
        started = time.perf_counter_ns()
        try:
            if method is None:
                value = self._loaded.predict(data, given)
            else:
                value = _dense(self._loaded.methods[method](data))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return _model_error(error, data, started)
        elapsed = time.perf_counter_ns() - started
        try:
            answer, head, chunks = encode(value, scoring_server.predictions_to_json)
        except Unserializable as error:
            return _error("unserializable", error.__cause__, started)
        head["predict_ns"] = elapsed
        return answer, head, chunks

    def _parse(self, head):
        """Heads repeat from call to call; the last one is remembered. They are never changed."""
        if head != self._head:
            try:
                parsed = json.loads(head.decode("utf-8"))
            except ValueError as error:
                raise ProtocolError("the head of a call is not JSON: {}".format(error)) from None
            if not isinstance(parsed, dict):
                raise ProtocolError("the head of a call must be an object")
            self._head, self._parsed = head, parsed
        return self._parsed

    def _decode(self, kind, head, body):
        if kind == protocol.DENSE:
            return self._inputs.dense(head, body)
        if kind == protocol.ARROW:
            return self._inputs.arrow(body)
        if kind == protocol.TENSORS:
            return self._inputs.tensors(head, body)
        raise ProtocolError("unknown kind of call: {}".format(kind))

    def _raw(self, head, body, method):
        started = time.perf_counter_ns()
        path = head.get("path", "/invocations")
        try:
            by_azure = path.partition("?")[0] == azure.PATH
            application = self._script(method) if by_azure else self._application(method)
        except Exception as error:
            return _cannot(error, started)
        status, headers, payload = application.answer(
            head.get("method", "POST"), path, head.get("headers", []), body
        )
        elapsed = time.perf_counter_ns() - started
        return protocol.HTTP_ANSWER, {"status": status, "headers": headers, "predict_ns": elapsed}, [payload]

    def _application(self, method):
        """Made once for each method, of which there are few."""
        if method not in self._applications:
            model = self._loaded.model if method is None else self._loaded.enforcing(method)
            self._applications[method] = Application(model)
        return self._applications[method]

    def _script(self, method):
        """Likewise, for Azure's dialect."""
        if method not in self._scripts:
            model = self._loaded.model if method is None else self._loaded.enforcing(method)
            self._scripts[method] = azure.Script(model, self._loaded.model.metadata, self._loaded.folder)
        return self._scripts[method]

    def _no_method(self, method, started):
        """The server asks only for methods that `ready` named; one that does not is told here."""
        known = ", ".join(self._loaded.methods) or "none but its own predict function"
        message = "The model has no method {!r}; it has {}.".format(text(method), known)
        error = MlflowException(message, error_code=INVALID_PARAMETER_VALUE)
        return _error("mlflow", error, started, error)


def _dense(value):
    """Sparse matrices, which transformers may answer, have no JSON form of their own."""
    return value.toarray() if hasattr(value, "toarray") and hasattr(value, "nnz") else value


def _model_error(error, data, started):
    """What the model raised; for an MLflow exception with the response that MLflow's scoring server gives to it."""
    logs.report("the model raised", error)
    if not isinstance(error, MlflowException):
        return _error("model", error, started)
    if _ALWAYS_BAD_REQUEST:
        answer = MlflowException(error.message, error_code=BAD_REQUEST)
    else:
        answer = error
        answer.message = "Failed to predict data '{}'. \nError: {}".format(text(data), error.message)
    return _error("mlflow", error, started, answer)


def _cannot(error, started):
    """A call that this environment cannot carry out: no fault of the caller, and the next call may go well."""
    logs.report("this call cannot be carried out:", error)
    answer = MlflowException("The worker cannot carry out this call: {}".format(text(error)), INTERNAL_ERROR)
    return _error("worker", error, started, answer)


def _error(kind, error, started, answer=None):
    head = {"kind": kind, "predict_ns": time.perf_counter_ns() - started}
    head.update(describe(error))
    if answer is None:
        return protocol.ERROR_ANSWER, head, []
    head["status"] = answer.get_http_status_code()
    return protocol.ERROR_ANSWER, head, [answer.serialize_as_json().encode("utf-8", "backslashreplace")]
