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

impl RawRequest {
    /// A payload for `POST /invocations` of MLflow's own application.
    pub fn invocation(content_type: &str, body: Bytes) -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/invocations".to_owned(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
        }
    }

    /// A request without a body for another of its routes.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }
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
