//! The scorer that is the model's own Python: an instance of a worker.

use std::time::Duration;

use sluis_mlflow::{Answer, Work};
use sluis_worker::{CallError, Instance};
use tokio::time::Instant;

use crate::scorer::{Scorer, ScorerError, ScorerLost};

/// One Python process, started again when it ends.
pub struct PythonScorer(Instance);

impl PythonScorer {
    /// The scorer of an instance, which may be up already or not.
    pub fn new(instance: Instance) -> Self {
        Self(instance)
    }
}

impl Scorer for PythonScorer {
    async fn ready(&mut self) -> Result<(), ScorerLost> {
        self.0
            .ready()
            .await
            .map_err(|error| ScorerLost(error.to_string()))
    }

    async fn ended(&mut self) {
        self.0.ended().await;
    }

    async fn score(&mut self, work: Work, deadline: Instant) -> Result<Answer, ScorerError> {
        self.0.call(&work, deadline).await.map_err(from_call_error)
    }

    async fn stop(self, grace: Duration) {
        self.0.stop(grace).await;
    }
}

/// Why a call to an instance gave no answer.
pub(crate) fn from_call_error(error: CallError) -> ScorerError {
    match error {
        CallError::Raised(raised) => ScorerError::Model(raised),
        CallError::TimedOut => ScorerError::TimedOut,
        CallError::Ended { cause } => ScorerError::Ended(cause),
    }
}
