#!/usr/bin/env python3
"""Peers side by side: all servers of one model up at once and measured in turn, so that ratios survive a noisy machine.

    online.py --models linear --peers mlflow,sluis-python --rows 1 -c 1,16,64 --out target/bench/online.jsonl

One JSON line a measurement is appended to --out; `figures.py` reads it.
"""

import argparse
import json
import sys
from pathlib import Path

from machine import wait_quiet
from measure import Failed, measure
from payloads import HOME
from peers import PEERS


def numbers(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="linear")
    parser.add_argument("--peers", default="mlflow,sluis-python", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--rows", type=numbers, default=[1], help="rows a request")
    parser.add_argument("-c", "--connections", type=numbers, default=[1, 16, 64])
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--quiet", type=float, default=0.3, help="cores that others may use when a measurement begins")
    parser.add_argument("--patience", type=float, default=30, help="seconds to wait for that")
    parser.add_argument("--out", type=Path, default=HOME / "online.jsonl")
    options = parser.parse_args()
    failures = 0
    with open(options.out, "a") as sink:
        for model in options.models.split(","):
            failures += measure_model(model, options, sink)
    return 1 if failures else 0


def measure_model(model, options, sink):
    """Starts all peers, measures them in turn, ends them; the number of measurements that failed."""
    running, failures = [], 0
    try:
        for name in options.peers.split(","):
            peer = PEERS[name](model)
            running.append(peer.start())
            peer.wait_ready(model)
        for rows in options.rows:
            for connections in options.connections:
                for _ in range(options.reps):
                    for peer in running:
                        wait_quiet(options.quiet, options.patience)
                        failures += measure_peer(peer, model, rows, connections, options.seconds, sink)
    finally:
        for peer in running:
            peer.stop()
    return failures


def measure_peer(peer, model, rows, connections, seconds, sink):
    """Measures once, writes and prints what was seen; 1 when it failed."""
    where = f"{model:7s} rows={rows:<6d} c={connections:<3d} {peer.name:16s}"
    try:
        seen = measure(peer, model, rows, connections, seconds)
    except (Failed, OSError) as error:
        print(f"{where} FAILED: {error}", flush=True)
        return 1
    print(json.dumps(seen), file=sink, flush=True)
    print(f"{where} {seen['rps']:10.1f} req/s  p50 {seen['p50_ms']:8.2f} ms  p99 {seen['p99_ms']:8.2f} ms  "
          f"errors {seen['errors']}  others {seen['others_cores']} cores", flush=True)
    return 1 if seen["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
