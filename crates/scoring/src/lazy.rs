//! A Python instance that is started by the first work that needs it, and ended when none came for a while.
//!
//! It stands behind a direct scorer, which answers almost everything.

use std::time::Duration;

use sluis_mlflow::{Answer, Work};
use sluis_worker::Instance;
use tokio::time::{Instant, sleep_until};

use crate::python::from_call_error;
use crate::scorer::{Scorer, ScorerError, ScorerLost};

/// How long a process that was told to end may take.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// At most one Python process, mostly none.
pub struct LazyPythonScorer {
    make: Box<dyn Fn() -> Instance + Send + Sync>,
    instance: Option<Instance>,
    idle: Duration,
    used: Instant,
}

impl LazyPythonScorer {
    /// A scorer without a process. `make` gives an instance that is down; a process ends after `idle` without work.
    pub fn new(make: impl Fn() -> Instance + Send + Sync + 'static, idle: Duration) -> Self {
        Self {
            make: Box::new(make),
            instance: None,
            idle,
            used: Instant::now(),
        }
    }
}

impl Scorer for LazyPythonScorer {
    /// Always: work is what starts the process.
    async fn ready(&mut self) -> Result<(), ScorerLost> {
        Ok(())
    }

    async fn ended(&mut self) {
        if let Some(instance) = &mut self.instance {
            tokio::select! {
                () = instance.ended() => return,
                () = sleep_until(self.used + self.idle) => {}
            }
            if let Some(instance) = self.instance.take() {
                tracing::info!("the model's Python had nothing to do and is ended");
                tokio::spawn(instance.stop(STOP_GRACE));
            }
        }
        std::future::pending::<()>().await;
    }

    async fn score(&mut self, work: Work, deadline: Instant) -> Result<Answer, ScorerError> {
        let instance = self.instance.get_or_insert_with(|| {
            tracing::info!("the model's Python is started: a request needs it");
            (self.make)()
        });
        let started = tokio::time::timeout_at(deadline, instance.ready()).await;
        let answer = match started {
            Err(_) => Err(ScorerError::TimedOut),
            Ok(Err(error)) => Err(ScorerError::Lost(ScorerLost(error.to_string()))),
            Ok(Ok(())) => instance
                .call(&work, deadline)
                .await
                .map_err(from_call_error),
        };
        self.used = Instant::now();
        if matches!(answer, Err(ScorerError::Lost(_))) {
            self.instance = None;
        }
        answer
    }

    async fn stop(self, grace: Duration) {
        if let Some(instance) = self.instance {
            instance.stop(grace).await;
        }
    }
}
