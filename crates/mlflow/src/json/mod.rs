//! JSON as Python's reader takes it, kept as a flat index over its own text.
//!
//! For payloads that the quick readers of [`crate::decode`] do not take: every value has a node of 20 bytes, numbers and
//! texts stay where they are until they are asked for. Python's reader takes more than the letter of JSON (`NaN`, numbers
//! of any size, repeated keys), so this one does; what Rust cannot hold (half of a surrogate pair) is told apart.

mod depth;
mod read;
mod value;

pub use depth::{MAX_JSON_DEPTH, too_deep};
pub(crate) use read::{Document, ReadError};
pub(crate) use value::{Int, Value, View};
