//! A JSON value as a tree.

use super::scan::{JsonError, Scanner, Token};
use crate::encode::json;

/// One value. Objects keep their order; of a repeated key the last value counts, as in Python.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits with a sign, as its digits.
    Digits(String),
    /// Also NaN and the infinities.
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
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
            Token::Null => Tree::Null,
            Token::Bool(value) => Tree::Bool(value),
            Token::Text(text) => Tree::Text(text.into_owned()),
            Token::Number(digits) => number(digits),
            Token::List => {
                let mut items = Vec::new();
                scanner.list(|inner| {
                    items.push(Self::next(inner)?);
                    Ok(())
                })?;
                Tree::List(items)
            }
            Token::Object => {
                let mut entries: Vec<(String, Tree)> = Vec::new();
                scanner.object(|inner, key| {
                    entries.push((key.into_owned(), Self::next(inner)?));
                    Ok(())
                })?;
                Tree::Object(last_of_each(entries))
            }
        })
    }

    /// Appends the value as MLflow's server writes it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Tree::Null => out.extend_from_slice(b"null"),
            Tree::Bool(true) => out.extend_from_slice(b"true"),
            Tree::Bool(false) => out.extend_from_slice(b"false"),
            Tree::Int(value) => json::integer(*value, out),
            Tree::Digits(digits) => out.extend_from_slice(digits.as_bytes()),
            Tree::Float(value) => json::float(*value, out),
            Tree::Text(text) => json::text(text, out),
            Tree::List(items) => {
                json::listed(items, out, |item, out| item.write(out));
            }
            Tree::Object(entries) => {
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
            Tree::Null => "null",
            Tree::Bool(_) => "a boolean",
            Tree::Int(_) | Tree::Digits(_) => "an integer",
            Tree::Float(_) => "a fraction",
            Tree::Text(_) => "a text",
            Tree::List(_) => "a list",
            Tree::Object(_) => "an object",
        }
    }
}

fn number(digits: &str) -> Tree {
    match digits {
        "NaN" => Tree::Float(f64::NAN),
        "Infinity" => Tree::Float(f64::INFINITY),
        "-Infinity" => Tree::Float(f64::NEG_INFINITY),
        _ if digits
            .bytes()
            .any(|byte| matches!(byte, b'.' | b'e' | b'E')) =>
        {
            Tree::Float(digits.parse().unwrap_or(f64::NAN))
        }
        _ => match digits.parse() {
            Ok(value) => Tree::Int(value),
            Err(_) => Tree::Digits(digits.to_owned()),
        },
    }
}

fn last_of_each(entries: Vec<(String, Tree)>) -> Vec<(String, Tree)> {
    let mut places = std::collections::HashMap::with_capacity(entries.len());
    let mut kept: Vec<(String, Tree)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match places.get(&key) {
            Some(place) => {
                let entry: &mut (String, Tree) = &mut kept[*place];
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
            Tree::read(text.as_bytes()).unwrap().write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        let repeated = Tree::read(br#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        let expected = Tree::Object(vec![("a".into(), Tree::Int(3)), ("b".into(), Tree::Int(2))]);
        assert_eq!(repeated, expected);
    }
}
