"""Saves ONNX models of many forms with MLflow, exports each, and has Rust prove each: `driver.py PROVE OUT [NAME…]`.

PROVE is the example binary `prove`, OUT a folder to write into.
"""

import json
import os
import subprocess
import sys
import time
import warnings

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..", "python", "worker")
sys.path.insert(0, ROOT)

import mlflow.onnx  # noqa: E402
import numpy as np  # noqa: E402
from mlflow.models import ModelSignature  # noqa: E402
from mlflow.pyfunc import scoring_server  # noqa: E402
from mlflow.types import ColSpec, Schema, TensorSpec  # noqa: E402

import graphs  # noqa: E402
from sluis_exporter.errors import NotCovered  # noqa: E402
from sluis_exporter.onnx_export import export  # noqa: E402
from sluis_worker import loader  # noqa: E402
from sluis_worker.outputs import encode  # noqa: E402


def save(case, folder):
    """The order that Rust would give for the model."""
    if case.columns is not None:
        schema = Schema([ColSpec(kind, name) for name, kind in case.columns.items()])
        order = {"kinds": list(case.columns.values()), "names": list(case.columns), "tensors": None}
    else:
        specs = [TensorSpec(np.dtype(kind), shape, name) for name, kind, shape in case.tensors]
        schema = Schema(specs)
        shapes = [[None if extent < 0 else extent for extent in shape] for _, _, shape in case.tensors]
        tensors = [{"name": name, "dtype": kind, "shape": shape} for (name, kind, _), shape in zip(case.tensors, shapes)]
        order = {"kinds": [], "names": None, "tensors": tensors}
    options = dict({"save_as_external_data": False}, **case.options)
    mlflow.onnx.save_model(
        case.model, folder, signature=ModelSignature(inputs=schema), input_example=case.example, pip_requirements=[], **options
    )
    return dict(order, model=folder, flavor="mlflow.onnx", method="predict", tensor=None)


def one(case, out):
    os.makedirs(out)
    order = dict(save(case, os.path.join(out, "model")), out=out)
    with open(os.path.join(out, "order.json"), "w") as file:
        json.dump(order, file)
    export(order, loader.load(order["model"]), lambda value: encode(value, scoring_server.predictions_to_json))


def main():
    prove, out, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    warnings.simplefilter("ignore")
    started, folders, failed = time.time(), [], []
    for case in graphs.all_cases():
        if wanted and case.name not in wanted:
            continue
        folder = os.path.join(out, case.name)
        try:
            one(case, folder)
            if case.refused:
                failed.append("{}: exported, '{}' was expected".format(case.name, case.refused))
            folders.append(folder)
        except NotCovered as error:
            if not case.refused or case.refused not in str(error):
                failed.append("{}: {}".format(case.name, error))
    print("{} models exported in {:.1f} s".format(len(folders), time.time() - started))
    done = subprocess.run([prove] + folders, stdout=subprocess.PIPE, universal_newlines=True)
    for line in done.stdout.splitlines():
        print(line)
        if not line.startswith("proved"):
            failed.append(line)
    if done.returncode or len(done.stdout.splitlines()) != len(folders):
        failed.append("prove ended with {}".format(done.returncode))
    print("{} failures in {:.1f} s".format(len(failed), time.time() - started))
    for line in failed:
        print(line)
    sys.exit(1 if failed or not folders else 0)


if __name__ == "__main__":
    main()
