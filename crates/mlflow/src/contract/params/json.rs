//! A small JSON value that keeps apart what Python keeps apart: integers from fractions, and integers of any size.
//!
//! Values that Python reads in a way of its own (a repeated key, an integer beyond 64 bits, deep nesting) are not read.

use std::collections::HashSet;

use sonic_rs::LazyValue;

/// Params are settings: what is nested deeper than this is Python's to judge.
const MAX_DEPTH: usize = 32;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    /// An integer beyond 64 bits, as the nearest double.
    Huge(f64),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    /// In the order of the text, each key once.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a value; `None` where Python's reading may differ.
    pub(super) fn read(value: &LazyValue<'_>) -> Option<Self> {
        Self::at_depth(value, 0)
    }

    fn at_depth(value: &LazyValue<'_>, depth: usize) -> Option<Self> {
        if depth > MAX_DEPTH {
            return None;
        }
        let raw = value.as_raw_str();
        match raw.as_bytes().first()? {
            b'"' => sonic_rs::from_str(raw).ok().map(Json::Text),
            b'[' => {
                let values = value.clone().into_array_iter()?;
                let values = values.map(|value| Self::at_depth(&value.ok()?, depth + 1));
                values.collect::<Option<_>>().map(Json::List)
            }
            b'{' => {
                let (mut entries, mut seen) = (Vec::new(), HashSet::new());
                for entry in value.clone().into_object_iter()? {
                    let (key, value) = entry.ok()?;
                    if !seen.insert(key.clone()) {
                        return None;
                    }
                    entries.push((key.to_string(), Self::at_depth(&value, depth + 1)?));
                }
                Some(Json::Object(entries))
            }
            _ => Self::plain(raw),
        }
    }

    fn plain(raw: &str) -> Option<Self> {
        match raw {
            "null" => return Some(Json::Null),
            "true" => return Some(Json::Boolean(true)),
            "false" => return Some(Json::Boolean(false)),
            _ => {}
        }
        // The grammar of a number is the reader's to check; `parse` alone would also take `inf` or `+1`.
        let number: f64 = sonic_rs::from_str(raw).ok()?;
        let exact: f64 = raw.parse().ok()?;
        if !number.is_finite() || !exact.is_finite() {
            return None;
        }
        if raw.contains(['.', 'e', 'E']) {
            return Some(Json::Float(exact));
        }
        Some(raw.parse().map_or(Json::Huge(exact), Json::Integer))
    }

    /// The name of the type that Python's reader gives to it.
    pub(super) fn python_type(&self) -> &'static str {
        match self {
            Json::Null => "NoneType",
            Json::Boolean(_) => "bool",
            Json::Integer(_) | Json::Huge(_) => "int",
            Json::Float(_) => "float",
            Json::Text(_) => "str",
            Json::List(_) => "list",
            Json::Object(_) => "dict",
        }
    }
}
