"""Loads one server with wrk: checks its answer first, then reports requests per second, latencies, CPU and memory.

Throughput counts completed requests with a 2xx; latencies are wrk's (closed loop, no correction for coordinated omission).
"""

import http.client
import json
import os
import subprocess
import tempfile
import time
from urllib.parse import urlsplit

from machine import machine_busy, own_busy, settle, usage
from payloads import content_type, difference, payload

LUA = """
wrk.method = "POST"
local f = assert(io.open(os.getenv("BENCH_BODY"), "rb")); wrk.body = f:read("*a"); f:close()
wrk.headers["Content-Type"] = os.getenv("BENCH_CONTENT_TYPE")
done = function(s, l, r)
  io.write(string.format('@@{"requests":%d,"duration_s":%.6f,"e_connect":%d,"e_read":%d,"e_write":%d,' ..
    '"e_status":%d,"e_timeout":%d,"p50_ms":%.4f,"p90_ms":%.4f,"p99_ms":%.4f,"max_ms":%.4f}\\n',
    s.requests, s.duration/1e6, s.errors.connect, s.errors.read, s.errors.write, s.errors.status,
    s.errors.timeout, l:percentile(50)/1e3, l:percentile(90)/1e3, l:percentile(99)/1e3, l.max/1e3))
end
"""


class Failed(Exception):
    """The server's answer is wrong, or the load generator failed."""


def post(url, kind, body, timeout=120):
    """(status, body, seconds) of one request on its own connection."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    begun = time.perf_counter()
    try:
        connection.request("POST", parts.path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read(), time.perf_counter() - begun
    finally:
        connection.close()


def wrk(url, kind, body_path, connections, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA)
        script.flush()
        env = {**os.environ, "BENCH_BODY": str(body_path), "BENCH_CONTENT_TYPE": kind}
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "120s", "-s",
                   script.name, url]
        run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=seconds + 180)
    lines = [line for line in run.stdout.splitlines() if line.startswith("@@")]
    if not lines:
        raise Failed(f"wrk: {run.stdout[-300:]} {run.stderr[-300:]}")
    return json.loads(lines[0][2:])


def checked_seconds(url, style, model, rows):
    """Seconds of one request, once the answer was found to be MLflow's; raises Failed when it is not."""
    body, kind = payload(model, rows, style).read_bytes(), content_type(style)
    status, raw, _ = post(url, kind, body)
    wrong = difference(model, rows, raw) if status == 200 else f"status {status}: {raw[:200]!r}"
    if wrong:
        raise Failed(wrong)
    return post(url, kind, body)[2]


def measure(peer, model, rows, connections, seconds):
    """One measurement of a running peer, as a dictionary."""
    one = checked_seconds(peer.url, peer.style, model, rows)
    path, kind = payload(model, rows, peer.style), content_type(peer.style)
    # Slow answers: long enough for about six rounds of every connection, at most 25 s.
    seconds = min(25.0, max(seconds, 6 * one * connections))
    wrk(peer.url, kind, path, connections, max(1.0, min(4.0, 2 * one * connections)))
    settle(peer.pid)
    cpu, busy, own, begun = usage(peer.pid)[0], machine_busy(), own_busy(), time.monotonic()
    seen = wrk(peer.url, kind, path, connections, seconds)
    wall, others = time.monotonic() - begun, machine_busy() - busy - (own_busy() - own)
    used, memory, processes = usage(peer.pid)
    seen["others_cores"] = round(max(0.0, others - (used - cpu)) / wall, 2)
    seen["rps"] = round((seen["requests"] - seen["e_status"]) / seen["duration_s"], 1)
    seen["errors"] = sum(seen[name] for name in seen if name.startswith("e_"))
    if seen["requests"]:
        seen["cpu_ms_per_request"] = round((used - cpu) * 1e3 / seen["requests"], 3)
    return {"peer": peer.name, "model": model, "rows": rows, "connections": connections, "memory_mib": memory,
            "processes": processes, **seen}
