"""The control channel: one JSON document per line, both ways.

Knows the form of messages and watches for the parent's end; what `load` does is the worker's matter.
"""

import json
import os
import threading

from .errors import ProtocolError
from .protocol import LINE_LIMIT


class Control:
    """The worker's end of the control socket."""

    def __init__(self, sock):
        self._sock = sock
        self._lines = sock.makefile("rb")

    def send(self, message):
        """Sends one message."""
        self._sock.sendall(json.dumps(message).encode("ascii") + b"\n")

    def receive(self):
        """The next message, or None when the parent has gone."""
        line = self._lines.readline(LINE_LIMIT + 1)
        if not line.endswith(b"\n"):
            if len(line) > LINE_LIMIT:
                raise ProtocolError("a control message is longer than {} bytes".format(LINE_LIMIT))
            return None
        try:
            message = json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise ProtocolError("a control message is not JSON: {}".format(error)) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise ProtocolError("a control message must be an object with a text 'type'")
        return message

    def watch(self, on_stop):
        """Starts the thread that calls `on_stop` at `stop` and ends the process when the parent has gone."""
        threading.Thread(target=self._watch, args=(on_stop,), name="sluis-control", daemon=True).start()

    def _watch(self, on_stop):
        while True:
            try:
                message = self.receive()
            except (OSError, ProtocolError):
                message = None
            if message is None:
                # Nobody is left to answer to. No clean-up: the main thread may be stuck in the model.
                os._exit(1)
            if message["type"] == "stop":
                on_stop()
