//! Payload forms of one model: what they mean, and which of them Rust leaves to Python.

use super::*;
use crate::model::Model;

fn iris(body: &[u8]) -> Decoded {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/mlflow/models/sk_cols"
    );
    Contract::compile(&Model::open(folder).unwrap()).decode_json(body)
}

const ROW: &str = r#""columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"], "data": [[1, 2.5, 3, null]]"#;

/// A split payload of [`ROW`] after `change`.
fn split(change: impl Fn(String) -> String) -> Vec<u8> {
    [r#"{"dataframe_split": {"#, &change(ROW.to_owned()), "}}"]
        .concat()
        .into()
}

fn dense(body: &[u8]) -> Vec<f64> {
    let Decoded::Call(ModelCall {
        input: Input::Frame(block),
        ..
    }) = iris(body)
    else {
        panic!("not decoded: {}", String::from_utf8_lossy(body));
    };
    let cells = block.bytes.chunks_exact(8);
    cells
        .map(|cell| f64::from_le_bytes(cell.try_into().unwrap()))
        .collect()
}

#[test]
fn every_form_means_the_same_rows() {
    let row = r#"{"petal_width": 4, "sepal_length": 1, "sepal_width": 2.5, "petal_length": 3}"#;
    let lists =
        r#"{"petal_width": [4], "sepal_length": [1], "sepal_width": [2.5], "petal_length": [3]}"#;
    let extra = row.replacen('{', r#"{"x": {}, "#, 1);
    let reordered = r#"{"dataframe_split": {"data": [[4, 1, 0, 2.5, 3]], "index": [0],
        "columns": ["petal_width", "sepal_length", "x", "sepal_width", "petal_length"]}}"#;
    for body in [
        reordered.to_owned(),
        [r#"{"dataframe_records": ["#, row, "]}"].concat(),
        [r#"{"dataframe_records": ["#, &extra, r#"], "other": 1}"#].concat(),
        [r#"{"instances": ["#, row, r#"], "params": {}}"#].concat(),
        [r#"{"inputs": ["#, row, "]}"].concat(),
        [r#"{"inputs": "#, lists, "}"].concat(),
        [r#"{"instances": "#, lists, "}"].concat(),
    ] {
        assert_eq!(dense(body.as_bytes()), [1.0, 2.5, 3.0, 4.0], "{body}");
    }
    assert!(dense(&split(|row| row))[3].is_nan());
    assert_eq!(dense(&split(|row| row.replace("2.5", "-0.05")))[1], -0.05);
    let second = |text| dense(&split(|row| row.replace("2.5", text)))[1].to_bits();
    assert_eq!(second("-0.0"), (-0.0_f64).to_bits());
    assert_eq!(second("-0e0"), (-0.0_f64).to_bits());
    assert_eq!(second("-0"), 0, "Python's integers have no minus zero");
}

#[test]
fn what_rust_does_not_decide_goes_as_it_came() {
    let with = |key: &str| {
        let body = String::from_utf8(split(|row| row)).unwrap();
        body.replacen('{', &format!("{{{key}, "), 1).into_bytes()
    };
    let bodies: Vec<Vec<u8>> = vec![
        b"".into(),
        b"[1]".into(),
        [
            br#"{"dataframe_split": {"columns": [""#.as_ref(),
            b"\xff",
            br#""], "data": [[1]]}}"#,
        ]
        .concat(),
        ["[{", ROW, "}]"].concat().into(),
        [r#"{"dataframe_split": ["#, ROW, "]}"].concat().into(),
        [split(|row| row), b"x".to_vec()].concat(),
        split(|row| row.replace("2.5", r#""2.5""#)),
        split(|row| row.replace("2.5", "true")),
        split(|row| row.replace("2.5", "NaN")),
        split(|row| row.replace("[1, 2.5", "[1, 1, 2.5")),
        split(|row| row.replace("[1, 2.5", "[2.5")),
        split(|row| row.replace("sepal_width", "sepal_length")),
        split(|row| row.replace("sepal_width", "width")),
        split(|row| row + r#", "index": [0, 1]"#),
        split(|row| row + r#", "index": [1]"#),
        split(|row| row + r#", "index": ["0"]"#),
        split(|row| row + r#", "extra": 1"#),
        split(|row| row + r#", "data": [[1, 2, 3, 4]]"#),
        with(r#""inputs": null"#),
        with(r#""messages": null"#),
        br#"{"dataframe_split": {"columns": [], "data": []}}"#.into(),
        br#"{"dataframe_records": []}"#.into(),
        br#"{"inputs": [[1, 2, 3, 4]]}"#.into(),
    ];
    for body in bodies {
        assert!(
            matches!(iris(&body), Decoded::AsItCame),
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
}

#[test]
fn payload_forms_of_mlflow_1x_are_its_own_codes() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/mlflow/models/sk_tensor"
    );
    let contract = Contract::compile(&Model::open(folder).unwrap());
    let body = br#"{"inputs": [[1, 2, 3, 4]]}"#;
    assert!(matches!(
        contract.decode_json(body),
        Decoded::Call(ModelCall {
            input: Input::Tensor(_),
            ..
        })
    ));
    assert!(matches!(
        contract.beside("1.30.1").decode_json(body),
        Decoded::AsItCame
    ));
}

#[test]
fn unknown_params_are_told_and_with_strictness_refused() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/mlflow/models/echo_params"
    );
    let contract = Contract::compile(&Model::open(folder).unwrap());
    let body = br#"{"inputs": {"x": [1.0]}, "params": {"p_lnog": 9, "p_long": 9}}"#;
    let Decoded::Call(call) = contract.decode_json(body) else {
        panic!("decoded");
    };
    assert_eq!(
        (call.options.params.unwrap().0.len(), call.lossy.len()),
        (1, 1)
    );
    assert_eq!(call.lossy[0].name, "p_lnog");
    let strict = contract.with_strictness(crate::contract::Strictness::Strict);
    let Decoded::Refused(refusal) = strict.decode_json(body) else {
        panic!("refused");
    };
    assert!(
        refusal
            .message
            .contains("these params: ['p_lnog']. It declares ['p_str',"),
        "{refusal}"
    );
    // Data is judged before params.
    assert!(matches!(
        strict.decode_json(br#"{"inputs": {"y": [1.0]}, "params": {"p_int": "x"}}"#),
        Decoded::AsItCame
            | Decoded::Refused(Refusal {
                check: crate::refusal::Check::Schema,
                ..
            })
    ));
}

#[test]
fn lists_nested_without_end_end_no_process() {
    let deep = |key: &str| {
        let depth = 2_000_000;
        [
            format!("{{\"{key}\": ").into_bytes(),
            vec![b'['; depth],
            vec![b']'; depth],
            b"}".to_vec(),
        ]
        .concat()
    };
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/mlflow/models/sk_cols"
    );
    let model = Model::open(folder).unwrap();
    let contract = Contract::compile(&model);
    let strict = contract
        .clone()
        .beside("3.17.2")
        .with_strictness(Strictness::Strict);
    for key in ["inputs", "dataframe_split", "params", "unknown", "messages"] {
        for contract in [&contract, &strict] {
            assert!(matches!(
                contract.decode_json(&deep(key)),
                Decoded::Refused(_)
            ));
        }
    }
    assert!(matches!(
        from_input_data(&deep("input_data")),
        Err(AzureError::TooDeep)
    ));
    assert!(matches!(
        contract.decode_azure(&deep("input_data")),
        AzureDecoded::Refused(AzureError::TooDeep)
    ));
    let signature = model.signature.as_ref();
    assert!(
        contract
            .from_tensorflow(&deep("instances"), signature)
            .is_err()
    );
    let request = crate::open_inference::InferRequest::read(&deep("inputs").into(), None);
    assert!(request.is_err());
}
