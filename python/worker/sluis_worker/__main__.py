"""Starts the worker: handshake, load, then calls until told to stop."""

import os
import socket
import sys
import time
import traceback
from importlib import metadata

from . import protocol
from .control import Control


def main():
    control = Control()
    control.send({"type": "hello", "protocol": protocol.VERSION, "python": sys.version.split()[0], "pid": os.getpid()})
    order = control.receive()
    if order.get("type") != "load" or order.get("protocol") != protocol.VERSION:
        text = "this worker speaks protocol %d, the server asked for %s" % (protocol.VERSION, order.get("protocol"))
        control.send({"type": "failed", "stage": "protocol", "class": "ProtocolError", "message": text})
        return 2
    scorer = load(control, order)
    if scorer is None:
        return 3
    data = socket.socket(fileno=protocol.DATA_FD)
    # Ends the wait for the next call; a running call is answered first.
    control.watch(lambda: data.shutdown(socket.SHUT_RD))
    serve(data, scorer, order["max_body"], control)
    return 0


def load(control, order):
    """A scorer, or None after the parent was told why not."""
    start, stage = time.perf_counter(), "import"
    try:
        from . import loader
        from .scorer import Scorer

        import mlflow.pyfunc  # noqa: F401  the import is the stage

        stage = "load"
        scorer = Scorer(loader.load(order["model"]), order["columns"])
        if order["raw"] == "eager":
            scorer.prepare_raw()
    except (Exception, SystemExit) as error:
        message = {"type": "failed", "stage": stage, "class": type(error).__name__, "message": str(error)[:4000]}
        traceback.print_exc()
        control.send(message)
        return None
    versions = {name: version(name) for name in ("mlflow", "pandas", "numpy", "pyarrow")}
    control.send({"type": "ready", "versions": versions, "load_ms": round((time.perf_counter() - start) * 1000)})
    return scorer


def version(name):
    for package in (name, name + "-skinny"):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return None


def serve(data, scorer, max_body, control):
    from . import framing

    while not control.stopping.is_set():
        frame = framing.read_frame(data, max_body)
        if frame is None:
            return
        kind, call_id, head, body = frame
        kind, head, body = scorer.answer(kind, head, body)
        framing.write_frame(data, kind, call_id, head, body)


if __name__ == "__main__":
    sys.exit(main())
