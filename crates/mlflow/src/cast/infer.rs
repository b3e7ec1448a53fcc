//! The type that pandas infers for a column of Python values.

use super::Item;
use crate::json::View;

/// A pandas type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inferred {
    Bool,
    Int64,
    UInt64,
    Float64,
    /// Texts, some maybe missing: `str` in pandas 3, `object` before.
    Text,
    /// Nothing but None.
    Nulls,
    /// Anything else, as Python values.
    Object,
}

/// What was seen in a column.
#[derive(Default)]
struct Seen {
    bool: bool,
    int: bool,
    negative: bool,
    /// Beyond i64, within u64.
    large: bool,
    /// Beyond both.
    huge: bool,
    float: bool,
    text: bool,
    null: bool,
    nan: bool,
    nested: bool,
}

/// The type of a column; `None` where it is not known, or where there are no rows.
pub(crate) fn infer(items: &[Item<'_>]) -> Option<Inferred> {
    if items.is_empty() {
        return None;
    }
    let mut seen = Seen::default();
    for item in items {
        seen.add(*item);
    }
    seen.inferred()
}

impl Seen {
    fn add(&mut self, item: Item<'_>) {
        match item.view() {
            View::Null => self.null = true,
            View::Bool(_) => self.bool = true,
            View::Float(value) if value.is_nan() => self.nan = true,
            View::Float(_) => self.float = true,
            View::Text(_) => self.text = true,
            View::List(_) | View::Object(_) => self.nested = true,
            View::Int(int) => {
                self.int = true;
                self.negative |= int.is_negative() && !int.is_zero();
                match int.value() {
                    Some(value) if i64::try_from(value).is_ok() => {}
                    Some(value) if u64::try_from(value).is_ok() => self.large = true,
                    _ => self.huge = true,
                }
            }
        }
    }

    fn inferred(&self) -> Option<Inferred> {
        let missing = self.null || self.nan;
        let number = self.int || self.float;
        if self.nested || self.huge {
            return Some(Inferred::Object);
        }
        if self.text {
            return Some(if self.bool || number {
                Inferred::Object
            } else {
                Inferred::Text
            });
        }
        if self.bool {
            return Some(if number || missing {
                Inferred::Object
            } else {
                Inferred::Bool
            });
        }
        if !number {
            return Some(if self.nan {
                Inferred::Float64
            } else {
                Inferred::Nulls
            });
        }
        let widened = self.float || missing;
        match (self.int, self.large, self.negative, widened) {
            (true, true, true, true) => None,
            (true, true, true, false) => Some(Inferred::Object),
            (true, true, false, false) => Some(Inferred::UInt64),
            (true, false, _, false) => Some(Inferred::Int64),
            _ => Some(Inferred::Float64),
        }
    }
}
