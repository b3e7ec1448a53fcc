//! The contract of whatever scores: one value is one instance, which scores one piece of work at a time.

use std::future::Future;
use std::time::Duration;

use sluis_mlflow::{Answer, Raised, Work};
use tokio::time::Instant;

/// An instance of a model.
pub trait Scorer: Send + 'static {
    /// Waits until the instance can score, starting it again where it has ended.
    ///
    /// Cancel-safe. An error says that it could not be started; a later call tries again.
    fn ready(&mut self) -> impl Future<Output = Result<(), ScorerLost>> + Send;

    /// Waits until the instance, which was ready and has no work, has ended by itself. Cancel-safe.
    fn ended(&mut self) -> impl Future<Output = ()> + Send;

    /// Scores one piece of work. At the deadline the instance is ended by force. When the service stops, the future may be
    /// dropped unfinished; then only [`stop`](Scorer::stop) follows.
    fn score(
        &mut self,
        work: Work,
        deadline: Instant,
    ) -> impl Future<Output = Result<Answer, ScorerError>> + Send;

    /// Whether work can be given to it now without starting anything.
    fn is_up(&self) -> bool {
        true
    }

    /// Scores work that nobody waits for, within `limit` once a process is up. `may_start`: one is started if need be, else
    /// the answer is [`ScorerError::Down`]. `then_end`: one that was started so, and for nothing else, is ended.
    fn check(
        &mut self,
        work: Work,
        limit: Duration,
        may_start: bool,
        then_end: bool,
    ) -> impl Future<Output = Result<Answer, ScorerError>> + Send {
        // An instance that is always up.
        let _always_up = (may_start, then_end);
        self.score(work, Instant::now() + limit)
    }

    /// Ends the instance: first politely, after `grace` by force.
    fn stop(self, grace: Duration) -> impl Future<Output = ()> + Send;
}

/// Why a scorer gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ScorerError {
    /// The model raised; the instance goes on.
    #[error("the model raised {0}")]
    Model(Raised),
    /// The deadline passed; the instance was ended.
    #[error("the deadline passed")]
    TimedOut,
    /// The instance could not be started for this work.
    #[error("the instance could not be started: {0}")]
    Lost(ScorerLost),
    /// The instance ended while it scored.
    #[error("the instance ended: {0}")]
    Ended(String),
    /// No instance is up, and this work starts none.
    #[error("no instance is up")]
    Down,
}

/// An instance that could not be started.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScorerLost(pub String);
