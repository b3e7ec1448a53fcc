//! Values of a document, looked at where they lie.

use std::borrow::Cow;
use std::collections::HashMap;

use super::read::{Document, Kind};

/// Objects with more members find repeated keys by a table.
const FEW: usize = 16;

/// A value of a document.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    document: &'d Document<'d>,
    index: usize,
}

/// What a value is. Lists and objects are walked with [`Value::items`] and [`Value::members`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum View<'d> {
    Null,
    Bool(bool),
    Int(Int<'d>),
    Float(f64),
    Text(Cow<'d, str>),
    List(usize),
    Object(usize),
}

/// An integer of any size, as its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Int<'d>(&'d str);

impl Int<'_> {
    /// The integer, where 128 bits hold it.
    pub(crate) fn value(self) -> Option<i128> {
        self.0.parse().ok()
    }

    /// The nearest double; infinite where Python overflows.
    pub(crate) fn as_f64(self) -> f64 {
        // Digits alone are read with one rounding; the sign of minus zero is not Python's.
        self.0.parse::<f64>().map_or(f64::NAN, |value| value + 0.0)
    }

    /// Whether it is below zero.
    pub(crate) fn is_negative(self) -> bool {
        self.0.starts_with('-')
    }

    /// Whether it is zero.
    pub(crate) fn is_zero(self) -> bool {
        self.0.trim_start_matches('-') == "0"
    }

    /// Its digits, as Python writes them.
    pub(crate) fn digits(&self) -> &str {
        if self.is_zero() { "0" } else { self.0 }
    }
}

impl<'t> Document<'t> {
    /// The outermost value.
    pub(crate) fn root(&self) -> Value<'_> {
        Value {
            document: self,
            index: 0,
        }
    }
}

impl<'d> Value<'d> {
    /// What the value is.
    pub(crate) fn view(self) -> View<'d> {
        let node = self.document.nodes[self.index];
        let text = || &self.document.text[node.start as usize..node.end as usize];
        match node.kind {
            Kind::Null => View::Null,
            Kind::True => View::Bool(true),
            Kind::False => View::Bool(false),
            Kind::Int => View::Int(Int(text())),
            Kind::Float => View::Float(text().parse().unwrap_or(f64::NAN)),
            Kind::NaN => View::Float(f64::NAN),
            Kind::Infinity => View::Float(f64::INFINITY),
            Kind::NegativeInfinity => View::Float(f64::NEG_INFINITY),
            Kind::Text => View::Text(Cow::Borrowed(text())),
            Kind::Escaped => View::Text(Cow::Owned(unescaped(text()))),
            Kind::List => View::List(node.count as usize),
            Kind::Object => View::Object(node.count as usize),
        }
    }

    /// The value's own text, as JSON.
    pub(crate) fn json(self) -> &'d str {
        let node = self.document.nodes[self.index];
        let quote = usize::from(self.is_text());
        &self.document.text[node.start as usize - quote..node.end as usize + quote]
    }

    /// Python's name of the value's class.
    pub(crate) fn python_class(self) -> &'static str {
        match self.view() {
            View::Null => "NoneType",
            View::Bool(_) => "bool",
            View::Int(_) => "int",
            View::Float(_) => "float",
            View::Text(_) => "str",
            View::List(_) => "list",
            View::Object(_) => "dict",
        }
    }

    /// How messages call the value's type.
    pub(crate) fn type_name(self) -> &'static str {
        match self.document.nodes[self.index].kind {
            Kind::Null => "null",
            Kind::True | Kind::False => "boolean",
            Kind::Int => "integer",
            Kind::Float | Kind::NaN | Kind::Infinity | Kind::NegativeInfinity => "number",
            Kind::Text | Kind::Escaped => "string",
            Kind::List => "list",
            Kind::Object => "object",
        }
    }

    /// Whether the value is null.
    pub(crate) fn is_null(self) -> bool {
        self.document.nodes[self.index].kind == Kind::Null
    }

    /// Whether the value is a string.
    pub(crate) fn is_text(self) -> bool {
        matches!(
            self.document.nodes[self.index].kind,
            Kind::Text | Kind::Escaped
        )
    }

    /// Whether the value is an object.
    pub(crate) fn is_object(self) -> bool {
        self.document.nodes[self.index].kind == Kind::Object
    }

    /// Whether the value is a list.
    pub(crate) fn is_list(self) -> bool {
        self.document.nodes[self.index].kind == Kind::List
    }

    /// How many elements a list has, or members an object, repeated keys included; 0 for another value.
    pub(crate) fn count(self) -> usize {
        let node = self.document.nodes[self.index];
        match node.kind {
            Kind::List | Kind::Object => node.count as usize,
            _ => 0,
        }
    }

    /// The elements of a list; nothing for another value.
    pub(crate) fn items(self) -> impl ExactSizeIterator<Item = Value<'d>> {
        let node = self.document.nodes[self.index];
        let count = if node.kind == Kind::List {
            node.count as usize
        } else {
            0
        };
        let mut index = self.index + 1;
        (0..count).map(move |_| {
            let value = Value {
                document: self.document,
                index,
            };
            index = self.document.nodes[index].next as usize;
            value
        })
    }

    /// The members of an object as a Python dictionary has them: a repeated key stays where it first was and holds its
    /// last value. Nothing for another value.
    pub(crate) fn members(self) -> Vec<(Cow<'d, str>, Value<'d>)> {
        let node = self.document.nodes[self.index];
        let count = if node.kind == Kind::Object {
            node.count as usize
        } else {
            0
        };
        let mut members: Vec<(Cow<'d, str>, Value<'d>)> = Vec::with_capacity(count);
        let mut known: HashMap<Cow<'d, str>, usize> = HashMap::new();
        let mut index = self.index + 1;
        for _ in 0..count {
            let key = Value {
                document: self.document,
                index,
            };
            let value = Value {
                document: self.document,
                index: index + 1,
            };
            index = self.document.nodes[index + 1].next as usize;
            let View::Text(key) = key.view() else {
                continue;
            };
            let before = if count > FEW {
                known.get(&key).copied()
            } else {
                members.iter().position(|(known, _)| *known == key)
            };
            match before {
                Some(position) => members[position].1 = value,
                None => {
                    if count > FEW {
                        known.insert(key.clone(), members.len());
                    }
                    members.push((key, value));
                }
            }
        }
        members
    }
}

