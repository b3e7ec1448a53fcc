"""Sends one recorded request and reads the answer. Knows no row's expectation and no server process.

A socket rather than an HTTP client, since the headers must leave exactly as recorded: a client adds a content type, an
accept header, a user agent. Only Host, Content-Length and Connection are ours.
"""

import http.client
import socket
import time

from .compare import Answer
from .corpus import request_body


class NoAnswer(Exception):
    """The connection could not be made, or ended before the answer did."""


class Hang(Exception):
    """The deadline passed before the answer was complete."""


def send(host, port, row, seconds):
    """The answer to the recorded request of `row`, within `seconds`."""
    end = time.monotonic() + seconds
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(request_bytes(host, port, row))
            return read_answer(connection, row["method"], end)
    except (TimeoutError, socket.timeout):
        raise Hang(f"no complete answer after {seconds:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error


def request_bytes(host, port, row):
    body = request_body(row)
    given = {name.lower() for name, _ in row["headers"]}
    lines = [f"{row['method']} {row['path']} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {host}:{port}")
    lines += [f"{name}: {value}" for name, value in row["headers"]]
    if "content-length" not in given and "transfer-encoding" not in given and (body or row["method"] == "POST"):
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def read_answer(connection, method, end):
    """Reads until the answer is complete; every read waits at most until `end`."""
    reader = http.client.HTTPResponse(connection, method=method)
    try:
        wait_until(connection, end)
        reader.begin()
        parts = []
        while True:
            wait_until(connection, end)
            part = reader.read1(1 << 16)
            if not part:
                break
            parts.append(part)
        headers = {name.lower(): value for name, value in reader.getheaders()}
        body = b"".join(parts)
        promised = headers.get("content-length")
        if promised is not None and method != "HEAD" and promised.isdigit() and len(body) < int(promised):
            raise NoAnswer(f"the answer ended after {len(body)} of {promised} bytes")
        return Answer(reader.status, headers, body)
    finally:
        reader.close()


def wait_until(connection, end):
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
