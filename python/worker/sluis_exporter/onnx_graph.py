"""An ONNX model as a scoring program: where its graph and its ONNX Runtime lie, and how the rows are fed to it.

The graph is not walked. Rust asks the same library with the same file; what is written here is what MLflow's wrapper does around
that call. Knows MLflow's session; how rows are chosen is the sample's matter.
"""

import glob
import hashlib
import os

import numpy as np

from .errors import NotCovered

#: Element types by ONNX Runtime's name, as numpy names them.
TYPES = {
    "tensor(bool)": "bool",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(string)": "str",
}

#: What classifiers of scikit-learn's converter answer: for each row, the probability of each class by its label.
MAPS = ("seq(map(int64,tensor(float)))", "seq(map(string,tensor(float)))")


class Graph:
    """A loaded ONNX model, and what is fed to it."""

    def __init__(self, model, folder):
        get = getattr(model, "get_raw_model", None)
        session = get() if get is not None else None
        if not hasattr(session, "get_inputs"):
            raise NotCovered("this version of MLflow does not show its ONNX Runtime session")
        self.session = session
        self.inputs = [(one.name, one.type, list(one.shape)) for one in session.get_inputs()]
        self.outputs = [(one.name, one.type) for one in session.get_outputs()]
        self._folder = folder
        self._flavors = model.metadata.flavors

    def describe(self, fed, form):
        """The program's `graph`. `fed` names, for each input, numpy's type that MLflow feeds; `form` is `matrix`, `columns`,
        `tensor` or `tensors`."""
        inputs = []
        for (name, kind, _), via in zip(self.inputs, fed):
            dtype = self._type("input", name, kind)
            if via != dtype and not (via == "float64" and dtype == "float32"):
                raise NotCovered("input '{}' of the graph is {}, and MLflow feeds {}".format(name, dtype, via))
            inputs.append({"name": name, "dtype": dtype, "via": via})
        outputs = []
        for name, kind in self.outputs:
            dtype = "maps" if kind in MAPS else self._type("output", name, kind)
            outputs.append({"name": name, "dtype": dtype})
        return {
            "library": _library(),
            "file": self._file(),
            "options": self._options(),
            "form": form,
            "inputs": inputs,
            "outputs": outputs,
        }

    def _type(self, what, name, kind):
        if kind not in TYPES:
            raise NotCovered("{} '{}' of the graph is a {}, which has no native form".format(what, name, kind))
        return TYPES[kind]

    def _file(self):
        data = (self._flavors.get("python_function") or {}).get("data")
        path = os.path.join(self._folder, data or "")
        if not data or not os.path.isfile(path):
            raise NotCovered("the model's graph is no file of its folder")
        return {"path": data, "sha256": digest(path)}

    def _options(self):
        """What MLflow set, as the session itself tells."""
        providers = self.session.get_providers()
        if providers != ["CPUExecutionProvider"]:
            raise NotCovered("it runs on {}, which only Python uses".format(", ".join(providers)))
        options = self.session.get_session_options()
        wanted = (self._flavors.get("onnx") or {}).get("onnx_session_options") or {}
        entries = {}
        for key in wanted.get("extra_session_config") or {}:
            entries[key] = options.get_session_config_entry(key)
        return {
            "intra_op_threads": int(options.intra_op_num_threads),
            "inter_op_threads": int(options.inter_op_num_threads),
            "parallel": options.execution_mode.name == "ORT_PARALLEL",
            "optimization": int(options.graph_optimization_level),
            "entries": entries,
        }


def fed_from_frame(frame, inputs):
    """numpy's type of what MLflow feeds to each input from a frame, and the form in which the frame is fed."""
    if len(inputs) == 1:
        return [_element(frame.values, frame)], "matrix"
    missing = [name for name, _, _ in inputs if name not in frame.columns]
    if missing:
        raise NotCovered("input '{}' of the graph is no column of the signature".format(missing[0]))
    return [_element(frame[name].values, frame[[name]]) for name, _, _ in inputs], "columns"


def _element(values, frame):
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.name in TYPES.values():
        return dtype.name
    if all(isinstance(value, str) for value in frame.to_numpy(dtype=object).reshape(-1)[:100]):
        return "str"
    raise NotCovered("MLflow feeds the graph an array of {}, which has no native form".format(dtype))


def _library():
    import onnxruntime

    folder = os.path.join(os.path.dirname(os.path.abspath(onnxruntime.__file__)), "capi")
    version = onnxruntime.__version__
    named = ["libonnxruntime.so.{}".format(version), "libonnxruntime.{}.dylib".format(version)]
    paths = [os.path.join(folder, name) for name in named]
    paths += sorted(glob.glob(os.path.join(folder, "libonnxruntime.so*"))) + sorted(glob.glob(os.path.join(folder, "libonnxruntime*.dylib")))
    for path in paths:
        if os.path.isfile(path):
            return {"path": path, "sha256": digest(path), "version": version}
    raise NotCovered("the package onnxruntime {} holds no library that can be called without Python; those from 1.19 on do".format(version))


def digest(path):
    """SHA-256 of a file."""
    made = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            made.update(chunk)
    return made.hexdigest()
