//! TensorFlow Serving's predict body as MLflow's own.
//!
//! `instances` and `inputs` mean in MLflow what they mean here, so the values stay as they are. Objects `{"b64": "…"}`
//! hold bytes: for a `binary` column they go on as base64 text in a frame, whose bytes MLflow decodes; anywhere else they
//! have to be UTF-8 text, since JSON has no other way to a model.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::contract::{Contract, Layout, PythonReason};
use crate::encode::json;
use crate::encode::tensorflow::Format;
use crate::json::{JsonError, Scanner, Token, Tree};
use crate::model::{DataType, Schema, Signature};
use crate::refusal::Refusal;

/// A predict request: MLflow's body, and the format of the answer.
#[derive(Debug, PartialEq, Eq)]
pub struct PredictRequest {
    /// For MLflow's scoring protocol.
    pub body: Bytes,
    /// How the values are laid out.
    pub format: Format,
}

/// The only signature that a served model has.
const DEFAULT_SIGNATURE: &str = "serving_default";

/// Bytes of values whose columns are made rows, for which they are taken apart.
const MAX_TRANSPOSED: usize = 16 << 20;

/// Spans of the body.
#[derive(Default)]
struct Parts<'a> {
    instances: Option<&'a [u8]>,
    inputs: Option<&'a [u8]>,
    params: Option<&'a [u8]>,
}

impl Contract {
    /// Reads the body of `:predict`. Refuses what is no such body; what the values mean is for
    /// [`decode_json`](Self::decode_json).
    pub fn from_tensorflow(
        &self,
        body: &[u8],
        signature: Option<&Signature>,
    ) -> Result<PredictRequest, Refusal> {
        let parts = parts(body)?;
        let (format, values) = match (parts.instances, parts.inputs) {
            (Some(values), None) => (Format::Row, values),
            (None, Some(values)) => (Format::Column, values),
            (Some(_), Some(_)) => {
                return Err(Refusal::parse(
                    "The body has both 'instances' (row format) and 'inputs' (column format). Send one of them.",
                ));
            }
            (None, None) => {
                return Err(Refusal::parse(
                    "The body has neither 'instances' (row format: a list with one value or object per row) nor 'inputs' \
                     (column format: the whole array, or an object of arrays).",
                ));
            }
        };
        if format == Format::Row && values.first() != Some(&b'[') {
            return Err(Refusal::parse(
                "'instances' must be a list with one value or object per row. Whole arrays by name are sent as 'inputs'.",
            ));
        }
        let by_hint = matches!(self.layout, Layout::Python(PythonReason::TypeHint));
        let mut key = match format {
            Format::Row if !by_hint => "instances",
            _ => "inputs",
        };
        let rewritten = match memchr::memmem::find(values, b"\"b64\"") {
            Some(_) => Some(with_bytes(values, signature)?),
            None => None,
        };
        let mut out = Vec::with_capacity(values.len() + 32);
        let values = match &rewritten {
            Some(Rewritten::Values(values)) => values,
            Some(Rewritten::Frame(frame)) => {
                key = "dataframe_records";
                frame
            }
            None => values,
        };
        out.extend_from_slice(format!("{{\"{key}\": ").as_bytes());
        out.extend_from_slice(values);
        if let Some(params) = parts.params {
            out.extend_from_slice(b", \"params\": ");
            out.extend_from_slice(params);
        }
        out.push(b'}');
        Ok(PredictRequest {
            body: out.into(),
            format,
        })
    }
}

fn parts(body: &[u8]) -> Result<Parts<'_>, Refusal> {
    let mut parts = Parts::default();
    let mut other_signature = false;
    let mut scanner = Scanner::new(body);
    let read = scanner.object(|scanner, key| {
        match key.as_ref() {
            "instances" => parts.instances = Some(scanner.skip()?),
            "inputs" => parts.inputs = Some(scanner.skip()?),
            "params" => parts.params = Some(scanner.skip()?),
            "signature_name" => match scanner.token()? {
                Token::Text(name) => {
                    other_signature = !name.is_empty() && name != DEFAULT_SIGNATURE;
                }
                Token::Null => other_signature = false,
                _ => return scanner.error("a text for 'signature_name'"),
            },
            _ => drop(scanner.skip()?),
        }
        Ok(())
    });
    read.and_then(|()| scanner.end())
        .map_err(|problem| broken(&problem))?;
    if other_signature {
        return Err(Refusal::parse(format!(
            "The model has one signature, '{DEFAULT_SIGNATURE}'. Leave 'signature_name' out, or name that one."
        )));
    }
    Ok(parts)
}

