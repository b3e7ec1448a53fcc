//! Requests and responses of the protocol under the models of the conformance data.

use bytes::Bytes;

use super::data::Data;
use super::*;
use crate::answer::Answer;
use crate::block::{DType, DenseBlock};
use crate::contract::Contract;
use crate::input::Input;
use crate::model::Model;

fn opened(model: &str) -> (Contract, Model) {
    let folder = format!(
        "{}/../../conformance/mlflow/models/{model}",
        env!("CARGO_MANIFEST_DIR")
    );
    let model = Model::open(&folder).unwrap();
    (
        Contract::compile(&model)
            .beside("3.17.2")
            .with_pandas("3.1.1"),
        model,
    )
}

fn prepared(model: &str, body: &str) -> Result<Prepared, String> {
    let (contract, model) = opened(model);
    let body = Bytes::copy_from_slice(body.as_bytes());
    InferRequest::read(&body, None)
        .and_then(|request| contract.from_open_inference(request, model.signature.as_ref()))
        .map_err(|refusal| refusal.message)
}

/// The body of MLflow's protocol that a request becomes.
fn rewritten(model: &str, body: &str) -> String {
    match prepared(model, body) {
        Ok(Prepared::Json(body)) => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("{body}: {other:?}"),
    }
}

fn read(body: &[u8], json_length: Option<usize>) -> Result<InferRequest, String> {
    InferRequest::read(&Bytes::copy_from_slice(body), json_length)
        .map_err(|refusal| refusal.message)
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    let (cells, _) = bytes.as_chunks::<8>();
    cells.iter().map(|cell| f64::from_le_bytes(*cell)).collect()
}

