#!/usr/bin/env python3
"""Medians of one run, ours against `mlflow models serve`, and whether the figures of README.md are met.

    figures.py target/bench/online.jsonl target/bench/start.jsonl [--ours sluis-python] [--model linear]

Exit code: 0 when every figure that could be judged is met, 1 otherwise.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

# (what, field, connections, better when higher, the factor asked for)
FIGURES = [
    ("requests per second at 16 connections, ours ÷ MLflow's", "rps", 16, True, 10.0),
    ("requests per second at 64 connections, ours ÷ MLflow's", "rps", 64, True, 25.0),
    ("median latency at 1 connection, ours ÷ MLflow's", "p50_ms", 1, False, 0.5),
    ("p99 at 16 connections, ours ÷ MLflow's", "p99_ms", 16, False, 0.1),
    ("command to first answer, ours ÷ MLflow's", "ready_s", None, False, 0.6),
]


def read(file):
    if not file.exists():
        return []
    with open(file) as lines:
        return [json.loads(line) for line in lines if line.strip()]


def median(seen, field):
    values = [entry[field] for entry in seen if field in entry]
    return statistics.median(values) if values else None


def chosen(seen, peer, model, connections):
    """One row a request, the given peer and model; measurements with errors do not count."""
    return [entry for entry in seen if entry["peer"] == peer and entry["model"] == model and not entry.get("errors")
            and entry.get("rows", 1) == 1 and entry.get("connections") == connections]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--ours", default="sluis-python")
    parser.add_argument("--theirs", default="mlflow")
    parser.add_argument("--model", default="linear")
    options = parser.parse_args()
    seen = [entry for file in options.files for entry in read(file)]
    missed = 0
    for what, field, connections, higher, wanted in FIGURES:
        ours = median(chosen(seen, options.ours, options.model, connections), field)
        theirs = median(chosen(seen, options.theirs, options.model, connections), field)
        if ours is None or not theirs:
            print(f"not measured  {what}")
            continue
        ratio = ours / theirs
        met = ratio >= wanted if higher else ratio <= wanted
        missed += not met
        print(f"{'met   ' if met else 'MISSED'}  {what}: {ratio:.3g} ({ours:g} and {theirs:g}), "
              f"asked for {'at least' if higher else 'at most'} {wanted:g}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
