//! MLflow's way to write params into messages.
//!
//! Shows what the signature says, never what a caller sent.

use serde_json::Value;

use crate::model::{DataType, ParamSpec};

/// A param's declaration: `'top_k': long (default: 5)`.
pub(super) fn declaration(spec: &ParamSpec) -> String {
    let shape = match spec.shape.as_deref() {
        None => String::new(),
        Some([extent]) => format!(" (shape: ({extent},))"),
        Some(extents) => format!(" (shape: {extents:?})").replace(['[', ']'], ""),
    };
    let default = match &spec.default {
        Value::String(text) if spec.ty == DataType::Datetime => text.replacen('T', " ", 1),
        Value::String(text) => text.clone(),
        other => python(other),
    };
    format!(
        "{}: {} (default: {default}){shape}",
        quoted(&spec.name),
        spec.ty
    )
}

/// A value of the signature as Python writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(values) => {
            let shown: Vec<String> = values.iter().map(python).collect();
            format!("[{}]", shown.join(", "))
        }
        Value::Object(entries) => {
            let shown: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), python(value)))
                .collect();
            format!("{{{}}}", shown.join(", "))
        }
    }
}

/// A text as Python's `repr` quotes it.
pub(super) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}
