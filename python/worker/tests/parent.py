"""The parent's end of a worker, as small as tests need it."""

import json
import os
import socket
import subprocess
import sys

PROGRAM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Parent:
    """Starts a worker of this interpreter and speaks both channels."""

    def __init__(self, python=sys.executable):
        self.control, control = socket.socketpair()
        self.data, data = socket.socketpair()
        for sock in (self.control, self.data):
            sock.settimeout(60)
        with control, data:
            fds = (control.fileno(), data.fileno())
            self.process = subprocess.Popen(
                [python, "-u", PROGRAM, str(fds[0]), str(fds[1])],
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._lines = self.control.makefile("rb")

    def send(self, message):
        self.control.sendall(json.dumps(message).encode() + b"\n")

    def receive(self):
        line = self._lines.readline()
        return json.loads(line.decode()) if line else None

    def close(self):
        """Closes every pipe, waits, and gives the exit code."""
        self._lines.close()
        self.control.close()
        self.data.close()
        try:
            self.process.wait(timeout=60)
        finally:
            self.process.kill()
        return self.process.returncode