/// A text without its escapes, which the reader has checked.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find('\\') {
        out.push_str(&rest[..position]);
        let escape = rest.as_bytes().get(position + 1).copied().unwrap_or(b'\\');
        let mut used = 2;
        match escape {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = |at: usize| {
                    rest.get(at..at + 4)
                        .and_then(|hex| u16::from_str_radix(hex, 16).ok())
                };
                let first = unit(position + 2).unwrap_or(0xfffd);
                let pair = (0xd800..0xdc00).contains(&first);
                let second = if pair { unit(position + 8) } else { None };
                let units = [first, second.unwrap_or(0)];
                let units = &units[..1 + usize::from(pair)];
                out.extend(
                    char::decode_utf16(units.iter().copied())
                        .map(|unit| unit.unwrap_or('\u{fffd}')),
                );
                used = if pair { 12 } else { 6 };
            }
            other => out.push(char::from(other)),
        }
        rest = rest.get(position + used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(text: &str, look: impl FnOnce(Value<'_>) -> T) -> T {
        let document = Document::read(text).unwrap();
        look(document.root())
    }

    #[test]
    fn values_are_what_python_makes_of_them() {
        let text = r#"[null, true, -0, 1.5, "a\"\u00e9\ud83d\ude00\/", [1, [2]], {"k": 1, "l": 2, "k": 3}, 1e400]"#;
        with(text, |root| {
            let views: Vec<View<'_>> = root.items().map(Value::view).collect();
            assert_eq!(views[..2], [View::Null, View::Bool(true)]);
            let View::Int(zero) = views[2] else { panic!() };
            assert!(zero.as_f64().is_sign_positive() && zero.digits() == "0");
            assert_eq!(views[3], View::Float(1.5));
            assert_eq!(views[4], View::Text("a\"é😀/".into()));
            assert_eq!((&views[5], &views[6]), (&View::List(2), &View::Object(3)));
            assert_eq!(views[7], View::Float(f64::INFINITY));
        });
        with(r#"{"k": 1, "l": 2, "k": 3}"#, |root| {
            let members: Vec<(String, View<'_>)> = root
                .members()
                .into_iter()
                .map(|(key, value)| (key.into_owned(), value.view()))
                .collect();
            assert_eq!(members[0], ("k".to_owned(), View::Int(Int("3"))));
            assert_eq!(members.len(), 2);
        });
    }
}
