#!/usr/bin/env python3
"""Payload bytes to what `predict` gets: our decoder and MLflow's own path, in turn in one run, one core each.

    target/bench/venv/bin/python bench/decode.py [--rows 10000] [--columns 10] [--reps 5] [--form split]

MLflow's path is its scoring server's `invocations` on a model that does nothing: parse, cast, enforce. It runs in this process;
ours runs in `cargo bench -p sluis-mlflow --bench decode`, a process of its own. Prints medians, MB/s and the ratio.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--reps", type=int, default=5, help="turns of each side")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one turn")
    parser.add_argument("--form", choices=sorted(FORMS), default="split")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        columns = ["c%d" % number for number in range(arguments.columns)]
        served = make_model(folder / "model", columns)
        payload = folder / "payload.json"
        payload.write_text(FORMS[arguments.form](columns, rows(arguments.rows, arguments.columns)))
        ours, theirs = [], []
        for _ in range(arguments.reps):
            ours.append(run_ours(folder / "model", payload, arguments.seconds))
            theirs.append(run_mlflow(served, payload.read_bytes(), arguments.seconds))
    report(arguments, ours, theirs)


def rows(count, width):
    source = random.Random(7)
    return [[source.uniform(-1000, 1000) for _ in range(width)] for _ in range(count)]


def split(columns, data):
    return json.dumps({"dataframe_split": {"columns": columns, "data": data}})


def records(columns, data):
    return json.dumps({"dataframe_records": [dict(zip(columns, row)) for row in data]})


def inputs(columns, data):
    return json.dumps({"inputs": {name: [row[index] for row in data] for index, name in enumerate(columns)}})


FORMS = {"split": split, "records": records, "inputs": inputs}


def make_model(folder, columns):
    """A model of doubles that answers the number of rows, saved and loaded."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    class Nothing(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return [len(model_input)]

    signature = ModelSignature(inputs=Schema([ColSpec("double", name) for name in columns]))
    mlflow.pyfunc.save_model(str(folder), python_model=Nothing(), signature=signature, pip_requirements=["mlflow"])
    return mlflow.pyfunc.load_model(str(folder))


def run_mlflow(model, body, seconds):
    """Median seconds of one call."""
    from mlflow.pyfunc.scoring_server import invocations

    schema = model.metadata.get_input_schema()
    text, times, begun = body.decode(), [], time.perf_counter()
    while time.perf_counter() - begun < seconds or not times:
        start = time.perf_counter()
        answer = invocations(text, "application/json", model, schema)
        times.append(time.perf_counter() - start)
        assert answer.status == 200, answer.response
    return statistics.median(times)


def run_ours(model, payload, seconds):
    command = ["cargo", "bench", "-q", "--locked", "-p", "sluis-mlflow", "--bench", "decode", "--"]
    done = subprocess.run(
        command + [str(model), str(payload), str(seconds)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def report(arguments, ours, theirs):
    median = statistics.median(one["median_s"] for one in ours)
    mlflow = statistics.median(theirs)
    size = ours[0]["bytes"]
    memory = max(one["memory_bytes"] for one in ours)
    print("%d rows x %d doubles, %s, %.2f MB" % (arguments.rows, arguments.columns, arguments.form, size / 1e6))
    print("sluis   %8.3f ms   %6.0f MB/s   memory %.2f x the payload" % (median * 1e3, size / 1e6 / median, memory / size))
    print("mlflow  %8.3f ms   %6.0f MB/s" % (mlflow * 1e3, size / 1e6 / mlflow))
    print("ratio   %8.1f" % (mlflow / median))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
