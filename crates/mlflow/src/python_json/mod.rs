//! JSON as Python writes and reads it: with the tokens `NaN`, `Infinity` and `-Infinity`, and integers of any length.
//!
//! For bodies that no strict reader takes, and for answers of MLflow that are put into another dialect's shape. Depth is
//! bounded; texts with half a surrogate pair, which UTF-8 cannot hold, are an error. Knows no payload forms.

mod scan;
mod value;

pub(crate) use scan::{Scanner, Token};
pub(crate) use value::Value;

/// Lists and objects nested deeper than this are an error.
const MAX_DEPTH: usize = 200;

/// Where a text stops being JSON, and what was expected there. Holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {}: expected {expected}", .at + 1)]
pub struct JsonError {
    /// Bytes before the place.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}