/// A body that is not JSON; never quotes it.
pub(crate) fn broken(problem: &JsonError) -> Refusal {
    Refusal::parse(format!(
        "Invalid input. The body is not the JSON that is expected: {problem}."
    ))
}

enum Rewritten {
    /// In place of the values.
    Values(Vec<u8>),
    /// Records of a frame.
    Frame(Vec<u8>),
}

/// The values with their bytes in the form that MLflow reads.
fn with_bytes(values: &[u8], signature: Option<&Signature>) -> Result<Rewritten, Refusal> {
    let binary = binary_columns(signature);
    let mut copy = Copy {
        out: Vec::with_capacity(values.len()),
        binary: &binary,
        to_binary: false,
        wrong: None,
    };
    let copied = copy.value(&mut Scanner::new(values), None);
    if let Some(wrong) = copy.wrong {
        return Err(Refusal::parse(wrong));
    }
    copied.map_err(|problem| broken(&problem))?;
    if !copy.to_binary {
        return Ok(Rewritten::Values(copy.out));
    }
    if copy.out.first() != Some(&b'{') {
        return Ok(Rewritten::Frame(copy.out));
    }
    if copy.out.len() > MAX_TRANSPOSED {
        return Err(Refusal::parse(format!(
            "Column format with bytes is limited to {MAX_TRANSPOSED} bytes of 'inputs'. Send rows as 'instances'."
        )));
    }
    let records = match Tree::read(&copy.out) {
        Ok(Tree::Object(columns)) => records_of(columns)?,
        Ok(_) => Vec::new(),
        Err(problem) => return Err(broken(&problem)),
    };
    let mut frame = Vec::with_capacity(copy.out.len());
    Tree::List(records).write(&mut frame);
    Ok(Rewritten::Frame(frame))
}

/// Copies values while it replaces every `{"b64": "…"}`.
struct Copy<'b> {
    out: Vec<u8>,
    binary: &'b [&'b str],
    /// Whether bytes were found for a binary column, which only frames can carry.
    to_binary: bool,
    /// Why the values are refused.
    wrong: Option<String>,
}

impl Copy<'_> {
    /// Copies one value; `column` is the innermost key above it.
    fn value(&mut self, scanner: &mut Scanner<'_>, column: Option<&str>) -> Result<(), JsonError> {
        let mut first = true;
        match scanner.peek() {
            Some(b'[') => {
                self.out.push(b'[');
                scanner.list(|inner| {
                    if !std::mem::take(&mut first) {
                        self.out.push(b',');
                    }
                    self.value(inner, column)
                })?;
                self.out.push(b']');
            }
            Some(b'{') => {
                let mut ahead = scanner.clone();
                if let Some(encoded) = bytes_object(&mut ahead) {
                    *scanner = ahead;
                    return self.bytes(scanner, &encoded, column);
                }
                self.out.push(b'{');
                scanner.object(|inner, key| {
                    if !std::mem::take(&mut first) {
                        self.out.push(b',');
                    }
                    json::text(&key, &mut self.out);
                    self.out.push(b':');
                    self.value(inner, Some(&key))
                })?;
                self.out.push(b'}');
            }
            _ => self.out.extend_from_slice(scanner.skip()?),
        }
        Ok(())
    }

    fn bytes(
        &mut self,
        scanner: &Scanner<'_>,
        encoded: &str,
        column: Option<&str>,
    ) -> Result<(), JsonError> {
        let place = column
            .map(|name| format!(" of '{name}'"))
            .unwrap_or_default();
        let Ok(bytes) = STANDARD.decode(encoded) else {
            self.wrong = Some(format!("A 'b64' value{place} is not base64."));
            return scanner.error("base64");
        };
        if column.is_some_and(|name| self.binary.contains(&name)) {
            self.to_binary = true;
            json::text(encoded, &mut self.out);
            return Ok(());
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            self.wrong = Some(format!(
                "A 'b64' value{place} holds bytes that are no UTF-8 text, and the model's signature has no binary column \
                 for them."
            ));
            return scanner.error("UTF-8");
        };
        json::text(text, &mut self.out);
        Ok(())
    }
}

/// The text of `{"b64": "…"}`, and nothing read of any other object that counts.
fn bytes_object(ahead: &mut Scanner<'_>) -> Option<String> {
    let (mut keys, mut found) = (0, None);
    let read = ahead.object(|inner, key| {
        keys += 1;
        if key != "b64" || inner.peek() != Some(b'"') {
            return inner.error("an object of bytes");
        }
        found = Some(inner.text()?.into_owned());
        Ok(())
    });
    read.ok().filter(|()| keys == 1).and(found)
}

