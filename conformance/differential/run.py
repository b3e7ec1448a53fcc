"""Random payloads through the decoder in Rust and through real MLflow, in one process: what was refused, and what reached `predict`.

Run with a Python that holds MLflow. What Rust leaves to Python is counted, not compared. Exit code 1 on any difference.
"""

import argparse
import collections
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "python", "worker")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import mlflow  # noqa: E402
import payloads  # noqa: E402
import probe_model  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.pyfunc import scoring_server  # noqa: E402
from sluis_worker.inputs import InputDecoder  # noqa: E402

MLMODEL = """flavors:
  python_function:
    loader_module: probe_model
    env: {{}}
signature:
  inputs: '{inputs}'
"""


def folders(root, signatures):
    """A model folder for each signature."""
    out = {}
    for name, inputs in signatures.items():
        folder = os.path.join(root, name)
        os.makedirs(folder)
        with open(os.path.join(folder, "MLmodel"), "w", encoding="utf-8") as file:
            file.write(MLMODEL.format(inputs=json.dumps(inputs)))
        out[name] = folder
    return out


def decide_in_rust(program, work):
    """One answer per (folder, body)."""
    lines = "".join(json.dumps({"model": folder, "body": body.hex()}) + "\n" for folder, body in work)
    versions = [mlflow.__version__, pd.__version__, np.__version__]
    done = subprocess.run([program, *versions], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def decide_in_mlflow(model, body):
    """("call", data) | ("refused", error code) | ("broken", class) for what the server answers with a 500."""
    probe_model.SEEN.clear()
    try:
        scoring_server.invocations(body, "application/json", model, model.metadata.get_input_schema())
    except MlflowException as error:
        if probe_model.SEEN:
            raise
        return "refused", error.error_code
    except Exception as error:
        return "broken", type(error).__name__
    return "call", probe_model.SEEN[0]


def seen(data):
    """What a model can tell of its input, as text."""
    if isinstance(data, pd.DataFrame):
        columns = [[_value(item) for item in data.iloc[:, at]] for at in range(data.shape[1])]
        labels = [_value(label) for label in data.columns]
        return repr(["frame", labels, [str(dtype) for dtype in data.dtypes], list(map(str, data.index)), columns])
    if isinstance(data, np.ndarray):
        return repr(["array", str(data.dtype), data.shape, [_value(item) for item in data.ravel().tolist()]])
    if isinstance(data, dict):
        return repr(["dict", [(key, seen(value)) for key, value in data.items()]])
    return repr([type(data).__name__, data])


def _value(item):
    return "{}:{!r}".format(type(item).__name__, item)


def given(decoder, answer):
    body = bytearray.fromhex(answer["body"])
    if answer["kind"] == "dense":
        return decoder.dense(answer["head"], body)
    if answer["kind"] == "tensors":
        return decoder.tensors(answer["head"], body)
    return decoder.arrow(body)


def compare(answer, model, body, decoder):
    """None where both agree, else what each of them says."""
    kind, theirs = decide_in_mlflow(model, body)
    if answer["decided"] == "refused":
        ours = "refused " + answer["code"]
        expected = "refused " + str(theirs) if kind == "refused" else kind
        return None if ours == expected else (ours + ": " + answer["message"], expected + " " + (seen(theirs) if kind == "call" else ""))
    ours = seen(given(decoder, answer))
    expected = seen(theirs) if kind == "call" else "{} {}".format(kind, theirs)
    return None if ours == expected else (ours, expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoder", default=os.path.join(ROOT, "target", "release", "examples", "decode_lines"))
    parser.add_argument("--count", type=int, default=3000, help="payloads (3000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="signatures whose name begins so")
    parser.add_argument("--show", type=int, default=20, help="differences to print (20)")
    parser.add_argument("--undecided", type=int, default=0, help="payloads left to Python to print")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    generator = random.Random(args.seed)
    signatures = {name: specs for name, specs in payloads.signatures().items() if name.startswith(args.only)}
    with tempfile.TemporaryDirectory() as root:
        paths = folders(root, signatures)
        models = {name: mlflow.pyfunc.load_model(path) for name, path in paths.items()}
        names = sorted(signatures)
        chosen = [names[at % len(names)] for at in range(args.count)]
        bodies = [payloads.payload(generator, signatures[name]).encode("utf-8", "surrogatepass") for name in chosen]
        answers = decide_in_rust(args.decoder, [(paths[name], body) for name, body in zip(chosen, bodies)])
        if len(answers) != len(bodies):
            sys.exit("the decoder answered {} of {} payloads".format(len(answers), len(bodies)))
        counts, differences = collections.Counter(), []
        for name, body, answer in zip(chosen, bodies, answers):
            counts[answer["decided"]] += 1
            if answer["decided"] == "python":
                counts["python, which " + decide_in_mlflow(models[name], body)[0]] += 1
                if args.undecided > 0:
                    args.undecided -= 1
                    print("undecided", name, body.decode("utf-8", "replace")[:300])
                continue
            found = compare(answer, models[name], body, InputDecoder(None))
            if found:
                differences.append((name, body, *found))
    for name, body, ours, theirs in differences[: args.show]:
        print("{}: {}\n  rust:   {}\n  mlflow: {}".format(name, body.decode("utf-8", "replace")[:400], ours[:600], theirs[:600]))
    print(
        "{} payloads under {} signatures in {:.1f} s: {}; {} differences (MLflow {}, pandas {}, seed {})".format(
            len(bodies), len(signatures), time.monotonic() - started, dict(counts), len(differences), mlflow.__version__, pd.__version__, args.seed
        )
    )
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
