//! Refusals and losses in words; which values pass is compared with real MLflow in `conformance/differential`.

use crate::contract::{Contract, Strictness};
use crate::decode::Decoded;
use crate::lossy::LossyCast;
use crate::model::Model;
use crate::refusal::Check;

pub(super) fn contract(model: &str) -> Contract {
    let folder = format!(
        "{}/../../conformance/mlflow/models/{model}",
        env!("CARGO_MANIFEST_DIR")
    );
    let contract = Contract::compile(&Model::open(&folder).unwrap());
    contract
        .beside("3.17.2")
        .with_pandas("3.1.1")
        .with_numpy("2.4.6")
}

fn refused(contract: &Contract, body: &str) -> (Check, String) {
    match contract.decode_json(body.as_bytes()) {
        Decoded::Refused(refusal) => (refusal.check, refusal.message),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_cast_that_fails_has_its_rows_and_types_named_and_no_value() {
    let body = r#"{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"],
        "data": [[1, "secret", 3, 4], [1, 2, {}, 4], [1, "secret", 3, 4]]}}"#;
    let (check, message) = refused(&contract("sk_cols"), body);
    assert_eq!(check, Check::Parse);
    assert_eq!(
        message,
        "Invalid input. Data is not compatible with model signature. Failed to convert column sepal_width to type 'float64'. \
         Column 'sepal_width' expects double, which cannot be made of: row 0 (string), row 2 (string). Column 'petal_length' \
         expects double, which cannot be made of: row 1 (object)."
    );
}

#[test]
fn a_body_that_is_no_payload_is_told_what_is_expected() {
    let contract = contract("sk_cols");
    let (_, message) = refused(&contract, "{\"dataframe_split\": {\n\"columns\": [],}}");
    assert!(
        message.ends_with("Error: 'expected a key in double quotes: line 2 column 15'"),
        "{message}"
    );
    let (_, message) = refused(&contract, r#"{"dataframe_spilt": {}}"#);
    assert!(
        message.contains("Did you mean 'dataframe_split' instead of 'dataframe_spilt'?"),
        "{message}"
    );
    let (_, message) = refused(&contract, "[1]");
    assert!(message.ends_with("Received a list."), "{message}");
}

#[test]
fn losses_are_counted_and_strict_checking_refuses_them() {
    let body = r#"{"dataframe_records": [{"sepal_length": "1.5", "sepal_width": true, "petal_length": 9007199254740993,
        "petal_width": null, "colour": 1}]}"#;
    let lenient = contract("sk_cols");
    let Decoded::Call(call) = lenient.decode_json(body.as_bytes()) else {
        panic!("not decoded");
    };
    let losses: Vec<(&str, LossyCast, usize)> = call
        .lossy
        .iter()
        .map(|lossy| (lossy.name.as_str(), lossy.cast, lossy.count))
        .collect();
    assert_eq!(
        losses,
        [
            ("sepal_length", LossyCast::TextAsNumber, 1),
            ("sepal_width", LossyCast::BooleanAsNumber, 1),
            ("petal_length", LossyCast::Rounded, 1),
            ("colour", LossyCast::ExtraColumn, 1),
        ]
    );
    let strict = contract("sk_cols").with_strictness(Strictness::Strict);
    let (check, message) = refused(&strict, body);
    assert_eq!(check, Check::Schema);
    assert!(message.contains("Column 'sepal_length' (double): a string would be read as a number at 1 place, first in row 0."), "{message}");
    let extra = r#"{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width", "petal_widht"],
        "data": [[1, 2, 3, 4, 5]]}}"#;
    let (_, message) = refused(&strict, extra);
    assert!(
        message.contains("Did you mean 'petal_width' instead of 'petal_widht'?"),
        "{message}"
    );
    let clean = extra.replace(r#", "petal_widht""#, "").replace(", 5]", "]");
    assert!(
        matches!(strict.decode_json(clean.as_bytes()), Decoded::Call(call) if call.lossy.is_empty())
    );
}

#[test]
fn a_value_of_a_tensor_is_named_by_its_position() {
    let (check, message) = refused(
        &contract("sk_tensor"),
        r#"{"inputs": [[1, 2, 3, 4], [1, 2, "x", 4]]}"#,
    );
    assert_eq!(check, Check::Parse);
    assert!(message.ends_with("such as: [1, 2] (string)."), "{message}");
    let (check, message) = refused(&contract("sk_tensor"), r#"{"inputs": [[1, 2, 3]]}"#);
    assert_eq!(check, Check::Schema);
    assert!(
        message.starts_with("Shape of input (1, 3) does not match expected shape (-1, 4)."),
        "{message}"
    );
}

#[test]
fn versions_that_were_not_measured_leave_odd_payloads_to_python() {
    let folder = format!(
        "{}/../../conformance/mlflow/models/sk_cols",
        env!("CARGO_MANIFEST_DIR")
    );
    let contract = Contract::compile(&Model::open(&folder).unwrap());
    for contract in [
        contract.clone().beside("2.9.2").with_pandas("2.1.0"),
        contract.beside("3.17.2").with_pandas("1.5.3"),
    ] {
        assert!(matches!(contract.decode_json(b"[1]"), Decoded::AsItCame));
    }
}

#[test]
fn a_frame_of_holes_is_refused_before_it_takes_memory() {
    let records: Vec<String> = (0..3000).map(|key| format!("{{\"k{key}\": 1}}")).collect();
    let body = format!("{{\"dataframe_records\": [{}]}}", records.join(","));
    // Decided in Rust, and left to Python.
    for model in ["echo_types", "echo_nested", "sk_nosig"] {
        let (check, message) = refused(&contract(model), &body);
        assert_eq!(check, Check::Parse);
        assert!(
            message.contains("only 3000 of them have values"),
            "{model}: {message}"
        );
    }
    let wide = format!("[{}]", vec!["1"; 3000].join(","));
    let ragged = format!(
        "{{\"dataframe_split\": {{\"data\": [{}{wide}]}}}}",
        "[1],".repeat(3000)
    );
    let (_, message) = refused(&contract("sk_nosig"), &ragged);
    assert!(message.contains("3001 rows of 3000 columns"), "{message}");
}
