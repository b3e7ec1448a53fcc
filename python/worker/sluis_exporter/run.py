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
PACKAGES = "mlflow mlflow-skinny pandas numpy scipy pyarrow scikit-learn xgboost lightgbm".split()


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
    except NotCovered as error:
        outcome["refused"] = text(error)
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

    from . import everything  # noqa: F401
    from .builder import Builder
    from .walk import answer

    started = time.time()
    loaded = loader.load(order["model"])
    raw = _raw_model(loaded.model, order["flavor"], order["model"])
    builder = Builder(order["kinds"], order["names"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer(builder, raw, order["method"])
        asker, covered = _sample(order, builder, loaded)
    builder.arrays.write(os.path.join(order["out"], "program"), builder.description(type(raw).__name__))
    asker.arrays.write(os.path.join(order["out"], "sample"), {"format": 1, "sets": asker.sets})
    exported = {"turning_points": covered, "seconds": time.time() - started}
    return {"exported": exported, "methods": list(loaded.methods)}


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


def _sample(order, builder, loaded):
    from mlflow.pyfunc import scoring_server
    from sluis_worker.outputs import encode

    from .frames import Frames
    from .sample import ODD_ROWS, ROWS, Asker, Sampler

    frames = Frames(order["kinds"], order["names"], order["tensor"])
    sampler = Sampler(builder)
    asker = Asker(frames, lambda data: loaded.predict(data, None), lambda value: encode(value, scoring_server.predictions_to_json))
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
