"""One export: the order is read, the model loaded and walked, the program and its sample written.

The order is a JSON file; the outcome is `outcome.json` beside the program. Knows the order of things only.
"""

import json
import os
import site
import sys
import sysconfig
import time
import warnings

from sluis_worker import logs
from sluis_worker.errors import class_name, text

from .errors import NotCovered

#: Versions that answers depend on.
PACKAGES = "mlflow mlflow-skinny pandas numpy scipy pyarrow scikit-learn xgboost lightgbm catboost onnxruntime".split()

#: Seconds within which the export of another method than the model's own function is begun: nobody may ever ask for it.
OTHERS_PATIENCE = 20.0

#: Bytes of arrays that are kept again for another method; those of the model's own function have no limit.
OTHERS_BYTES = 64 << 20


def main():
    """Carries out the order whose file is the argument. The exit code is 0 wherever an outcome was written."""
    with open(sys.argv[1], encoding="utf-8") as file:
        order = json.load(file)
    del sys.argv[1:]  # Models that read arguments shall not find ours.
    logs.prepare()
    sys.path.append(os.getcwd())
    outcome = {"python": "{}.{}.{}".format(*sys.version_info[:3]), "versions": {}, "folders": []}
    try:
        outcome.update(_export(order))
    except Exception as error:
        logs.report_load(error)
        outcome["failed"] = "{}: {}".format(class_name(error), text(error))
    outcome["versions"] = _versions()
    outcome["folders"] = _folders()
    path = os.path.join(order["out"], "outcome.json")
    with open(path + ".partial", "w", encoding="utf-8") as file:
        json.dump(outcome, file)
    os.replace(path + ".partial", path)
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is written: taking the libraries down would take a third of a second that somebody waits for.
    os._exit(0)


def _export(order):
    from sluis_worker import loader

    loaded = loader.load(order["model"])
    if order["flavor"] == "mlflow.onnx":
        # A graph has its own function and no other method.
        return {"own": _export_graph(order, loaded), "others": {}, "methods": list(loaded.methods)}
    raw = _raw_model(loaded.model, order["flavor"], order["model"])
    own = _attempt(order, raw, None, order["method"], lambda data: loaded.predict(data, None))
    others, functions, end = {}, {}, time.time() + OTHERS_PATIENCE
    for name in [name for name in order["methods"] if name in loaded.methods]:
        function = loaded.methods[name]
        if id(function) in functions:
            others[name] = {"same_as": functions[id(function)]}
        elif time.time() > end:
            others[name] = {"refused": "the export of the methods before it took too long"}
        else:
            others[name] = _attempt(order, raw, name, name, function)
            functions[id(function)] = name
    return {"own": own, "others": others, "methods": list(loaded.methods)}


def _attempt(order, raw, name, method, ask):
    """Exports one method, as that of the name (None: the model's own function); what came of it."""
    from . import everything  # noqa: F401
    from .builder import Builder
    from .walk import answer

    started = time.time()
    builder = Builder(order["kinds"], order["names"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer(builder, raw, method)
            # The program of the model's own function is kept once, under whatever name.
            if method != order["method"] and builder.arrays.size() > OTHERS_BYTES:
                raise NotCovered("the program is too large to be kept for another method too")
            asker, covered = _sample(order, builder, ask)
    except NotCovered as error:
        return {"refused": text(error)}
    ending = "" if name is None else "." + name
    builder.arrays.write(os.path.join(order["out"], "program" + ending), builder.description(type(raw).__name__))
    asker.arrays.write(os.path.join(order["out"], "sample" + ending), {"format": 1, "sets": asker.sets})
    return {"exported": {"turning_points": covered, "seconds": time.time() - started}}


def _export_graph(order, loaded):
    from .onnx_export import export

    started = time.time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            export(order, loaded, _encoder())
        except NotCovered as error:
            return {"refused": text(error)}
    return {"exported": {"turning_points": 0, "seconds": time.time() - started}}


def _encoder():
    """What the worker would send, and MLflow would write."""
    from mlflow.pyfunc import scoring_server
    from sluis_worker.outputs import encode

    return lambda value: encode(value, scoring_server.predictions_to_json)


def _raw_model(model, flavor, folder):
    """The library's own object inside of MLflow's."""
    get = getattr(model, "get_raw_model", None)
    if get is not None:
        try:
            return get()
        except NotImplementedError:
            pass
    import importlib

    return importlib.import_module(flavor).load_model(folder)


def _sample(order, builder, ask):
    from .frames import Frames
    from .sample import ODD_ROWS, ROWS, Asker, Sampler

    frames = Frames(order["kinds"], order["names"], order["tensor"])
    sampler = Sampler(builder)
    asker = Asker(frames, ask, _encoder())
    rows = min(ROWS, max(4000, sampler.rows_needed()))
    usual = sampler.usual(rows)
    few = [column[:300] for column in usual]
    if asker.differs(few) is None:
        raise NotCovered("Python raised on usual rows: {}".format(class_name(asker.raised)))
    if any(asker.differs(few) for _ in range(3)):
        raise NotCovered("Python answers the same rows in two ways")
    asker.ask(usual, rows)
    for row in range(16):
        asker.ask([column[row : row + 1] for column in usual], 1)
    odd = sampler.odd(min(ODD_ROWS, 30 * len(builder.kinds)))
    # One kind of oddness at a time: what is refused then lies together.
    width = len(builder.kinds)
    for start in range(0, len(odd[0]), width):
        part = [column[start : start + width] for column in odd]
        asker.ask(part, len(part[0]))
    return asker, sampler.covered()


def _versions():
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    return found


def _folders():
    """Where packages lie: when one of these folders changes, so may answers."""
    paths = sysconfig.get_paths()
    folders = {paths["purelib"], paths["platlib"]} | set(getattr(site, "getsitepackages", list)())
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    return sorted(folder for folder in folders if os.path.isdir(folder))
