//! Why a request has no predictions: a status and a text, before they are put into the words of a dialect.
//!
//! One conversion for each kind of trouble, so that every dialect tells the same of it. Makes no bytes.

use axum::http::StatusCode;
use bytes::Bytes;
use sluis_mlflow::encode::EncodeError;
use sluis_mlflow::{
    ErrorDocument, HttpAnswer, MODEL_RAISED, Raised, Refusal, without_private_parts,
};
use sluis_scoring::ScoreError;

use crate::body::BodyError;
use crate::methods::NoMethod;

/// MLflow's body of a request that took too long; it calls itself JSON, and is not.
const TOO_LONG: &str = "Request processing time exceeded limit";

/// A request without predictions.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) words: Words,
    /// Seconds after which it may go better.
    pub(crate) retry_after: Option<u64>,
}

/// What is told.
#[derive(Debug)]
pub(crate) enum Words {
    /// With MLflow's error code.
    Document(ErrorDocument),
    /// A document of MLflow's own, as JSON.
    Json(Bytes),
    /// MLflow's text that it sends as JSON.
    TooLong,
    /// A text alone.
    Plain(String),
}

impl Fault {
    pub(crate) fn new(status: StatusCode, document: ErrorDocument) -> Self {
        Self::of(status, Words::Document(document))
    }

    pub(crate) fn plain(status: StatusCode, text: impl Into<String>) -> Self {
        Self::of(status, Words::Plain(text.into()))
    }

    /// The caller's mistake in the body.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorDocument::bad_request(message))
    }

    fn of(status: StatusCode, words: Words) -> Self {
        Self {
            status,
            words,
            retry_after: None,
        }
    }

    /// The response of MLflow's own application to what it does not score; `Err` gives back one that scored.
    pub(crate) fn of_answer(answer: HttpAnswer) -> Result<Self, HttpAnswer> {
        let status =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_success() {
            return Err(answer);
        }
        Ok(match without_private_parts(&answer.body) {
            Some(document) => Self::of(status, Words::Json(document.into())),
            None => Self::plain(status, String::from_utf8_lossy(&answer.body)),
        })
    }

    /// What is told, without a code.
    pub(crate) fn text(&self) -> String {
        match &self.words {
            Words::Document(document) => document.message.clone(),
            Words::Json(json) => serde_json::from_slice::<ErrorDocument>(json).map_or_else(
                |_| String::from_utf8_lossy(json).into_owned(),
                |document| document.message,
            ),
            Words::TooLong => TOO_LONG.to_owned(),
            Words::Plain(text) => text.clone(),
        }
    }
}

impl From<&Refusal> for Fault {
    fn from(refusal: &Refusal) -> Self {
        Self::new(StatusCode::BAD_REQUEST, refusal.document())
    }
}

impl From<&NoMethod> for Fault {
    fn from(problem: &NoMethod) -> Self {
        Self::from(&Refusal::params(problem.to_string()))
    }
}

impl From<&BodyError> for Fault {
    fn from(problem: &BodyError) -> Self {
        let text = problem.to_string();
        let document = match problem {
            BodyError::Broken | BodyError::Gzip => ErrorDocument::bad_request(text),
            BodyError::TooLarge { .. } | BodyError::NoRoom { .. } => {
                ErrorDocument::plain("REQUEST_LIMIT_EXCEEDED", text)
            }
            BodyError::Slow(_) => ErrorDocument::plain("DEADLINE_EXCEEDED", text),
            BodyError::Encoding(_) => return Self::plain(problem.status(), text),
        };
        let mut fault = Self::new(problem.status(), document);
        fault.retry_after = matches!(problem, BodyError::NoRoom { .. }).then_some(1);
        fault
    }
}

impl From<ScoreError> for Fault {
    fn from(problem: ScoreError) -> Self {
        let text = problem.to_string();
        match problem {
            ScoreError::Model(raised) => Self::from(&raised),
            ScoreError::Overloaded { retry_after, .. } => {
                let text = format!(
                    "{text} (--max-requests). Try again after {} s.",
                    retry_after.as_secs()
                );
                let document = ErrorDocument::plain("REQUEST_LIMIT_EXCEEDED", text);
                let mut fault = Self::new(StatusCode::TOO_MANY_REQUESTS, document);
                fault.retry_after = Some(retry_after.as_secs().max(1));
                fault
            }
            ScoreError::TimedOut { .. } => Self::of(StatusCode::GATEWAY_TIMEOUT, Words::TooLong),
            ScoreError::WorkerDied { .. } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorDocument::plain("INTERNAL_ERROR", text),
            ),
            ScoreError::Unavailable { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorDocument::plain("TEMPORARILY_UNAVAILABLE", text),
            ),
        }
    }
}

impl From<&Raised> for Fault {
    fn from(raised: &Raised) -> Self {
        if raised.unserializable {
            return unserializable(raised);
        }
        if let Some((status, document)) = &raised.document {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let body = without_private_parts(document.as_bytes())
                .unwrap_or_else(|| document.clone().into_bytes());
            return Self::of(status, Words::Json(body.into()));
        }
        Self::bad_request(format!("{MODEL_RAISED} The model raised {raised}"))
    }
}

impl From<&EncodeError> for Fault {
    fn from(problem: &EncodeError) -> Self {
        match problem {
            // The model answered, in a form that the caller did not ask for.
            EncodeError::NotATable { .. }
            | EncodeError::NoForm { .. }
            | EncodeError::ColumnType { .. } => Self::new(
                StatusCode::NOT_ACCEPTABLE,
                ErrorDocument::bad_request(problem.to_string()),
            ),
            EncodeError::UnknownOutput { .. } => Self::bad_request(problem.to_string()),
            other => unserializable(other),
        }
    }
}

/// A value without a JSON form: the model's fault, so 500; plain text, as MLflow's server answers here.
pub(crate) fn unserializable(problem: &dyn std::fmt::Display) -> Fault {
    let text = format!(
        "Internal Server Error: the model answered with a value that JSON cannot hold ({problem})"
    );
    Fault::plain(StatusCode::INTERNAL_SERVER_ERROR, text)
}
