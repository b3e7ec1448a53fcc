//! What can be asked of a scorer: a decoded payload, or one as it came.

use bytes::Bytes;

use crate::input::Input;

/// One request's work.
#[derive(Clone, Debug)]
pub enum Work {
    /// A decoded and enforced payload.
    Input(Input),
    /// A payload that Rust did not decode, as it came.
    Raw(RawRequest),
}

/// A request for the model's own Python to parse.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// HTTP method.
    pub method: String,
    /// Path, without query.
    pub path: String,
    /// The headers that bear on parsing: names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, already unpacked.
    pub body: Bytes,
}

impl Work {
    /// Rows, as far as they are known: a raw payload counts as one.
    pub fn rows(&self) -> usize {
        match self {
            Work::Input(input) => input.rows(),
            Work::Raw(_) => 1,
        }
    }
}
