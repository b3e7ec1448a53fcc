"""Azure's dialect over models that give back what they get; the recorded cases say more (conformance/azure)."""

import json
import unittest

import numpy as np

from sluis_worker import azure, logs


class Column:
    def __init__(self, name):
        self.type = type("Type", (), {"name": name})


class Tensor:
    def __init__(self, dtype):
        self.type = np.dtype(dtype)


class Schema:
    """What is asked of MLflow's `Schema`."""

    def __init__(self, inputs, names=None):
        self.inputs = inputs
        self._names = names

    def is_tensor_spec(self):
        return isinstance(self.inputs[0], Tensor)

    def has_input_names(self):
        return self._names is not None

    def input_names(self):
        return self._names if self._names is not None else list(range(len(self.inputs)))


class Metadata:
    def __init__(self, schema, flavors=(), params=None):
        self.flavors = dict.fromkeys(flavors)
        self.saved_input_example_info = None
        self._schema = schema
        self._params = params

    def get_input_schema(self):
        return self._schema

    def get_params_schema(self):
        return self._params


class Echo:
    """Remembers its input and answers with the rest of the call."""

    def predict(self, data, params=None):
        self.seen = data
        return params


class Azure(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, logs, "report", logs.report)
        logs.report = lambda sentence, error: None

    def ask(self, body, schema=None, flavors=(), params=None, method="POST", path="/score"):
        """(status, body, what the model saw)."""
        model = Echo()
        script = azure.Script(model, Metadata(schema, flavors, params), "/nowhere")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, headers, answer = script.answer(method, path, [], body)
        self.assertIn(["content-type", "application/json"], headers)
        self.failed = dict(map(tuple, headers))["x-ms-run-function-failed"]
        return status, json.loads(answer), getattr(model, "seen", None)

    def test_columns_are_cast_by_name_and_texts_kept(self):
        schema = Schema([Column("long"), Column("double"), Column("boolean"), Column("string")], ["l", "d", "b", "s"])
        split = {"columns": ["s", "b", "d", "l"], "data": [[5, "false", "1", 1.9], ["x", "", None, True]]}
        status, answer, frame = self.ask({"input_data": split}, schema)
        self.assertEqual((status, answer), (200, {}))
        self.assertEqual([frame["l"].dtype, frame["d"].dtype, frame["b"].dtype], [np.int64, np.float64, np.bool_])
        self.assertEqual(frame["l"].tolist(), [1, 1])
        self.assertEqual(frame["b"].tolist(), [True, False])
        self.assertEqual(frame["s"].tolist(), [5, "x"])

    def test_what_cannot_be_cast_is_an_error_of_the_script_and_is_not_quoted(self):
        schema = Schema([Column("long")], ["l"])
        for data in ([["secret"]], [[None]], [[10**30]]):
            status, answer, _ = self.ask({"input_data": {"columns": ["l"], "data": data}}, schema)
            self.assertEqual((status, self.failed), (500, "True"))
            self.assertNotIn("secret", answer["message"])

    def test_tensors(self):
        status, _, array = self.ask({"input_data": [["1", 2.9]]}, Schema([Tensor("int64")]))
        self.assertEqual((status, array.dtype, array.tolist()), (200, np.int64, [[1, 2]]))
        named = Schema([Tensor("int64"), Tensor("float32")], ["a", "b"])
        status, _, arrays = self.ask({"input_data": {"b": [1], "a": [2], "z": [3]}}, named)
        self.assertEqual([(name, item.dtype) for name, item in arrays.items()][:2], [("b", np.float32), ("a", np.int64)])
        self.assertEqual(self.ask({"input_data": [1]}, named)[0], 500)

    def test_values_are_read_by_their_shape_without_a_signature(self):
        frame = self.ask({"input_data": {"columns": ["a"], "index": [7], "data": [[1]]}})[2]
        self.assertEqual((list(frame.columns), frame.index.tolist()), (["a"], [7]))
        self.assertEqual(self.ask({"input_data": "[1, 2]"})[2].tolist(), [1, 2])
        self.assertEqual(self.ask({"input_data": {"input_data": [1]}})[2].tolist(), [1])
        self.assertEqual(list(self.ask({"input_data": {"columns": ["a"], "data": [[1]]}})[2]), ["columns", "data"])
        for bad in (5, None, "x"):
            self.assertEqual(self.ask({"input_data": bad})[0], 500)

    def test_models_of_text_get_text(self):
        for value in ("hello", ["a", "b"], [{"q": ["a"]}], {"q": "x"}):
            self.assertEqual(self.ask({"input_data": value}, flavors=["langchain"])[2], value)
        self.assertEqual(self.ask({"input_data": [{"q": 1}]}, flavors=["langchain"])[0], 500)
        self.assertEqual(self.ask({"input_data": [{"q": 1}]}, flavors=["hftransformersv2"])[2], [{"q": 1}])
        inner = {"input_string": ["a"], "parameters": {"k": 1}}
        status, answer, seen = self.ask({"input_data": inner}, flavors=["transformers"])
        self.assertEqual((status, answer, seen), (200, {"k": 1}, ["a"]))

    def test_params_are_objects_where_they_are_declared(self):
        body = {"input_data": [1], "params": {"k": 1}}
        self.assertEqual(self.ask(body, params=object())[1], {"k": 1})
        self.assertEqual(self.ask(dict(body, params=[1]), params=object())[0], 500)
        self.assertEqual(self.ask(dict(body, params=[1]))[0], 200)

    def test_requests_that_are_none(self):
        for body, status, part in [
            (b"", 400, "empty"),
            (b"[1]", 400, "dictionary"),
            (b'{"x": 1}', 400, "'input_data'"),
            (b'{"input_data": [1 2]}', 400, "line 1 column 19"),
            (b'{"input_data": "\xff"}', 500, "internal"),
        ]:
            found, answer, _ = self.ask(body)
            self.assertEqual((found, self.failed), (status, "False"))
            self.assertIn(part, answer["message"])

    def test_a_get_asks_by_its_query(self):
        path = "/score?input_data=%5B1%2C2%5D&params=text"
        _, answer, array = self.ask(b"", method="GET", path=path)
        self.assertEqual((answer, array.tolist()), ("text", [1, 2]))
        self.assertEqual(self.ask(b"", method="GET")[0], 400)

    def test_answers_that_json_cannot_hold(self):
        class Odd(Echo):
            def predict(self, data, params=None):
                return np.int64(1)

        script = azure.Script(Odd(), Metadata(None), "/nowhere")
        status, headers, _ = script.answer("POST", "/score", [], b'{"input_data": [1]}')
        self.assertEqual((status, dict(map(tuple, headers))["x-ms-run-function-failed"]), (500, "False"))


if __name__ == "__main__":
    unittest.main()
