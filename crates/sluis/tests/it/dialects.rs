//! One model, many dialects: the same rows have the same predictions in each of them.

use std::process::Command;

use serde_json::{Value, json};

use super::server::{Server, model, request, root, test_python};

fn client(server: &Server, model: &str) -> serde_json::Map<String, Value> {
    let script = root().join("crates/sluis/tests/it/dialects.py");
    let done = Command::new(test_python())
        .arg(script)
        .args([&server.port.to_string(), model])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{error}");
    match serde_json::from_slice(&done.stdout) {
        Ok(Value::Object(results)) => results,
        other => panic!("{other:?}: {error}"),
    }
}

#[test]
fn every_dialect_has_the_same_predictions() {
    for (name, dialects, by_python) in [("sk_cols", 12, 2), ("sk_tensor", 8, 0)] {
        let server = Server::start(&model(name), &[]);
        let results = client(&server, name);
        assert_eq!(results.len(), dialects);
        for (dialect, predictions) in results {
            assert_eq!(predictions, json!([0, 2]), "{name} by {dialect}");
        }
        let (_, metrics) = request(server.port, "GET", "/metrics", &[], b"");
        let counted = "sluis_gateway_payloads_total{decoder=\"python\"} ";
        let found = metrics.lines().find_map(|line| line.strip_prefix(counted));
        let found: usize = found.map_or(0, |count| count.parse().unwrap());
        assert_eq!(found, by_python, "{name}: payloads that Python decoded");
    }
}

fn infer(server: &Server, model: &str, inputs: &Value) -> (u16, Value) {
    let path = format!("/v2/models/{model}/infer");
    let body = json!({"inputs": inputs}).to_string();
    let (status, text) = server.post(&path, "application/json", body.as_bytes());
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")),
    )
}

fn bytes(name: &str, data: &Value) -> Value {
    json!({"name": name, "shape": [1], "datatype": "BYTES", "data": data})
}

/// The data of an output, by its name.
fn output<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let outputs = answer["outputs"].as_array().unwrap();
    let found = outputs.iter().find(|output| output["name"] == name);
    &found.unwrap_or_else(|| panic!("no {name} in {answer}"))["data"]
}