fn binary_columns(signature: Option<&Signature>) -> Vec<&str> {
    match signature.and_then(|signature| signature.inputs.as_ref()) {
        Some(Schema::Columns(columns)) => columns
            .iter()
            .filter(|column| column.ty == DataType::Binary)
            .filter_map(|column| column.name.as_deref())
            .collect(),
        _ => Vec::new(),
    }
}

/// The rows of columns that are lists of one length.
fn records_of(columns: Vec<(String, Tree)>) -> Result<Vec<Tree>, Refusal> {
    let mut records: Vec<Vec<(String, Tree)>> = Vec::new();
    for (index, (name, value)) in columns.into_iter().enumerate() {
        let Tree::List(values) = value else {
            return Err(Refusal::parse(format!(
                "'{name}' in 'inputs' is {}, expected a list with one value per row.",
                value.kind()
            )));
        };
        if index == 0 {
            records.resize_with(values.len(), Vec::new);
        }
        if values.len() != records.len() {
            return Err(Refusal::parse(format!(
                "The lists in 'inputs' differ in length: '{name}' has {} values, the first has {}.",
                values.len(),
                records.len()
            )));
        }
        for (record, value) in records.iter_mut().zip(values) {
            record.push((name.clone(), value));
        }
    }
    Ok(records.into_iter().map(Tree::Object).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    fn read(model: &str, body: &str) -> Result<(String, Format), String> {
        let folder = format!(
            "{}/../../conformance/mlflow/models/{model}",
            env!("CARGO_MANIFEST_DIR")
        );
        let model = Model::open(&folder).unwrap();
        let contract = Contract::compile(&model);
        let read = contract.from_tensorflow(body.as_bytes(), model.signature.as_ref());
        read.map(|read| (String::from_utf8(read.body.to_vec()).unwrap(), read.format))
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn values_stay_as_they_are_under_mlflows_key() {
        let table = [
            (
                "sk_tensor",
                r#"{"signature_name": "serving_default", "instances": [[1, NaN]]}"#,
                r#"{"instances": [[1, NaN]]}"#,
                Format::Row,
            ),
            (
                "sk_cols",
                r#"{"inputs": {"a": [1]}, "prompt": 1}"#,
                r#"{"inputs": {"a": [1]}}"#,
                Format::Column,
            ),
            (
                "hint_str",
                r#"{"instances": ["a"]}"#,
                r#"{"inputs": ["a"]}"#,
                Format::Row,
            ),
            (
                "echo_params",
                r#"{"instances": [1], "params": {"k": 1}}"#,
                r#"{"instances": [1], "params": {"k": 1}}"#,
                Format::Row,
            ),
        ];
        for (model, body, expected, format) in table {
            assert_eq!(
                read(model, body),
                Ok((expected.to_owned(), format)),
                "{body}"
            );
        }
    }

    #[test]
    fn bytes_go_to_binary_columns_as_a_frame_and_elsewhere_as_text() {
        let (body, format) = read(
            "echo_types",
            r#"{"inputs": {"x": [{"b64": "AP8="}], "s": [{"b64": "w6k="}]}}"#,
        )
        .unwrap();
        assert_eq!(
            body,
            "{\"dataframe_records\": [{\"x\": \"AP8=\", \"s\": \"\\u00e9\"}]}"
        );
        assert_eq!(format, Format::Column);
        assert_eq!(
            read("outputs", r#"{"instances": [{"kind": {"b64": "aW50"}}]}"#)
                .unwrap()
                .0,
            r#"{"instances": [{"kind":"int"}]}"#
        );
        for (body, part) in [
            (
                r#"{"instances": [{"kind": {"b64": "AP8="}}]}"#,
                "no UTF-8 text",
            ),
            (
                r#"{"instances": [{"kind": {"b64": "?"}}]}"#,
                "'kind' is not base64",
            ),
        ] {
            let message = read("outputs", body).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn other_bodies_are_refused_with_what_is_wrong() {
        for (body, part) in [
            ("", "at byte 1: expected an object"),
            ("{\"instances\": [1 2]}", "at byte 18: expected ',' or ']'"),
            ("{}", "neither 'instances'"),
            (r#"{"instances": [1], "inputs": [1]}"#, "both 'instances'"),
            (r#"{"instances": {"a": 1}}"#, "must be a list"),
            (
                r#"{"instances": [1], "signature_name": "other"}"#,
                "'serving_default'",
            ),
            (
                r#"{"instances": [1], "signature_name": 1}"#,
                "a text for 'signature_name'",
            ),
        ] {
            let message = read("sk_cols", body).unwrap_err();
            assert!(message.contains(part), "{body}: {message}");
        }
    }
}