#[test]
fn columns_come_one_by_one_or_as_one_matrix() {
    let column = |name: &str, shape: &str| {
        format!(r#"{{"name": "{name}", "shape": {shape}, "datatype": "FP64", "data": [1, 2]}}"#)
    };
    let names = [
        "petal_width",
        "sepal_length",
        "sepal_width",
        "petal_length",
        "extra",
    ];
    let inputs: Vec<String> = names.iter().map(|name| column(name, "[2]")).collect();
    let separate = format!(r#"{{"inputs": [{}]}}"#, inputs.join(", "));
    let flat = separate.replace("[2]", "[2, 1]");
    let matrix = r#"{"inputs": [{"name": "x", "shape": [2, 4], "datatype": "FP64", "data": [[1, 1, 1, 1], [2, 2, 2, 2]]}]}"#;
    for body in [&separate, &flat, matrix] {
        let Ok(Prepared::Call(call)) = prepared("sk_cols", body) else {
            panic!("{body}: {:?}", prepared("sk_cols", body));
        };
        let Input::Frame(block) = call.input else {
            panic!("{body}");
        };
        assert_eq!(block.shape, [2, 4]);
        assert_eq!(
            doubles(&block.bytes),
            [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]
        );
    }
    for (body, part) in [
        (
            separate.replace("petal_width", "petal"),
            "missing inputs ['petal_width']",
        ),
        (
            separate.replacen("FP64", "INT64", 1),
            "Can not safely convert int64 to float64",
        ),
        (
            matrix.replace("[2, 4]", "[4, 2]"),
            "it has 2 columns where the signature has 4",
        ),
        (
            separate.replacen(
                r#""shape": [2], "datatype": "FP64", "data": [1, 2]"#,
                r#""shape": [1], "datatype": "FP64", "data": [1]"#,
                1,
            ),
            "differ in rows",
        ),
    ] {
        let message = prepared("sk_cols", &body).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn tensors_must_have_the_declared_type_and_shape() {
    let body = r#"{"inputs": [{"name": "any", "shape": [1, 4], "datatype": "FP64", "data": [1, NaN, -Infinity, null]}]}"#;
    let Ok(Prepared::Call(call)) = prepared("sk_tensor", body) else {
        panic!("{:?}", prepared("sk_tensor", body));
    };
    let Input::Tensor(block) = call.input else {
        panic!();
    };
    let values = doubles(&block.bytes);
    assert!(values[1].is_nan() && values[2] == f64::NEG_INFINITY && values[3].is_nan());
    for (change, part) in [
        (
            ("FP64", "FP32"),
            "dtype of input float32 does not match expected dtype float64",
        ),
        (("FP64", "FP16"), "came as FP16"),
        (
            ("[1, 4]", "[2, 2]"),
            "Shape of input (2, 2) does not match expected shape (-1, 4)",
        ),
    ] {
        let message = prepared("sk_tensor", &body.replace(change.0, change.1)).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn what_python_decides_becomes_mlflows_json() {
    let table = [
        (
            "echo_nosig",
            r#"{"inputs": [{"name": "x", "shape": [2, 1], "datatype": "INT32", "data": [1, 2]}]}"#,
            r#"{"inputs": [[1], [2]]}"#,
        ),
        (
            "echo_nosig",
            r#"{"inputs": [{"name": "x", "shape": [2], "datatype": "FP16", "data": [0.5, 2]}, {"name": "y", "shape": [1], "datatype": "BYTES", "data": ["é"]}]}"#,
            r#"{"inputs": {"x": [0.5, 2.0], "y": ["\u00e9"]}}"#,
        ),
        (
            "echo_nosig",
            r#"{"parameters": {"content_type": "pd"}, "inputs": [{"name": "x", "shape": [2], "datatype": "BOOL", "data": [true, false]}, {"name": "y", "shape": [2, 1], "datatype": "INT8", "data": [1, 2]}]}"#,
            r#"{"dataframe_split": {"columns": ["x", "y"], "data": [[true, 1], [false, 2]]}}"#,
        ),
        (
            "hint_str",
            r#"{"inputs": [{"name": "x", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}]}"#,
            r#"{"inputs": ["a", "b"]}"#,
        ),
        (
            "hint_dict",
            r#"{"inputs": [{"name": "a", "shape": [2], "datatype": "INT64", "data": [1, 2]}, {"name": "b", "shape": [2], "datatype": "BYTES", "data": ["x", "y"]}]}"#,
            r#"{"inputs": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}"#,
        ),
        (
            "echo_tensor_named",
            r#"{"inputs": [{"name": "b", "shape": [1], "datatype": "INT64", "data": [1]}, {"name": "c", "shape": [1], "datatype": "BYTES", "data": ["t"]}]}"#,
            r#"{"inputs": {"b": [1], "c": ["t"]}}"#,
        ),
    ];
    for (model, body, expected) in table {
        assert_eq!(rewritten(model, body), expected, "{model} {body}");
    }
    let dates = r#"{"inputs": [{"name": "t", "shape": [1], "datatype": "BYTES", "data": ["2024-01-02"]}, {"name": "x", "shape": [1], "datatype": "BYTES", "parameters": {"content_type": "base64"}, "data": ["AP8="]}]}"#;
    assert_eq!(
        rewritten("echo_types", dates),
        r#"{"dataframe_split": {"columns": ["t", "x"], "data": [["2024-01-02", "AP8="]]}}"#
    );
    let text = prepared(
        "echo_nosig",
        r#"{"inputs": [{"name": "y", "shape": [1], "datatype": "BYTES", "parameters": {"content_type": "base64"}, "data": ["AP8="]}]}"#,
    );
    assert!(
        text.unwrap_err()
            .contains("Element 1 of input 'y' is no UTF-8 text")
    );
}

#[test]
fn nested_columns_are_json_texts_or_further_dimensions() {
    let (_, model) = opened("echo_nested");
    let columns = match model.signature.unwrap().inputs.unwrap() {
        crate::model::Schema::Columns(columns) => columns,
        crate::model::Schema::Tensors(_) => panic!(),
    };
    let name = |nested: bool| {
        let found = columns
            .iter()
            .find(|column| matches!(column.ty, crate::model::DataType::Object(_)) == nested);
        found.and_then(|column| column.name.clone()).unwrap()
    };
    let (object, list) = (name(true), name(false));
    let body = format!(
        r#"{{"inputs": [{{"name": "{object}", "shape": [1], "datatype": "BYTES", "data": ["{{\"k\": [1]}}"]}}, {{"name": "{list}", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}}]}}"#
    );
    assert_eq!(
        rewritten("echo_nested", &body),
        format!(
            r#"{{"dataframe_split": {{"columns": ["{object}", "{list}"], "data": [[{{"k": [1]}}, [1.0, 2.0]]]}}}}"#
        )
    );
    let broken = body.replace(r#"{\"k\": [1]}"#, r#"{\"k\": "#);
    let message = prepared("echo_nested", &broken).unwrap_err();
    assert!(message.contains("is not JSON"), "{message}");
}

#[test]
fn declared_params_are_taken_from_the_parameters() {
    let body = |value: &str| {
        format!(
            r#"{{"parameters": {{"p_str": {value}, "other": 2}}, "inputs": [{{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}}]}}"#
        )
    };
    let Ok(Prepared::Call(call)) = prepared("echo_params", &body("\"a\"")) else {
        panic!();
    };
    let params = call.options.params.unwrap();
    assert_eq!(
        params.0,
        [(
            "p_str".to_owned(),
            crate::params::ParamValue::Text("a".into())
        )]
    );
    let message = prepared("echo_params", &body("1")).unwrap_err();
    assert!(message.contains("p_str"), "{message}");
    // Params whose values only Python judges go there with the data.
    let dates = body("\"a\"").replace("\"p_str\": \"a\"", "\"p_obj\": {\"a\": \"y\"}");
    let whole = prepared("echo_params", &dates).unwrap();
    assert!(
        matches!(whole, Prepared::Json(_) | Prepared::Call(_)),
        "{whole:?}"
    );
}

#[test]
fn tensors_may_come_as_bytes_behind_the_json() {
    let json = r#"{"id": "7", "inputs": [{"name": "x", "shape": [2], "datatype": "INT16", "parameters": {"binary_data_size": 4}}, {"name": "s", "shape": [1, 2], "datatype": "BYTES", "parameters": {"binary_data_size": 11}}], "outputs": [{"name": "y", "parameters": {"binary_data": true}}, {"name": "z"}]}"#;
    let tail = [1, 0, 2, 0, 1, 0, 0, 0, b'a', 2, 0, 0, 0, 0xff, 0];
    let body = [json.as_bytes(), &tail].concat();
    let request = read(&body, Some(json.len())).unwrap();
    assert_eq!(request.id.as_deref(), Some("7"));
    assert_eq!(request.outputs[0].binary, Some(true));
    assert_eq!(request.outputs[1].binary, None);
    let Data::Fixed(bytes) = &request.inputs[0].data else {
        panic!();
    };
    assert_eq!(bytes.as_ref(), &[1, 0, 2, 0]);
    let Data::Bytes(elements) = &request.inputs[1].data else {
        panic!();
    };
    assert_eq!(
        (elements.value(0), elements.value(1)),
        (&b"a"[..], &[0xff, 0][..])
    );
    let changed = |from: &str, to: &str| {
        let json = json.replace(from, to);
        read(&[json.as_bytes(), &tail].concat(), Some(json.len())).unwrap_err()
    };
    for (from, to, part) in [
        (
            ": 11",
            ": 10",
            "element 2 is said to have 2 bytes, but 1 are left",
        ),
        (": 11", ": 12", "11 bytes are left in the body"),
        (
            "[1, 2]",
            "[3]",
            "the shape has 3 elements, but the bytes hold 2",
        ),
        (": 4}", ": 2}", "2 elements of INT16 take 4 bytes"),
        ("INT16", "BOOL", "2 elements of BOOL take 2 bytes"),
    ] {
        let message = changed(from, to);
        assert!(message.contains(part), "{message}");
    }
    assert!(
        read(&body, Some(10_000))
            .unwrap_err()
            .contains("says 10000 bytes")
    );
    let more = [&body[..], &[0]].concat();
    assert!(
        read(&more, Some(json.len()))
            .unwrap_err()
            .contains("1 bytes are left behind")
    );
}

/// Requests that are refused, each with what its message says.
fn refused() -> Vec<(String, &'static str)> {
    let input = |shape: &str, datatype: &str, data: &str| {
        format!(
            r#"{{"inputs": [{{"name": "x", "shape": {shape}, "datatype": "{datatype}", "data": {data}}}]}}"#
        )
    };
    vec![
        ("{".to_owned(), "at byte 2"),
        ("{}".to_owned(), "no 'inputs'"),
        (r#"{"inputs": [{}]}"#.to_owned(), "Input 1 has no 'name'"),
        (
            r#"{"inputs": [{"name": 1}]}"#.to_owned(),
            "a text for 'name'",
        ),
        (
            r#"{"inputs": [{"name": "x", "datatype": "FP64"}]}"#.to_owned(),
            "no 'shape'",
        ),
        (
            r#"{"inputs": [{"name": "x", "datatype": "FP64", "shape": [1]}]}"#.to_owned(),
            "no 'data'",
        ),
        (input("[-1]", "FP64", "[1]"), "a shape of numbers from 0"),
        (
            input("[9999999999, 9999999999]", "FP64", "[1]"),
            "too large",
        ),
        (input("[99999999, 0]", "FP64", "[]"), "too large"),
        (
            input("[1]", "FLOAT", "[1]"),
            "unknown datatype; there are BOOL",
        ),
        (
            input("[2]", "FP64", "[31415]"),
            "has 2 elements, but 'data' has 1",
        ),
        (input("[1]", "FP64", "31415"), "must be a list"),
        (
            input("[2]", "FP64", "[1, \"31415\"]"),
            "element 2 is a text, expected FP64",
        ),
        (
            input("[1]", "INT8", "[31415]"),
            "an integer out of its range",
        ),
        (input("[1]", "INT64", "[3.1415]"), "element 1 is a fraction"),
        (input("[1]", "BYTES", "[null]"), "element 1 is null"),
        (
            input("[1]", "BOOL", "[1]"),
            "element 1 is a number, expected BOOL",
        ),
        (r#"{"id": 1, "inputs": []}"#.to_owned(), "a text for 'id'"),
        (
            r#"{"parameters": {"binary_data_output": 1}, "inputs": []}"#.to_owned(),
            "true or false",
        ),
    ]
}

#[test]
fn what_is_wrong_with_a_request_is_named_and_never_quoted() {
    for (body, part) in refused() {
        let message = read(body.as_bytes(), None).unwrap_err();
        assert!(message.contains(part), "{body}: {message}");
        assert!(!message.contains("1415"), "{message}");
    }
    let two = r#"{"inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "data": [1]}, {"name": "x", "shape": [1], "datatype": "INT8", "data": [1]}]}"#;
    assert!(
        read(two.as_bytes(), None)
            .unwrap_err()
            .contains("Two inputs are named 'x'")
    );
}

fn responded(request: &str, answer: Answer) -> Result<InferResponse, String> {
    let request = read(request.as_bytes(), None).unwrap();
    let responder = Responder::to(&request, "m", "1", None);
    responder
        .respond(answer)
        .map_err(|problem| problem.to_string())
}

const ASK: &str =
    r#"{"id": "a", "inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "data": [1]}]}"#;

fn json(predictions: &str) -> Answer {
    Answer::Json(format!("{{\"predictions\": {predictions}}}").into())
}

#[test]
fn answers_become_named_outputs() {
    let names: Vec<String> = vec!["a".into(), "b".into()];
    let block = DenseBlock::new(DType::UInt8, vec![2, 2], vec![1, 2, 3, 4].into()).unwrap();
    let output = |name: &str, datatype: &str, shape: &str, data: &str| {
        format!(
            r#"{{"name": "{name}", "datatype": "{datatype}", "shape": {shape}, "data": {data}}}"#
        )
    };
    let table = [
        (
            Answer::Dense(block.clone()),
            output("predictions", "UINT8", "[2, 2]", "[1, 2, 3, 4]"),
        ),
        (
            Answer::Dense(block.with_columns(names.into())),
            [
                output("a", "UINT8", "[2]", "[1, 3]"),
                output("b", "UINT8", "[2]", "[2, 4]"),
            ]
            .join(", "),
        ),
        (
            json("[[1, 2.5], [NaN, 4]]"),
            output("predictions", "FP64", "[2, 2]", "[1.0, 2.5, NaN, 4.0]"),
        ),
        (
            json("\"text\""),
            output("predictions", "BYTES", "[1]", r#"["text"]"#),
        ),
        (json("true"), output("predictions", "BOOL", "[1]", "[true]")),
        (
            json("[18446744073709551615, 1]"),
            output("predictions", "UINT64", "[2]", "[18446744073709551615, 1]"),
        ),
        (
            json(r#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]"#),
            [
                output("a", "INT64", "[2]", "[1, 2]"),
                output("b", "BYTES", "[2]", r#"["x", "y"]"#),
            ]
            .join(", "),
        ),
        (
            json(r#"{"a": [1, 2], "b": [[1.5], [2.5]]}"#),
            [
                output("a", "INT64", "[2]", "[1, 2]"),
                output("b", "FP64", "[2, 1]", "[1.5, 2.5]"),
            ]
            .join(", "),
        ),
    ];
    for (answer, outputs) in table {
        let response = responded(ASK, answer).unwrap();
        assert_eq!(response.json_length, None);
        assert_eq!(
            std::str::from_utf8(&response.body).unwrap(),
            format!(
                r#"{{"model_name": "m", "model_version": "1", "id": "a", "outputs": [{outputs}]}}"#
            )
        );
    }
}

#[test]
fn answers_without_a_form_say_what_is_in_the_way() {
    for (predictions, part) in [
        (r#"{"a": {"b": 1}}"#, "'a' is an object"),
        (r#"[{"a": 1}, {"b": 1}]"#, "holds objects"),
        ("[[1], [2, 3]]", "different lengths"),
        ("[1, [2]]", "different lengths"),
        (r#"[1, "x"]"#, "mixes types"),
        ("[null]", "misses values"),
        ("36893488147419103232", "beyond 64 bits"),
    ] {
        let message = responded(ASK, json(predictions)).unwrap_err();
        assert!(
            message.contains(part) && message.contains("/invocations"),
            "{message}"
        );
    }
}

#[test]
fn outputs_are_chosen_and_may_be_bytes_behind_the_json() {
    let answer = || {
        Answer::Json(Bytes::from_static(
            br#"{"predictions": {"a": [1], "s": ["xy", ""], "c": [2]}}"#,
        ))
    };
    let ask = ASK.replacen('{', r#"{"outputs": [{"name": "s"}, {"name": "a", "parameters": {"binary_data": false}}], "parameters": {"binary_data_output": true}, "#, 1);
    let response = responded(&ask, answer()).unwrap();
    let (json, tail) = response.body.split_at(response.json_length.unwrap());
    let json: serde_json::Value = serde_json::from_slice(json).unwrap();
    assert_eq!(json["outputs"][0]["parameters"]["binary_data_size"], 10);
    assert!(json["outputs"][0].get("data").is_none());
    assert_eq!(json["outputs"][1]["data"], serde_json::json!([1]));
    assert_eq!(tail, b"\x02\0\0\0xy\0\0\0\0");
    let unknown = ask.replacen(r#""s""#, r#""q""#, 1);
    let message = responded(&unknown, answer()).unwrap_err();
    assert!(
        message.contains("no output 'q'; it has a, s, c"),
        "{message}"
    );
}
