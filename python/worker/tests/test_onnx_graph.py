"""What an ONNX model's export says where the environment gives no native form. Needs numpy, and no ONNX Runtime."""

import os
import sys
import tempfile
import types
import unittest
from unittest import mock

from sluis_exporter.errors import NotCovered
from sluis_exporter.onnx_graph import Graph


class Outlet:
    def __init__(self, name, kind):
        self.name, self.type, self.shape = name, kind, [None, 2]


class Options:
    intra_op_num_threads = inter_op_num_threads = 0
    graph_optimization_level = 99
    execution_mode = types.SimpleNamespace(name="ORT_SEQUENTIAL")


class Session:
    def __init__(self, providers):
        self._providers = providers

    def get_inputs(self):
        return [Outlet("x", "tensor(float)")]

    def get_outputs(self):
        return [Outlet("y", "tensor(float)")]

    def get_providers(self):
        return self._providers

    def get_session_options(self):
        return Options()


class Described(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.makedirs(os.path.join(self.folder, "onnxruntime", "capi"))
        for name in ("model.onnx", os.path.join("onnxruntime", "__init__.py")):
            open(os.path.join(self.folder, name), "w").close()
        runtime = types.ModuleType("onnxruntime")
        runtime.__file__ = os.path.join(self.folder, "onnxruntime", "__init__.py")
        runtime.__version__ = "1.18.1"
        patch = mock.patch.dict(sys.modules, onnxruntime=runtime)
        patch.start()
        self.addCleanup(patch.stop)

    def graph(self, providers=("CPUExecutionProvider",), data="model.onnx"):
        metadata = types.SimpleNamespace(flavors={"python_function": {"data": data}, "onnx": {}})
        session = Session(list(providers))
        return Graph(types.SimpleNamespace(metadata=metadata, get_raw_model=lambda: session), self.folder)

    def refusal(self, graph, fed="float64"):
        with self.assertRaises(NotCovered) as raised:
            graph.describe([fed], "matrix")
        return str(raised.exception)

    def library(self):
        path = os.path.join(self.folder, "onnxruntime", "capi", "libonnxruntime.so.1.18.1")
        open(path, "w").close()
        return path

    def test_a_package_without_a_library_is_named(self):
        self.assertIn("onnxruntime 1.18.1 holds no library", self.refusal(self.graph()))

    def test_the_library_and_the_options_are_described(self):
        path = self.library()
        told = self.graph().describe(["float64"], "matrix")
        self.assertEqual((told["library"]["path"], told["file"]["path"]), (path, "model.onnx"))
        self.assertEqual(told["inputs"], [{"name": "x", "dtype": "float32", "via": "float64"}])
        self.assertEqual(told["options"]["optimization"], 99)

    def test_a_gpu_another_type_and_a_missing_graph_are_named(self):
        self.library()
        self.assertIn("it runs on CUDAExecutionProvider", self.refusal(self.graph(("CUDAExecutionProvider", "CPUExecutionProvider"))))
        self.assertIn("is float32, and MLflow feeds int64", self.refusal(self.graph(), "int64"))
        self.assertIn("no file of its folder", self.refusal(self.graph(data="other.onnx")))

    def test_an_mlflow_that_hides_its_session_is_named(self):
        with self.assertRaises(NotCovered):
            Graph(types.SimpleNamespace(), self.folder)
