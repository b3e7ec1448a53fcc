"""ONNX models of many forms, made with the `onnx` package: what is fed to them, and how MLflow is asked.

A case is (name, graph, signature, options of `save_model`, the reason where it has no native form).
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]

FLOAT, DOUBLE, LONG, TEXT = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING


class Case:
    """A graph and how it is saved. `inputs` are columns by name, or tensors as (name, type, shape)."""

    def __init__(self, name, model, columns=None, tensors=None, example=None, refused=None, **options):
        self.name, self.model, self.columns, self.tensors = name, model, columns, tensors
        self.example, self.refused, self.options = example, refused, options


def model(nodes, inputs, outputs, weights=()):
    values = [helper.make_tensor_value_info(*one) for one in inputs]
    made = [one if not isinstance(one, tuple) else helper.make_tensor_value_info(*one) for one in outputs]
    arrays = [numpy_helper.from_array(array, name) for name, array in weights]
    graph = helper.make_graph(nodes, "graph", values, made, arrays)
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=9)


node = helper.make_node


def random(seed=0):
    return np.random.RandomState(seed)


def perceptron(width, kind=FLOAT, batch=None, hidden=32):
    dtype = np.float32 if kind == FLOAT else np.float64
    r = random(width)
    weights = [("w1", r.randn(width, hidden).astype(dtype)), ("b1", r.randn(hidden).astype(dtype)), ("w2", r.randn(hidden, 1).astype(dtype))]
    nodes = [node("MatMul", ["x", "w1"], ["m"]), node("Add", ["m", "b1"], ["s"]), node("Relu", ["s"], ["h"]), node("MatMul", ["h", "w2"], ["y"])]
    return model(nodes, [("x", kind, [batch, width])], [("y", kind, [batch, 1])], weights)


def trees(maps, texts=False):
    """A classifier of one tree over two columns, as converters write it."""
    names = {"classlabels_strings": ["no", "yes \u00e9"]} if texts else {"classlabels_int64s": [0, 7]}
    tree = node(
        "TreeEnsembleClassifier",
        ["x"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        nodes_treeids=[0] * 5,
        nodes_nodeids=[0, 1, 2, 3, 4],
        nodes_featureids=[0, 1, 0, 0, 0],
        nodes_modes=["BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF"],
        nodes_values=[0.5, -0.25, 0.0, 0.0, 0.0],
        nodes_truenodeids=[1, 3, 0, 0, 0],
        nodes_falsenodeids=[2, 4, 0, 0, 0],
        class_treeids=[0] * 6,
        class_nodeids=[2, 2, 3, 3, 4, 4],
        class_ids=[0, 1, 0, 1, 0, 1],
        class_weights=[0.9, 0.1, 0.3, 0.7, 1e-7, 0.9999999],
        post_transform="NONE",
        **names
    )
    kind = TEXT if texts else LONG
    inputs, label = [("x", FLOAT, [None, 2])], ("label", kind, [None])
    if not maps:
        return model([tree], inputs, [label, ("scores", FLOAT, [None, 2])])
    zipped = node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", **names)
    entry = helper.make_map_type_proto(kind, helper.make_tensor_type_proto(FLOAT, []))
    output = helper.make_value_info("probabilities", helper.make_sequence_type_proto(entry))
    return model([tree, zipped], inputs, [label, output])


def frames():
    four = {name: "double" for name in "abcd"}
    yield Case("matrix", perceptron(4), four)
    yield Case("singles", perceptron(4), {name: "float" for name in "abcd"})
    yield Case("doubles", perceptron(4, DOUBLE), four)
    yield Case("mixture", perceptron(4), {"a": "double", "b": "long", "c": "integer", "d": "float"})
    longs = model([node("Mul", ["x", "x"], ["y"])], [("x", LONG, [None, 2])], [("y", LONG, [None, 2])])
    yield Case("longs", longs, {"a": "long", "b": "integer"})
    both = [node("Cast", ["b"], ["f"], to=FLOAT), node("Mul", ["a", "f"], ["p"]), node("Add", ["b", "b"], ["twice"])]
    kinds = [("p", FLOAT, [None]), ("twice", LONG, [None])]
    yield Case("columns", model(both, [("a", FLOAT, [None]), ("b", LONG, [None])], kinds), {"b": "long", "a": "double"})
    sums = [node("Add", ["a", "b"], ["s"]), node("Sub", ["a", "b"], ["d"])]
    kinds = [("s", DOUBLE, [None]), ("d", DOUBLE, [None])]
    yield Case("plain_columns", model(sums, [("a", DOUBLE, [None]), ("b", DOUBLE, [None])], kinds), {"a": "double", "b": "double"})
    signs = [node("Greater", ["x", "zero"], ["above"]), node("Identity", ["x"], ["same"])]
    kinds = [("above", TensorProto.BOOL, [None, 1]), ("same", FLOAT, [None, 1])]
    yield Case("signs", model(signs, [("x", FLOAT, [None, 1])], kinds, [("zero", np.zeros(1, np.float32))]), {"x": "double"})
    codes = node("LabelEncoder", ["x"], ["code"], domain="ai.onnx.ml", keys_strings=["a", "b", ""], values_int64s=[3, 5, 8], default_int64=-1)
    words = [("x", TEXT, [None, 2])]
    yield Case("codes", model([codes], words, [("code", LONG, [None, 2])]), {"p": "string", "q": "string"})
    both = [codes, node("Identity", ["x"], ["text"])]
    yield Case("words", model(both, words, [("code", LONG, [None, 2]), ("text", TEXT, [None, 2])]), {"p": "string", "q": "string"})
    yield Case("maps", trees(True), {"a": "double", "b": "double"})
    yield Case("text_maps", trees(True, True), {"a": "double", "b": "double"})
    yield Case("one_row", perceptron(4, batch=1), four)
    options = {"intra_op_num_threads": 1, "graph_optimization_level": 1, "extra_session_config": {"session.intra_op.allow_spinning": "0"}}
    yield Case("options", perceptron(4), four, onnx_session_options=options)
    together = {"intra_op_num_threads": 2, "inter_op_num_threads": 2, "execution_mode": "parallel", "graph_optimization_level": 99}
    yield Case("parallel", perceptron(4), four, onnx_session_options=together)
    yield Case("external", perceptron(64, hidden=300), {"c{}".format(i): "double" for i in range(64)}, save_as_external_data=True)


def tensors():
    yield Case("one_tensor", perceptron(4), tensors=[(None, "float32", (-1, 4))])
    yield Case("cast_tensor", perceptron(4), tensors=[(None, "float64", (-1, 4))])
    yield Case("named", trees(False), tensors=[("x", "float32", (-1, 2))])
    yield Case("named_maps", trees(True), tensors=[("x", "float32", (-1, 2))])
    yield Case("named_text_maps", trees(True, True), tensors=[("x", "float32", (-1, 2))])
    r = random(5)
    filters = [("k", r.randn(6, 3, 3, 3).astype(np.float32))]
    layers = [node("Conv", ["x", "k"], ["c"]), node("Relu", ["c"], ["h"]), node("GlobalAveragePool", ["h"], ["y"])]
    image = model(layers, [("x", FLOAT, [None, 3, 16, 16])], [("y", FLOAT, [None, 6, 1, 1])], filters)
    yield Case("image", image, tensors=[(None, "float32", (-1, 3, 16, 16))])
    large = model(layers, [("x", FLOAT, [1, 3, 224, 224])], [("y", FLOAT, [1, 6, 1, 1])], filters)
    yield Case("large_image", large, tensors=[("x", "float32", (-1, 3, 224, 224))])
    table = [("table", r.randn(100, 8).astype(np.float32))]
    steps = [
        node("Gather", ["table", "ids"], ["e"]),
        node("Cast", ["mask"], ["m"], to=FLOAT),
        node("Unsqueeze", ["m", "last"], ["u"]),
        node("Mul", ["e", "u"], ["p"]),
        node("ReduceMean", ["p"], ["y"], axes=[1], keepdims=0),
    ]
    kinds = [("ids", LONG, ["batch", "seq"]), ("mask", LONG, ["batch", "seq"])]
    text = model(steps, kinds, [("y", FLOAT, ["batch", 8])], table + [("last", np.array([2], np.int64))])
    yield Case("tokens", text, tensors=[("mask", "int64", (-1, -1)), ("ids", "int64", (-1, -1))])
    kinds = [("bool", TensorProto.BOOL), ("int8", TensorProto.INT8), ("int16", TensorProto.INT16), ("int32", TensorProto.INT32)]
    kinds += [("int64", LONG), ("uint8", TensorProto.UINT8), ("uint16", TensorProto.UINT16), ("uint32", TensorProto.UINT32)]
    kinds += [("uint64", TensorProto.UINT64), ("float32", FLOAT), ("float64", DOUBLE)]
    same = [node("Identity", ["x_" + name], ["y_" + name]) for name, _ in kinds]
    inputs, outputs = ([(side + name, kind, [None, 2, "n"]) for name, kind in kinds] for side in ("x_", "y_"))
    yield Case("every_type", model(same, inputs, outputs), tensors=[("x_" + name, name, (-1, 2, -1)) for name, _ in kinds])
    total = [node("ReduceSum", ["x"], ["total"], keepdims=0), node("Shape", ["x"], ["shape"])]
    yield Case("totals", model(total, [("x", DOUBLE, [None, 3])], [("total", DOUBLE, []), ("shape", LONG, [2])]), tensors=[("x", "float64", (-1, 3))])
    words = model([node("Identity", ["x"], ["y"])], [("x", TEXT, [None, 2])], [("y", TEXT, [None, 2])])
    yield Case("text_tensor", words, tensors=[("x", "str", (-1, 2))])
    lookup = model([node("Gather", ["table", "x"], ["y"])], [("x", LONG, [None, 1])], [("y", FLOAT, [None, 1])], [("table", r.randn(2).astype(np.float32))])
    yield Case("lookup", lookup, tensors=[("x", "int64", (-1, 1))], example={"x": np.array([[0], [1], [1]])})


def refusals():
    half = [node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16)]
    small = model(half, [("x", FLOAT, [None, 1])], [("y", TensorProto.FLOAT16, [None, 1])])
    yield Case("half", small, {"a": "double"}, refused="output 'y' of the graph is a tensor(float16)")
    dice = [node("RandomNormalLike", ["x"], ["y"])]
    chance = model(dice, [("x", FLOAT, [None, 1])], [("y", FLOAT, [None, 1])])
    yield Case("chance", chance, {"a": "double"}, refused="Python answers the same rows in two ways")
    yield Case("other_type", perceptron(2, DOUBLE), {"a": "long", "b": "long"}, refused="input 'x' of the graph is float64, and MLflow feeds int64")
    yield Case("scores", trees(False), {"a": "double", "b": "double"}, refused="Python raised on usual rows")


def all_cases():
    for make in (frames, tensors, refusals):
        yield from make()
