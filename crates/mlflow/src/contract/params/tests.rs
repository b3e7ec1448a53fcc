//! Params against a signature, in the words of the payload.

use serde_json::json;

use super::*;
use crate::model::read_signature;
use crate::params::ParamValue;

fn contract() -> ParamsContract {
    let signature = json!([
        {"name": "s", "type": "string", "default": "d", "shape": null},
        {"name": "i", "type": "integer", "default": 3, "shape": null},
        {"name": "l", "dtype": "long", "default": null},
        {"name": "f", "type": "float", "default": 0.5, "shape": null},
        {"name": "b", "type": "boolean", "default": false, "shape": null},
        {"name": "t", "type": "datetime", "default": "2024-01-02T03:04:05", "shape": null},
        {"name": "ls", "type": "long", "default": [1, 2], "shape": [-1]},
        {"name": "ts", "type": "datetime", "default": [], "shape": [-1]},
        {"name": "o", "type": "object", "default": {"a": "x"}, "shape": null,
         "properties": {"a": {"type": "string", "required": true}, "b": {"type": "long", "required": false},
                        "f": {"type": "float", "required": false}}}
    ]);
    let signature = read_signature(None, None, Some(&signature.to_string())).unwrap();
    ParamsContract::compile(&signature.params.unwrap())
}

fn check(json: &str) -> CheckedParams {
    contract().check(Some(&sonic_rs::from_str(json).unwrap()))
}

fn given(json: &str) -> Vec<(String, ParamValue)> {
    match check(json) {
        CheckedParams::Enforced { params, .. } => params.map(|params| params.0).unwrap_or_default(),
        other => panic!("{json}: {other:?}"),
    }
}

