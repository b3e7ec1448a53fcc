//! A JSON value as a tree.

use super::{JsonError, Scanner, Token};
use crate::encode::json;

/// One value. Objects keep their order; of a repeated key the last value counts, as in Python.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits with a sign, as its digits.
    Digits(String),
    /// Also NaN and the infinities.
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The value of a whole text.
    pub(crate) fn read(text: &[u8]) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(text);
        let value = Self::next(&mut scanner)?;
        scanner.end()?;
        Ok(value)
    }

    /// The next value of a text.
    pub(crate) fn next(scanner: &mut Scanner<'_>) -> Result<Self, JsonError> {
        Ok(match scanner.token()? {
            Token::Null => Value::Null,
            Token::Bool(value) => Value::Bool(value),
            Token::Text(text) => Value::Text(text.into_owned()),
            Token::Number(digits) => number(digits),
            Token::List => {
                let mut items = Vec::new();
                scanner.list(|inner| {
                    items.push(Self::next(inner)?);
                    Ok(())
                })?;
                Value::List(items)
            }
            Token::Object => {
                let mut entries: Vec<(String, Value)> = Vec::new();
                scanner.object(|inner, key| {
                    entries.push((key.into_owned(), Self::next(inner)?));
                    Ok(())
                })?;
                Value::Object(last_of_each(entries))
            }
        })
    }

    /// Appends the value as MLflow's server writes it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Int(value) => json::integer(*value, out),
            Value::Digits(digits) => out.extend_from_slice(digits.as_bytes()),
            Value::Float(value) => json::float(*value, out),
            Value::Text(text) => json::text(text, out),
            Value::List(items) => {
                json::listed(items, out, |item, out| item.write(out));
            }
            Value::Object(entries) => {
                out.push(b'{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.extend_from_slice(b", ");
                    }
                    json::text(key, out);
                    out.extend_from_slice(b": ");
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Digits(_) => "an integer",
            Value::Float(_) => "a fraction",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

fn number(digits: &str) -> Value {
    match digits {
        "NaN" => Value::Float(f64::NAN),
        "Infinity" => Value::Float(f64::INFINITY),
        "-Infinity" => Value::Float(f64::NEG_INFINITY),
        _ if digits
            .bytes()
            .any(|byte| matches!(byte, b'.' | b'e' | b'E')) =>
        {
            Value::Float(digits.parse().unwrap_or(f64::NAN))
        }
        _ => match digits.parse() {
            Ok(value) => Value::Int(value),
            Err(_) => Value::Digits(digits.to_owned()),
        },
    }
}

fn last_of_each(entries: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut places = std::collections::HashMap::with_capacity(entries.len());
    let mut kept: Vec<(String, Value)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match places.get(&key) {
            Some(place) => {
                let entry: &mut (String, Value) = &mut kept[*place];
                entry.1 = value;
            }
            None => {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_they_were_read() {
        for text in [
            r#"{"a": [1, -2.5, NaN, Infinity, -Infinity, 18446744073709551616], "\u00e9\"": null}"#,
            r#"[true, false, "x", {}, []]"#,
            "-9223372036854775808",
        ] {
            let mut out = Vec::new();
            Value::read(text.as_bytes()).unwrap().write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        let repeated = Value::read(br#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        let expected = Value::Object(vec![
            ("a".into(), Value::Int(3)),
            ("b".into(), Value::Int(2)),
        ]);
        assert_eq!(repeated, expected);
    }
}
