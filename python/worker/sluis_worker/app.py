"""MLflow's own scoring application, called in this process and without a socket.

Payloads that the parent does not decode are answered by the code that decides what they mean: the scoring server of
the MLflow in the model's environment. Up to MLflow 2.20 it is a Flask application, from 2.21 on a FastAPI one; both
are called through their standard interface, WSGI or ASGI.
"""

import asyncio
import io
import os
import traceback

from . import logs

# The parent enforces deadlines; the application's own must not come first. A year, in seconds.
NO_TIMEOUT = "31536000"


def build(pyfunc):
    """The application that answers for `pyfunc`."""
    os.environ["MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"] = NO_TIMEOUT
    from mlflow.pyfunc import scoring_server

    app = scoring_server.init(pyfunc)
    return Wsgi(app) if hasattr(app, "wsgi_app") else Asgi(app)


class Asgi:
    def __init__(self, app):
        self._app = app
        self._loop = asyncio.new_event_loop()

    def call(self, head, body):
        """(status, headers, body) of the application's response."""
        return self._loop.run_until_complete(self._respond(head, bytes(body)))

    async def _respond(self, head, body):
        response, chunks, done = {}, [], asyncio.Event()
        requests = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            if requests:
                return requests.pop()
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                response.update(message)
            else:
                chunks.append(message.get("body", b""))

        try:
            await self._app(_asgi_scope(head, len(body)), receive, send)
        except Exception:
            logs.error(traceback.format_exc())
            if "status" not in response:
                return 500, [["content-type", "text/plain; charset=utf-8"]], b"Internal Server Error"
        finally:
            done.set()
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in response.get("headers", [])]
        return response["status"], headers, b"".join(chunks)


def _asgi_scope(head, length):
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head["headers"]]
    headers.append((b"content-length", str(length).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": head["method"],
        "scheme": "http",
        "path": head["path"],
        "raw_path": head["path"].encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }


class Wsgi:
    def __init__(self, app):
        self._app = app

    def call(self, head, body):
        started = {}

        def start_response(status, headers, exc_info=None):
            started["status"], started["headers"] = int(status.split()[0]), headers

        chunks = self._app(_wsgi_environ(head, bytes(body)), start_response)
        try:
            answer = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        return started["status"], [[name.lower(), value] for name, value in started["headers"]], answer


def _wsgi_environ(head, body):
    environ = {
        "REQUEST_METHOD": head["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": head["path"],
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": logs.stream(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in head["headers"]:
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        else:
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