#[test]
fn named_tensors_and_names_of_models_are_taken() {
    let server = Server::start(
        &model("echo_tensor_named"),
        &["--model-name", "my tensors", "--model-version", "7"],
    );
    let inputs = json!([
        {"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 2]},
        {"name": "b", "shape": [1], "datatype": "INT64", "data": [3]},
        bytes("c", &json!(["text"])),
    ]);
    // The model answers what reached it, as an object of objects: TensorFlow's columns hold it, Open Inference does not.
    let (status, answer) = infer(&server, "my%20tensors/versions/7", &inputs);
    assert_eq!(status, 406, "{answer}");
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("'items' is an object"), "{error}");
    let tensorflow = json!({"inputs": {"a": [[0.5, 2]], "b": [3], "c": ["text"]}}).to_string();
    let path = "/v1/models/my%20tensors/versions/7:predict";
    let (status, text) = server.post(path, "application/json", tensorflow.as_bytes());
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    let items = &answer["outputs"]["items"];
    assert_eq!(items["a"][1], "float32", "{text}");
    assert_eq!(items["a"][2], json!([1, 2]), "{text}");
    assert_eq!(items["b"][1], "int64", "{text}");
    let (status, text) = request(
        server.port,
        "GET",
        "/v2/models/my%20tensors/ready",
        &[],
        b"",
    );
    assert_eq!(
        (status, text.as_str()),
        (200, r#"{"name":"my tensors","ready":true}"#)
    );
    let (status, text) = request(server.port, "GET", "/v1/models/my%20tensors", &[], b"");
    assert_eq!(status, 200);
    assert!(
        text.contains("AVAILABLE") && text.contains("\"7\""),
        "{text}"
    );
}

#[test]
fn answers_of_all_kinds_have_a_form_or_a_clear_error() {
    let server = Server::start(&model("outputs"), &[]);
    let ask = |kind: &str| infer(&server, "outputs", &json!([bytes("kind", &json!([kind]))]));
    for (kind, name, expected) in [
        ("int", "predictions", json!([42])),
        ("bool", "predictions", json!([true])),
        ("str", "predictions", json!(["hello \u{e9} \u{4f60} \n"])),
        ("bytes", "predictions", json!(["AAFoZWxsbw==\n"])),
        (
            "datetime",
            "predictions",
            json!(["2024-01-02T03:04:05.678901"]),
        ),
        ("tuple", "predictions", json!([1, 2])),
        ("nd_2d", "predictions", json!([0.1, 0.9, 1e-8, 1.0 / 3.0])),
        ("nd_0d", "predictions", json!([5])),
        ("nd_str", "predictions", json!(["a", "b"])),
        ("nd_u64", "predictions", json!([u64::MAX])),
        ("df_intcols", "1", json!([2, 4])),
        ("df_bytes", "y", json!(["YWI=\n"])),
        ("df_timestamps", "t", json!(["2024-01-02T00:00:00", "NaT"])),
        ("series_named", "label", json!(["x", "y"])),
        ("dict_nd", "b", json!([0.5])),
        ("list_pydantic", "a", json!([1])),
    ] {
        let (status, answer) = ask(kind);
        assert_eq!(status, 200, "{kind}: {answer}");
        assert_eq!(*output(&answer, name), expected, "{kind}");
    }
    for (kind, expected, part) in [
        ("dict", 406, "'b' is an object"),
        ("list", 406, "mixes types"),
        ("df_Int64_na", 406, "misses values"),
        ("bigint", 406, "beyond 64 bits"),
        ("set", 500, "JSON cannot hold"),
        ("raise_value", 400, "ValueError: boom"),
        ("raise_mlflow_404", 404, "mine"),
    ] {
        let (status, answer) = ask(kind);
        assert_eq!(status, expected, "{kind}: {answer}");
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(part), "{kind}: {error}");
    }
    for (kind, rows, columns) in [
        (
            "df_intcols",
            json!([{"0": 1, "1": 2}, {"0": 3, "1": 4}]),
            json!({"0": [1, 3], "1": [2, 4]}),
        ),
        ("series", json!([1.5, 2.5]), json!([1.5, 2.5])),
        ("dict_nd", Value::Null, json!({"a": [1, 2], "b": [[0.5]]})),
        (
            "str",
            json!("hello \u{e9} \u{4f60} \n"),
            json!("hello \u{e9} \u{4f60} \n"),
        ),
    ] {
        for (key, payload, expected) in [
            ("predictions", json!({"instances": [{"kind": kind}]}), &rows),
            ("outputs", json!({"inputs": {"kind": [kind]}}), &columns),
        ] {
            let body = payload.to_string();
            let (status, text) = server.post(
                "/v1/models/outputs:predict",
                "application/json",
                body.as_bytes(),
            );
            let answer: Value = serde_json::from_str(&text).unwrap();
            if expected.is_null() {
                assert_eq!(status, 406, "{kind}: {text}");
                assert!(text.contains("different lengths"), "{kind}: {text}");
            } else {
                assert_eq!(&answer[key], expected, "{kind}: {text}");
            }
        }
    }
    let accept = [("content-type", "application/json"), ("accept", "text/csv")];
    let csv = |kind: &str| {
        let body = json!({"dataframe_records": [{"kind": kind}]}).to_string();
        request(
            server.port,
            "POST",
            "/invocations",
            &accept,
            body.as_bytes(),
        )
    };
    assert_eq!(csv("df_intcols"), (200, "0,1\n1,2\n3,4\n".into()));
    assert_eq!(csv("nd_nan").1, "predictions\n1.0\nNaN\ninf\n-inf\n");
    let (status, text) = csv("int");
    assert_eq!(status, 406, "{text}");
    assert!(text.contains("not a table"), "{text}");
}
