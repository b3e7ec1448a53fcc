"""How to start each server for a model on a port, and how to end it.  PEERS[name](model) -> Peer."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from measure import post
from payloads import HOME, MODELS, content_type, payload

LOGS = HOME / "logs"
SLUIS = Path(os.environ.get("SLUIS_BIN") or Path(__file__).resolve().parent.parent / "target/release/sluis").resolve()


class Peer:
    """One server under test, in its own process group."""

    def __init__(self, name, command, style="split"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.name = name
        self.style = style
        self.command = [str(part) for part in [*command, "--port", port]]
        self.url = f"http://127.0.0.1:{port}/invocations"
        self.process = None
        self.begun = None

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        self.begun = time.perf_counter()
        with open(LOGS / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(self.command, env=env, cwd=LOGS, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        return self

    def wait_ready(self, model, limit=120):
        """Seconds from the start of the process to the first 200 on a scoring request."""
        body, last = payload(model, 1, self.style).read_bytes(), "no answer"
        while time.perf_counter() - self.begun < limit:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}; see {LOGS / self.name}.log")
            try:
                status, raw, _ = post(self.url, content_type(self.style), body, timeout=limit)
                if status == 200:
                    return time.perf_counter() - self.begun
                last = f"{status} {raw[:200]!r}"
            except OSError as error:
                last = str(error)
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} was not ready in {limit} s: {last}")

    def stop(self):
        """Ends the process group that this object started, and only that one."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None


def mlflow(name, *options):
    def make(model):
        serve = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--host", "127.0.0.1"]
        return Peer(name, [*serve, "-m", MODELS / model, *options])

    return make


def sluis(name, *options):
    def make(model):
        serve = [SLUIS, "serve", MODELS / model, "--env-manager", "local", "--python", sys.executable]
        return Peer(name, [*serve, *options])

    return make


# One Python process each, but for those that say otherwise.
PEERS = {
    "mlflow": mlflow("mlflow"),
    "mlflow-w2": mlflow("mlflow-w2", "--workers", "2"),
    "sluis": sluis("sluis"),
    "sluis-python": sluis("sluis-python", "--scorer", "python"),
    "sluis-python-w2": sluis("sluis-python-w2", "--scorer", "python", "--workers", "2"),
}