fn refused(json: &str) -> String {
    match check(json) {
        CheckedParams::Refused(refusal) => refusal.message,
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn values_become_what_python_makes_of_them() {
    use ParamValue::{Boolean, Float, Integer, List, Null, Object, Text};
    let table = [
        (r#"{"s": "é\n"}"#, Text("é\n".to_owned())),
        (r#"{"s": null}"#, Null),
        (r#"{"i": 1099511627776}"#, Integer(1 << 40)),
        (r#"{"l": -9223372036854775808}"#, Integer(i64::MIN)),
        (r#"{"f": 1}"#, Float(1.0)),
        (
            r#"{"f": 1180591620717411303424}"#,
            Float(1_180_591_620_717_411_303_424.0),
        ),
        (r#"{"f": 1e-3}"#, Float(0.001)),
        (r#"{"b": true}"#, Boolean(true)),
        (r#"{"ls": [3, null]}"#, List(vec![Integer(3), Null])),
        (r#"{"ls": []}"#, List(vec![])),
        (
            r#"{"o": {"b": 2, "a": ""}}"#,
            Object(vec![
                ("b".to_owned(), Integer(2)),
                ("a".to_owned(), Text(String::new())),
            ]),
        ),
        (
            r#"{"o": {"a": "x", "b": null}}"#,
            Object(vec![
                ("a".to_owned(), Text("x".to_owned())),
                ("b".to_owned(), Null),
            ]),
        ),
    ];
    for (json, value) in table {
        assert_eq!(given(json)[0].1, value, "{json}");
    }
    let times = given(r#"{"ts": ["2024-01-02", "2024-01-02T00:00Z", null]}"#);
    let [(_, List(times))] = times.as_slice() else {
        panic!("a list");
    };
    assert!(matches!(
        times[..],
        [ParamValue::Date(_), ParamValue::Datetime(_), Null]
    ));
}

#[test]
fn given_order_is_kept_and_unknown_names_are_told() {
    let CheckedParams::Enforced { params, unknown } =
        check(r#"{"zz": {"q": [1e3]}, "l": 1, "s": "x", "i": 2}"#)
    else {
        panic!("enforced");
    };
    let names: Vec<String> = params
        .unwrap()
        .0
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        (names.join(" "), unknown),
        ("l s i".to_owned(), vec!["zz".to_owned()])
    );
    assert!(given("null").is_empty() && given("{}").is_empty() && given(r#"{"zz": 1}"#).is_empty());
    // A model without declared params gets an empty dict where any were sent, as from MLflow.
    for (json, params) in [("null", None), ("[1]", Some(Params::default()))] {
        let unknown = Vec::new();
        let checked = ParamsContract::default().check(Some(&sonic_rs::from_str(json).unwrap()));
        assert_eq!(checked, CheckedParams::Enforced { params, unknown });
    }
}

#[test]
fn every_problem_is_named_in_mlflows_words_without_the_values() {
    let message = refused(r#"{"b": 77, "s": "fine", "i": 77.5, "ls": "secret"}"#);
    assert_eq!(
        message,
        "Invalid parameters found: {\
         ('i', \"Failed to validate type and shape for 'i': integer (default: 3), error: Can not safely convert `<class 'float'>` to `DataType.integer`\"), \
         ('b', \"Failed to validate type and shape for 'b': boolean (default: False), error: Can not safely convert `<class 'int'>` to `DataType.boolean`\"), \
         ('ls', \"Value must be a 1D array with shape (-1,) for param 'ls': long (default: [1, 2]) (shape: (-1,)), received str with ndim 0\")}"
    );
    assert_eq!(
        refused("[1]"),
        "Parameters must be a dictionary. Got type 'list'."
    );
    let table = [
        (r#"{"i": true}"#, "`<class 'bool'>` to `DataType.integer`"),
        (r#"{"f": true}"#, "`<class 'bool'>` to `DataType.float`"),
        (r#"{"l": "77"}"#, "`<class 'str'>` to `DataType.long`"),
        (r#"{"b": 0}"#, "`<class 'int'>` to `DataType.boolean`"),
        (r#"{"s": 77}"#, "`<class 'int'>` to `DataType.string`"),
        (
            r#"{"s": ["77"]}"#,
            "Value must be a scalar for type `DataType.string`",
        ),
        (
            r#"{"t": 77}"#,
            "(default: 2024-01-02 03:04:05), error: Failed to convert value from type `<class 'int'>`",
        ),
        (r#"{"t": "77/77/2024"}"#, "a date is written as 2024-01-02"),
        (r#"{"t": "2024-01-02T03:04:05.123456777"}"#, "six digits"),
        (r#"{"ls": null}"#, "received NoneType with ndim 0"),
        (
            r#"{"ls": [1, 7.7]}"#,
            "`<class 'float'>` to `DataType.long`",
        ),
        (
            r#"{"o": null}"#,
            "Expected data to be dictionary, got NoneType",
        ),
        (r#"{"o": {"b": 77}}"#, "Missing required properties: {'a'}"),
        (
            r#"{"o": {"a": "77", "zz": 1}}"#,
            "not defined in the schema found: {'zz'}",
        ),
    ];
    for (json, words) in table {
        let message = refused(json);
        assert!(message.contains(words), "{json}: {message}");
        assert!(!message.contains("77"), "{json}: {message}");
    }
}

#[test]
fn what_only_python_can_judge_is_left_to_it() {
    let table = [
        r#"{"l": 9223372036854775808}"#,
        r#"{"f": 1e400}"#,
        r#"{"t": "today"}"#,
        r#"{"t": ""}"#,
        r#"{"ls": [[1]]}"#,
        r#"{"o": {"a": 1}}"#,
        r#"{"o": {"a": "x", "f": 1.5}}"#,
        r#"{"s": "a", "s": "b"}"#,
        r#"{"s": "\ud800"}"#,
        r#"{"i": "wrong", "t": "now"}"#,
    ];
    for json in table {
        let value = match sonic_rs::from_str(json) {
            Ok(value) => value,
            // The envelope's reader refuses it before.
            Err(_) => continue,
        };
        assert_eq!(
            contract().check(Some(&value)),
            CheckedParams::Undecided,
            "{json}"
        );
    }
    let deep = format!("{{\"zz\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(check(&deep), CheckedParams::Undecided);
}

#[test]
fn defaults_that_a_model_gets_as_they_are_written_are_known() {
    let defaults = contract().plain_defaults();
    let names: Vec<&str> = defaults.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["s", "i", "l", "f", "b"]);
    assert!(Params(given(r#"{"f": 0.5, "i": 3, "l": null}"#)).repeats(&defaults));
    assert!(Params::default().repeats(&defaults));
    for other in [r#"{"i": 4}"#, r#"{"i": 3, "ls": [1, 2]}"#, r#"{"b": null}"#] {
        assert!(!Params(given(other)).repeats(&defaults), "{other}");
    }
    let zero = Params(vec![("z".to_owned(), ParamValue::Float(0.0))]);
    let below = Params(vec![("z".to_owned(), ParamValue::Float(-0.0))]);
    assert!(zero.repeats(&zero) && !below.repeats(&zero));
}
