//! JSON as Python writes and reads it: with the tokens `NaN`, `Infinity` and `-Infinity`, and integers of any length.
//!
//! Three ways to look at a text, for payloads and answers that no quick reader takes. [`Document`] is an index over it, which
//! tells what Python's reader refuses, and where. [`Scanner`] walks over it once, handing out a value at a time. [`Tree`] is a
//! copy that can be written again. Depth is bounded in all; knows no payload forms.

mod depth;
mod read;
mod scan;
mod tree;
mod value;

pub(crate) use depth::{MAX_JSON_DEPTH, too_deep};
pub(crate) use read::{Document, ReadError};
pub(crate) use scan::{JsonError, Scanner, Token};
pub(crate) use tree::Tree;
pub(crate) use value::{Int, Value, View};
