//! A Python instance that is started by the first work that needs it, and ended when none came for a while.
//!
//! It stands behind a direct scorer, which answers almost everything. Where that one is believed no more, the instance is as
//! any other: up at once, and always.

use std::time::Duration;

use sluis_mlflow::{Answer, Work};
use sluis_worker::{Instance, InstanceState};
use tokio::time::{Instant, sleep_until};

use crate::python::from_call_error;
use crate::recheck::Trust;
use crate::scorer::{Scorer, ScorerError, ScorerLost};

/// How long a process that was told to end may take.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How long a process that was started to check answers stays after the last of them.
const LINGER: Duration = Duration::from_secs(1);

/// At most one Python process, mostly none.
pub struct LazyPythonScorer {
    make: Box<dyn Fn() -> Instance + Send + Sync>,
    instance: Option<Instance>,
    /// None: it is never ended for want of work, and started at once.
    idle: Option<Duration>,
    /// When a process that has no work is ended.
    ends_at: Instant,
    /// Whether the process was started to check answers, and has done nothing else.
    only_checks: bool,
    /// Whether the scorer in front is believed.
    trust: Trust,
}

impl LazyPythonScorer {
    /// A scorer without a process. `make` gives an instance that is down; a process ends after `idle` without requests, or
    /// without it is started at once and kept.
    pub fn new(
        make: impl Fn() -> Instance + Send + Sync + 'static,
        idle: Option<Duration>,
        trust: Trust,
    ) -> Self {
        Self {
            make: Box::new(make),
            instance: None,
            idle,
            ends_at: Instant::now(),
            only_checks: false,
            trust,
        }
    }

    /// Whether a process is to be up at all times.
    fn stays_up(&self) -> bool {
        self.idle.is_none() || self.trust.is_withdrawn()
    }

    /// Begins the time without requests after which the process is ended.
    fn was_used(&mut self) {
        if let Some(idle) = self.idle {
            self.ends_at = Instant::now() + idle;
        }
    }

    /// Brings a process up; `why` is logged where that takes a new one.
    async fn start(&mut self, why: &str) -> Result<&mut Instance, ScorerError> {
        let Self { instance, make, .. } = self;
        let instance = instance.get_or_insert_with(|| {
            tracing::info!("the model's Python is started: {why}");
            make()
        });
        let ready = instance.ready().await;
        ready.map_err(|error| ScorerError::Lost(ScorerLost(error.to_string())))?;
        Ok(instance)
    }

    /// Notes how work went.
    fn after(&mut self, answer: &Result<Answer, ScorerError>) {
        if matches!(answer, Err(ScorerError::Lost(_))) {
            self.instance = None;
        }
    }
}

impl Scorer for LazyPythonScorer {
    /// At once, mostly: work is what starts the process.
    async fn ready(&mut self) -> Result<(), ScorerLost> {
        if !self.stays_up() {
            return Ok(());
        }
        let why = match self.trust.is_withdrawn() {
            true => "it scores every request",
            false => "it is kept ready for what Rust leaves to it",
        };
        match self.start(why).await {
            Err(ScorerError::Lost(lost)) => Err(lost),
            _ => Ok(()),
        }
    }

    async fn ended(&mut self) {
        let trust = self.trust.clone();
        if self.stays_up() {
            if let Some(instance) = &mut self.instance {
                instance.ended().await;
            }
            return;
        }
        if let Some(instance) = &mut self.instance {
            tokio::select! {
                () = instance.ended() => return,
                () = trust.withdrawn() => return,
                () = sleep_until(self.ends_at) => {}
            }
            tracing::info!("the model's Python had nothing to do and is ended");
            if let Some(instance) = self.instance.take() {
                tokio::spawn(instance.stop(STOP_GRACE));
            }
        }
        trust.withdrawn().await;
    }

    async fn score(&mut self, work: Work, deadline: Instant) -> Result<Answer, ScorerError> {
        self.only_checks = false;
        let started = tokio::time::timeout_at(deadline, self.start("a request needs it")).await;
        let answer = match started {
            Err(_) => Err(ScorerError::TimedOut),
            Ok(Err(lost)) => Err(lost),
            Ok(Ok(instance)) => instance
                .call(&work, deadline)
                .await
                .map_err(from_call_error),
        };
        self.was_used();
        self.after(&answer);
        answer
    }

    fn is_up(&self) -> bool {
        let up = |instance: &Instance| *instance.state().borrow() == InstanceState::Ready;
        self.instance.as_ref().is_some_and(up)
    }

    async fn check(
        &mut self,
        work: Work,
        limit: Duration,
        may_start: bool,
        then_end: bool,
    ) -> Result<Answer, ScorerError> {
        if !self.is_up() {
            if !may_start {
                return Err(ScorerError::Down);
            }
            self.only_checks = true;
            self.was_used();
        }
        let answer = match self.start("some of Rust's answers are checked").await {
            Ok(instance) => {
                let answer = instance.call(&work, Instant::now() + limit).await;
                answer.map_err(from_call_error)
            }
            Err(lost) => Err(lost),
        };
        self.after(&answer);
        if then_end && self.only_checks {
            // Not at once: a request that waits already shall find it.
            self.ends_at = Instant::now() + LINGER;
        }
        answer
    }

    async fn stop(self, grace: Duration) {
        if let Some(instance) = self.instance {
            instance.stop(grace).await;
        }
    }
}
