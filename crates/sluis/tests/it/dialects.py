"""A client of every dialect: sends the same rows to a server in each, and prints the predictions that come back, as JSON.

Usage: dialects.py PORT MODEL. Arrow, Parquet and CSV are written and read by pyarrow and pandas themselves.
"""

import http.client
import io
import json
import struct
import sys

import pandas as pd
import pyarrow as pa

PORT, MODEL = int(sys.argv[1]), sys.argv[2]
NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]
FRAME = pd.DataFrame(ROWS, columns=NAMES)
ARROW = "application/vnd.apache.arrow.stream"


def ask(path, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise SystemExit("{} {}: {}".format(path, answer.status, data))
    return answer.headers, data


def arrow(frame):
    table = pa.Table.from_pandas(frame)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=1):
            writer.write_batch(batch)
    return sink.getvalue()


def parquet(frame):
    sink = io.BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


def columns():
    return [
        {"name": name, "shape": [2, 1], "datatype": "FP64", "data": FRAME[name].tolist()} for name in reversed(NAMES)
    ]


def matrix(datatype="FP64"):
    return [{"name": "x", "shape": [2, 4], "datatype": datatype, "data": ROWS}]


def infer(inputs):
    body = json.dumps({"id": "a", "inputs": inputs})
    answer = json.loads(ask("/v2/models/{}/infer".format(MODEL), body)[1])
    assert answer["id"] == "a" and answer["model_name"] == MODEL, answer
    return answer["outputs"][0]["data"]


def infer_binary():
    data = b"".join(struct.pack("<d", value) for row in ROWS for value in row)
    tensor = {"name": "x", "shape": [2, 4], "datatype": "FP64", "parameters": {"binary_data_size": len(data)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    path = "/v2/models/{}/infer".format(MODEL)
    headers, body = ask(path, head + data, Inference_Header_Content_Length=str(len(head)))
    length = int(headers["Inference-Header-Content-Length"])
    (output,) = json.loads(body[:length])["outputs"]
    assert output["datatype"] == "INT64", output
    return list(struct.unpack("<{}q".format(output["shape"][0]), body[length:]))


def predict(payload):
    return json.loads(ask("/v1/models/{}:predict".format(MODEL), json.dumps(payload))[1])


def invoke(body, content_type, accept):
    return ask("/invocations", body, content_type=content_type, accept=accept)[1]


def predictions(body, content_type):
    return json.loads(invoke(body, content_type, "application/json"))["predictions"]


def read_arrow(body):
    return pa.ipc.open_stream(body).read_all().to_pandas()["predictions"].tolist()


SPLIT = json.dumps({"inputs": ROWS} if MODEL == "sk_tensor" else {"dataframe_split": FRAME.to_dict(orient="split")})

results = {
    "open_inference": infer(matrix()),
    "open_inference_binary": infer_binary(),
    "parquet": predictions(parquet(FRAME), "application/vnd.apache.parquet"),
    "arrow": predictions(arrow(FRAME), ARROW),
    "to_arrow": read_arrow(invoke(SPLIT, "application/json", ARROW)),
    "to_csv": pd.read_csv(io.BytesIO(invoke(SPLIT, "application/json", "text/csv")))["predictions"].tolist(),
}
if MODEL == "sk_tensor":
    results["tensorflow_rows"] = predict({"instances": ROWS})["predictions"]
    results["tensorflow_columns"] = predict({"inputs": ROWS})["outputs"]
else:
    indexed = FRAME.set_axis(["a", "b"], axis=0)  # The model sees the labels: these two go to Python.
    results["tensorflow_rows"] = predict({"instances": FRAME.to_dict(orient="records")})["predictions"]
    results["tensorflow_columns"] = predict({"inputs": FRAME.to_dict(orient="list")})["outputs"]
    results["open_inference_columns"] = infer(columns())
    results["parquet_with_index"] = predictions(parquet(indexed), "application/vnd.apache.parquet")
    results["arrow_with_index"] = predictions(arrow(indexed), ARROW)
    results["csv"] = predictions(FRAME.to_csv(index=False), "text/csv")
print(json.dumps(results))
