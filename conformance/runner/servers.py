"""Starts the server under test for one set-up, waits until it is ready, ends it and whatever it left behind.

Every process started here runs in its own process group and carries a mark in its environment; by that mark (Linux
only) we notice processes that outlive their server. Knows no rows and no comparison.
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

HOST = "127.0.0.1"
READY_SECONDS = 180  # MLflow needs about 14 s on two idle cores; a loaded machine may need ten times that
STOP_SECONDS = 20
MARK = "SLUIS_CONFORMANCE_MARK"


class NotStarted(Exception):
    """The server ended, or did not become ready in time; the message holds the end of its log."""


def sluis_command(binary, python, extra=()):
    """How Sluis serves a model folder on a port."""

    def command(model, port, args):
        options = ["--host", HOST, "--port", str(port), "--env-manager", "local", "--python", str(python)]
        return [str(binary), "serve", str(model), *options, *extra, *args]

    return command


def mlflow_command(python, extra=()):
    """How MLflow serves a model folder on a port, with the packages of `python`."""

    def command(model, port, args):
        options = ["-m", str(model), "-h", HOST, "-p", str(port), "--env-manager", "local"]
        return [str(python), "-m", "mlflow", "models", "serve", *options, *extra, *args]

    return command


class Server:
    """One running server. Use as a context manager: leaving it ends the process group."""

    def __init__(self, command, setup, python):
        self.make_command = command
        self.setup = setup
        self.python = Path(python)
        self.mark = uuid.uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="sluis-conformance-"))
        self.left_behind = []
        self.process = None
        self.port = None

    def __enter__(self):
        try:
            self.start()
        except NotStarted as error:
            self.stop()
            if "in use" not in str(error):  # another program took the free port between our look and its bind
                raise
            self.folder = Path(tempfile.mkdtemp(prefix="sluis-conformance-"))
            self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.port = free_port()
        command = self.make_command(self.setup.model, self.port, self.setup.args)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            self.wait_ready()
        except BaseException:
            self.stop(keep_log=True)
            raise

    def environment(self):
        """Ours without MLflow's settings, with the set-up's own; MLflow finds its helpers beside `python`."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        env["PATH"] = f"{self.python.parent}{os.pathsep}{env.get('PATH', os.defpath)}"
        return {**env, MARK: self.mark, **self.setup.env}

    def wait_ready(self):
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if not self.alive():
                raise NotStarted(f"the server ended with {self.process.returncode} before it was ready\n{self.log_tail()}")
            if ping(self.port):
                return
            time.sleep(0.1)
        raise NotStarted(f"GET /ping gave no 200 within {READY_SECONDS} s\n{self.log_tail()}")

    def alive(self):
        return self.process.poll() is None

    def ended(self, seconds=2.0):
        """Whether the process ends within `seconds`: its sockets close a moment before it can be waited for."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def log_tail(self, lines=20):
        text = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, keep_log=False):
        """Ask the server alone to end, note what it leaves behind, then end the whole group."""
        if self.process is not None:
            if self.alive():
                self.process.terminate()
                try:
                    self.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self.left_behind.append(f"pid {self.process.pid} (the server itself ignored SIGTERM)")
            self.left_behind += survivors(self.mark, self.process.pid)
            end_group(self.process)
            kill_marked(self.mark)
            self.process = None
        if not keep_log:
            shutil.rmtree(self.folder, ignore_errors=True)


def ping(port):
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def survivors(mark, server, seconds=5.0):
    """Marked processes that are still there some seconds after the server's end, each as one line."""
    end = time.monotonic() + seconds
    while True:
        pids = [pid for pid in marked(mark) if pid != server]
        if not pids or time.monotonic() > end:
            return [f"pid {pid} ({command_line(pid)})" for pid in pids]
        time.sleep(0.05)


def marked(mark):
    """Processes that inherited the mark. A zombie has no environment, so it does not count."""
    wanted, found = f"{MARK}={mark}".encode(), []
    if not os.path.isdir("/proc"):
        return found
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                environment = Path("/proc", entry, "environ").read_bytes()
            except OSError:
                continue
            if wanted in environment.split(b"\0"):
                found.append(int(entry))
    return found


def command_line(pid):
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:120]
    except OSError:
        return "gone"


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def kill_marked(mark, seconds=5.0):
    """Kills what carries the mark and waits, at most `seconds`, until it is gone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pids = marked(mark)
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
