"""The worker's life: handshake, load, calls, end.

Knows the order of things; each thing itself is another module's.
"""

import gc
import os
import socket
import sys
import threading
import time

from . import logs, protocol
from .control import Control
from .errors import ProtocolError, describe
from .framing import FrameReader, encode_head, write_frame


def main():
    """Serves the parent whose sockets were inherited; their numbers are the arguments, 3 and 4 by default."""
    numbers = [int(argument) for argument in sys.argv[1:3]] or [3, 4]
    del sys.argv[1:]  # Models that read arguments shall not find ours.
    logs.prepare()
    # MLflow's own server has the current folder on its path; last here, so that it hides nothing.
    sys.path.append(os.getcwd())
    control_socket, data_socket = (_adopt(number) for number in numbers)
    worker = Worker(Control(control_socket), data_socket)
    sys.exit(worker.run())


def _adopt(number):
    """The inherited socket; children of the model must not keep it open, else our end would go unseen."""
    sock = socket.socket(fileno=number)
    sock.set_inheritable(False)
    os.register_at_fork(after_in_child=sock.close)
    return sock


class Worker:
    """One process, one model, one call at a time."""

    def __init__(self, control, data):
        self._control = control
        self._data = data
        self._stopping = threading.Event()

    def run(self):
        """The exit code: 0 after `stop`, 1 where the model could not be served."""
        self._control.send(
            {
                "type": "hello",
                "protocol": protocol.VERSION,
                "python": "{}.{}.{}".format(*sys.version_info[:3]),
                "pid": os.getpid(),
            }
        )
        message = self._control.receive()
        if message is None:
            return 1
        refusal = _refusal(message)
        if refusal is not None:
            return self._fail("protocol", {"class": "ProtocolError", "message": refusal})
        self._control.watch(self._stop)
        scorer = self._load(message)
        if scorer is None:
            return 1
        return self._serve(scorer, message.get("max_body") or protocol.DEFAULT_BODY_LIMIT)

    def _stop(self):
        """Called in the control thread: the running call is finished, no other begun."""
        self._stopping.set()
        try:
            self._data.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # The parent closed it already.

    def _load(self, message):
        started = time.perf_counter_ns()
        try:
            from . import loader, scorer
        except Exception as error:
            logs.report_load(error)
            self._fail("import", describe(error))
            return None
        try:
            loaded = loader.load(message["model"])
            made = scorer.Scorer(loaded, message.get("columns"), message.get("raw") == "eager")
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            logs.report_load(error)
            self._fail("load", describe(error))
            return None
        load_ms = (time.perf_counter_ns() - started) // 1000000
        ready = {"type": "ready", "direct": loaded.direct, "methods": list(loaded.methods)}
        ready.update(versions=_versions(), load_ms=load_ms)
        if not self._stopping.is_set():
            self._control.send(ready)
        return made

    def _fail(self, stage, details):
        failed = {"type": "failed", "stage": stage}
        failed.update(details)
        self._control.send(failed)
        return 1

    def _serve(self, scorer, body_limit):
        logs.be_discreet()
        # What was loaded stays: no collection of garbage has to walk through it again, which takes a tenth of a second and more.
        gc.freeze()
        reader = FrameReader(self._data, body_limit)
        call = 0
        while not self._stopping.is_set():
            try:
                frame = reader.read()
                if frame is None:
                    return 0
                kind, call, head, body = frame
                answer, answer_head, chunks = scorer.score(kind, head, body)
            except ProtocolError as error:
                # The stream cannot be trusted any more: one last word, then the end.
                head = dict(describe(error), kind="protocol", predict_ns=0)
                write_frame(self._data, protocol.ERROR_ANSWER, call, encode_head(head), [])
                return 1
            size = sum(memoryview(chunk).nbytes for chunk in chunks)
            if size > body_limit:
                text = "the answer has {} bytes, the limit is {}".format(size, body_limit)
                answer, chunks = protocol.ERROR_ANSWER, []
                answer_head = {"kind": "unserializable", "class": "OverflowError", "message": text, "predict_ns": 0}
            write_frame(self._data, answer, call, encode_head(answer_head), chunks)
        return 0


def _refusal(message):
    """Why this first message cannot be followed; None where it can."""
    if message["type"] != "load":
        return "expected 'load' as the first message, got {!r}".format(message["type"])
    if message.get("protocol") != protocol.VERSION:
        return "the server speaks version {!r} of the worker protocol, this worker speaks version {}".format(
            message.get("protocol"), protocol.VERSION
        )
    if not isinstance(message.get("model"), str):
        return "'load' must name the model's folder as 'model'"
    return None


def _versions():
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("mlflow", "pandas", "numpy", "pyarrow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    if found["mlflow"] is None:
        import mlflow

        found["mlflow"] = mlflow.__version__
    return found
