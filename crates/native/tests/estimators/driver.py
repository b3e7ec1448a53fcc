"""Fits estimators of every covered kind, exports each, and has Rust prove each: `driver.py PROVE OUT [NAME…]`.

PROVE is the example binary `prove`, OUT a folder to write into. Every case is fitted over several seeds, shapes and options; the
exporter's own sampler chooses rows from each model's thresholds. A case is (name, frame, estimator that was fitted).
"""

import itertools
import json
import os
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..", "python", "worker")
sys.path.insert(0, ROOT)

import cases  # noqa: E402
import cases_methods  # noqa: E402
import catboost_cases  # noqa: E402
from sluis_exporter import everything  # noqa: E402,F401
from sluis_exporter.builder import Builder  # noqa: E402
from sluis_exporter.errors import NotCovered  # noqa: E402
from sluis_exporter.frames import Frames  # noqa: E402
from sluis_exporter.sample import Asker, Sampler  # noqa: E402
from sluis_exporter.walk import answer  # noqa: E402
from sluis_worker.outputs import encode  # noqa: E402

KINDS = {"bool": "boolean", "int32": "integer", "int64": "long", "float32": "float", "float64": "double"}


def to_json(value, document):
    """As MLflow writes an array of labels."""
    json.dump({"predictions": np.asarray(value).tolist()}, document)


def kind(dtype):
    return KINDS.get(str(dtype), "string")


def export(case, out):
    kinds = [kind(dtype) for dtype in case.frame.dtypes]
    names = list(case.frame.columns)
    builder = Builder(kinds, names)
    answer(builder, case.model, case.method)
    sampler = Sampler(builder, seed=case.seed)
    frames = Frames(kinds, names, None)
    asker = Asker(frames, case.ask, lambda value: encode(value, to_json))
    rows = max(case.rows, min(4000, sampler.rows_needed()))
    # What the model was fitted on is asked too: its texts and numbers reach every part of it.
    asker.ask([column(case.frame[name]) for name in names], len(case.frame))
    asker.ask(sampler.usual(rows), rows)
    odd = sampler.odd(min(120, 12 * len(kinds)))
    for start in range(0, len(odd[0]), len(kinds)):
        part = [values[start : start + len(kinds)] for values in odd]
        asker.ask(part, len(part[0]))
    os.makedirs(out)
    builder.arrays.write(os.path.join(out, "program"), builder.description(type(case.model).__name__))
    asker.arrays.write(os.path.join(out, "sample"), {"format": 1, "sets": asker.sets})
    with open(os.path.join(out, "order.json"), "w") as file:
        json.dump({"kinds": kinds, "names": names}, file)


def column(values):
    return values.tolist() if kind(values.dtype) == "string" else values.to_numpy()


def main():
    prove, out, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    warnings.simplefilter("ignore")
    started, folders, failed = time.time(), [], []
    for case in itertools.chain(cases.all_cases(), cases_methods.all_cases(), catboost_cases.catboosts()):
        if wanted and not any(part in case.name for part in wanted):
            continue
        folder = os.path.join(out, case.name)
        try:
            export(case, folder)
            if case.refused:
                failed.append("{}: exported, '{}' was expected".format(case.name, case.refused))
            folders.append(folder)
        except NotCovered as error:
            if not case.refused or case.refused not in str(error):
                failed.append("{}: {}".format(case.name, error))
    import sklearn

    exported = "scikit-learn {}: {} cases exported in {:.1f} s"
    print(exported.format(sklearn.__version__, len(folders), time.time() - started))
    done = subprocess.run([prove] + folders, stdout=subprocess.PIPE, universal_newlines=True)
    for line in done.stdout.splitlines():
        if "NOT PROVED" in line:
            failed.append(line)
        elif wanted:
            print(line)
    rows = sum(int(line.split(": ")[1].split(" rows")[0]) for line in done.stdout.splitlines() if line.startswith("proved"))
    print("{} rows proved, {} failures in {:.1f} s".format(rows, len(failed), time.time() - started))
    for line in failed:
        print(line)
    sys.exit(1 if failed or not folders else 0)


if __name__ == "__main__":
    main()
