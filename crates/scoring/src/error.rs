//! Why work was not scored.

use std::time::Duration;

use sluis_mlflow::Raised;

/// Why a request got no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ScoreError {
    /// The model raised.
    #[error("the model raised {0}")]
    Model(Raised),
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
