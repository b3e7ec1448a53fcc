"""The model's own MLflow scoring server application, called in this process without a socket.

`mlflow.pyfunc.scoring_server.init` gives an ASGI application since MLflow 2.21 and a WSGI application before; both are
called through their public contracts. Knows requests and responses, nothing of frames.
"""

import asyncio
import io
import os
import sys
from urllib.parse import unquote_to_bytes

from . import logs

#: A year, in seconds: the parent keeps the deadline.
_NO_TIMEOUT = str(365 * 24 * 3600)

_CRASHED = (500, [["content-type", "text/plain; charset=utf-8"]], b"Internal Server Error")


class Application:
    """Answers whole HTTP requests the way this version of MLflow does."""

    def __init__(self, model):
        # Read when the application is made; its own answer to a slow model would hide the parent's.
        os.environ["MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"] = _NO_TIMEOUT
        from mlflow.pyfunc import scoring_server

        self._app = scoring_server.init(model)
        self._is_asgi = asyncio.iscoroutinefunction(type(self._app).__call__)
        self._loop = None

    def answer(self, method, path, headers, body):
        """(status, headers, body). What escapes the application is a 500, as its server would answer."""
        try:
            if self._is_asgi:
                return self._answer_asgi(method, path, headers, body)
            return self._answer_wsgi(method, path, headers, body)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            logs.report("MLflow's scoring application raised", error)
            self._drop_loop()
            return _CRASHED

    def _answer_asgi(self, method, path, headers, body):
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        exchange = _AsgiExchange(bytes(body))
        scope = _asgi_scope(method, path, headers)
        try:
            self._loop.run_until_complete(exchange.run(self._app, scope))
        except Exception as error:
            if not exchange.complete:
                raise
            logs.report("MLflow's scoring application raised after its response:", error)
        return exchange.status, exchange.headers, b"".join(exchange.chunks)

    def _answer_wsgi(self, method, path, headers, body):
        started = []

        def start_response(status, response_headers, exc_info=None):
            started[:] = [int(status.split(" ", 1)[0]), [[name.lower(), value] for name, value in response_headers]]
            return lambda data: None

        chunks = self._app(_wsgi_environ(method, path, headers, bytes(body)), start_response)
        try:
            payload = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return started[0], started[1], payload

    def _drop_loop(self):
        """A loop that an exception left in the middle of things is not used again."""
        loop, self._loop = self._loop, None
        if loop is not None:
            try:
                loop.close()
            except RuntimeError:
                pass


class _AsgiExchange:
    """One request and its response, as the two functions that an ASGI application is given."""

    def __init__(self, body):
        self.status = 500
        self.headers = []
        self.chunks = []
        self.complete = False
        self._body = body
        self._done = None

    async def run(self, app, scope):
        self._done = asyncio.Event()
        await app(scope, self._receive, self._send)
        if not self.complete:
            raise RuntimeError("the application returned without a whole response")

    async def _receive(self):
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._done.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [
                [name.decode("latin-1").lower(), value.decode("latin-1")] for name, value in message.get("headers", ())
            ]
        elif message["type"] == "http.response.body":
            self.chunks.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self.complete = True
                self._done.set()


def _split(path):
    raw, _, query = path.partition("?")
    return raw, query


def _asgi_scope(method, path, headers):
    raw, query = _split(path)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
        "raw_path": raw.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in headers
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }


def _wsgi_environ(method, path, headers, body):
    raw, query = _split(path)
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        environ.setdefault(key, value)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
