//! Why work was not scored.

use std::time::Duration;

/// The model raised on this work: an answer to the caller, not a fault of the platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {message}")]
pub struct ModelError {
    /// The exception's class.
    pub class: String,
    /// Its text.
    pub message: String,
    /// The HTTP status and JSON document of an MLflow exception.
    pub document: Option<(u16, String)>,
    /// Whether the model answered, with a value that cannot be written as JSON.
    pub unserializable: bool,
}

/// Why a request got no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ScoreError {
    /// The model raised.
    #[error("the model raised {0}")]
    Model(ModelError),
    /// As many requests as may wait are waiting.
    #[error("{waiting} requests are waiting already, which is the limit")]
    Overloaded {
        /// The limit.
        waiting: usize,
        /// When to try again.
        retry_after: Duration,
    },
    /// No answer before the request's deadline.
    #[error("no answer within {limit:?}")]
    TimedOut {
        /// The request's time limit.
        limit: Duration,
    },
    /// The process that scored this work ended, twice.
    #[error("the model's process ended while it scored this request: {cause}")]
    WorkerDied {
        /// What is known of its end.
        cause: String,
    },
    /// No instance can be had.
    #[error("no instance of the model is running: {cause}")]
    Unavailable {
        /// Why not.
        cause: String,
    },
}
