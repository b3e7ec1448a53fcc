//! What can be asked of a scorer: a decoded payload, or one as it came.

use bytes::Bytes;

use crate::input::Input;
use crate::lossy::Lossy;
use crate::params::Params;

/// One request's work.
#[derive(Clone, Debug)]
pub enum Work {
    /// A decoded and enforced payload.
    Call(ModelCall),
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
    /// The method to call instead of the model's own function, such as `predict_proba`.
    pub model_method: Option<String>,
}

/// A decoded and enforced payload, and how the model is asked.
#[derive(Clone, Debug)]
pub struct ModelCall {
    /// What `predict` gets as its data.
    pub input: Input,
    /// How the model is asked.
    pub options: CallOptions,
    /// What the payload lost by casts.
    pub lossy: Vec<Lossy>,
}

/// How the model is asked, beside its data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallOptions {
    /// The params that the caller gave, enforced; `None` where none was given. Empty where the model declares none.
    pub params: Option<Params>,
    /// The method to call instead of the model's own function, such as `predict_proba`.
    pub method: Option<String>,
}

impl From<Input> for ModelCall {
    /// A call without params, of the model's own method.
    fn from(input: Input) -> Self {
        Self {
            input,
            options: CallOptions::default(),
            lossy: Vec::new(),
        }
    }
}

impl From<Input> for Work {
    fn from(input: Input) -> Self {
        Work::Call(input.into())
    }
}

impl ModelCall {
    /// Whether the rows of `other` may follow the rows of `self` in one request batch.
    pub fn joins(&self, other: &ModelCall) -> bool {
        self.options == other.options && self.input.joins(&other.input)
    }

    /// One call that holds the rows of all `parts`, in order.
    ///
    /// Obligation of the caller: `parts` is not empty and every part [`joins`](Self::joins) the first; else `None`.
    pub fn concat(parts: &[&ModelCall]) -> Option<ModelCall> {
        let options = &parts.first()?.options;
        if !parts.iter().all(|part| part.options == *options) {
            return None;
        }
        let inputs: Vec<&Input> = parts.iter().map(|part| &part.input).collect();
        Some(ModelCall {
            input: Input::concat(&inputs)?,
            options: options.clone(),
            lossy: Vec::new(),
        })
    }
}

impl RawRequest {
    /// A payload for `POST /invocations` of MLflow's own application.
    pub fn invocation(content_type: &str, body: Bytes) -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/invocations".to_owned(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
            model_method: None,
        }
    }

    /// A payload of Azure's dialect, for the worker's own reading of it.
    pub fn score(body: Bytes) -> Self {
        Self {
            path: "/score".to_owned(),
            ..Self::invocation("application/json", body)
        }
    }

    /// A request without a body for another of its routes.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            model_method: None,
        }
    }
}

impl Work {
    /// The same work, for a method of the model instead of its own function.
    #[must_use]
    pub fn with_method(mut self, method: Option<&str>) -> Self {
        let slot = match &mut self {
            Work::Call(call) => &mut call.options.method,
            Work::Raw(raw) => &mut raw.model_method,
        };
        *slot = method.map(str::to_owned);
        self
    }

    /// Rows, as far as they are known: a raw payload counts as one.
    pub fn rows(&self) -> usize {
        match self {
            Work::Call(call) => call.input.rows(),
            Work::Raw(_) => 1,
        }
    }
}
