#!/usr/bin/env python3
"""Seconds from the command to the first 200 on a scoring request, peers in turn; files already in the page cache.

    start.py --models linear --peers mlflow,sluis-python --reps 3 --out target/bench/start.jsonl
"""

import argparse
import json
import sys
from pathlib import Path

from machine import usage, wait_quiet
from payloads import HOME
from peers import PEERS


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="linear")
    parser.add_argument("--peers", default="mlflow,sluis-python", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--quiet", type=float, default=0.3)
    parser.add_argument("--patience", type=float, default=30)
    parser.add_argument("--out", type=Path, default=HOME / "start.jsonl")
    options = parser.parse_args()
    failures = 0
    with open(options.out, "a") as sink:
        for _ in range(options.reps):
            for model in options.models.split(","):
                for name in options.peers.split(","):
                    wait_quiet(options.quiet, options.patience)
                    failures += time_start(name, model, sink)
    return 1 if failures else 0


def time_start(name, model, sink):
    """Starts, waits, writes and prints what was seen, ends; 1 when it did not start."""
    peer = PEERS[name](model)
    try:
        peer.start()
        ready = peer.wait_ready(model)
        cpu, memory, processes = usage(peer.pid)
    except RuntimeError as error:
        print(f"{model:7s} {name:16s} FAILED: {error}", flush=True)
        return 1
    finally:
        peer.stop()
    seen = {"peer": name, "model": model, "ready_s": round(ready, 3), "cpu_s": round(cpu, 2), "memory_mib": memory,
            "processes": processes}
    print(json.dumps(seen), file=sink, flush=True)
    print(f"{model:7s} {name:16s} first answer after {ready:6.2f} s  cpu {cpu:6.2f} s  memory {memory:7.1f} MiB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
