//! Has samples scored by an instance, one at a time, and compares.
//!
//! A process that is up takes a sample when no request waits. Where none is, samples are kept until the next probe: it starts
//! a process, has all of them scored, and ends it.

use std::sync::Arc;
use std::time::Duration;

use sluis_mlflow::{Answer, Work};
use sluis_native::Disagreement;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::sample::Sample;
use super::{Refuted, Trust};
use crate::direct::DirectScorer;
use crate::metrics::ScoringMetrics;
use crate::queue::{Check, Command, QueueHandle};
use crate::scorer::ScorerError;

/// The first probe comes this soon after the first sample: a program that is wrong here should not serve for an interval.
const FIRST_PROBE: Duration = Duration::from_secs(60);

/// Samples that broke processes are tried this often.
const MAX_ATTEMPTS: u32 = 2;

/// What a model raises for want of memory says nothing of its answers.
const OUT_OF_MEMORY: &str = "MemoryError";

pub(crate) struct Checker {
    pub(crate) samples: mpsc::UnboundedReceiver<Sample>,
    pub(crate) scorer: Arc<dyn DirectScorer>,
    pub(crate) queue: QueueHandle,
    pub(crate) trust: Trust,
    pub(crate) interval: Duration,
    pub(crate) refuted: Refuted,
    pub(crate) metrics: ScoringMetrics,
}

/// What became of a sample.
enum Outcome {
    Equal,
    Differs(String),
    /// The model raised: a difference, when it does so again.
    Raised(String),
    /// Nothing that can be compared, however often it is asked.
    Undecided(String),
    /// A process that broke.
    Broken(String),
    /// No process is up.
    Kept,
    /// No process can be started.
    Lost(String),
    /// The service stops.
    Stopped,
}

/// When a process is started for samples that were kept.
struct Probes {
    interval: Duration,
    /// None before the first sample.
    due: Option<Instant>,
    /// In a probe: samples that it has yet to see after the present one.
    left: Option<usize>,
}

impl Probes {
    fn due(&mut self) -> Instant {
        let first = self.interval.min(FIRST_PROBE);
        *self.due.get_or_insert_with(|| Instant::now() + first)
    }

    fn begin(&mut self, left: usize) {
        self.due = Some(Instant::now() + self.interval);
        self.left = Some(left);
    }

    fn one_seen(&mut self) {
        self.left = self.left.and_then(|left| left.checked_sub(1));
    }

    fn give_up(&mut self) {
        self.due = Some(Instant::now() + self.interval);
        self.left = None;
    }
}

impl Checker {
    /// Runs until the first difference, or until the service stops.
    pub(crate) async fn run(mut self) {
        let mut probes = Probes {
            interval: self.interval,
            due: None,
            left: None,
        };
        while let Some(sample) = self.samples.recv().await {
            match self.settle(&sample, &mut probes).await {
                Outcome::Equal => drop(self.metrics.native.checked.inc()),
                Outcome::Differs(text) => return self.refute(text).await,
                Outcome::Undecided(cause) | Outcome::Broken(cause) => {
                    self.metrics.native.undecided.inc();
                    tracing::warn!(
                        cause,
                        "a native answer could not be checked: the model's Python gave none"
                    );
                }
                Outcome::Kept | Outcome::Raised(_) | Outcome::Lost(_) | Outcome::Stopped => return,
            }
            probes.one_seen();
        }
    }

    /// Asks until the sample is settled, whatever that takes: there is no hurry.
    async fn settle(&self, sample: &Sample, probes: &mut Probes) -> Outcome {
        let (mut attempts, mut raised) = (0, false);
        loop {
            match self.ask(sample, probes).await {
                Outcome::Kept => {}
                Outcome::Lost(cause) => {
                    tracing::warn!(
                        cause,
                        "the re-check could not start the model's Python; it tries again later"
                    );
                    probes.give_up();
                }
                Outcome::Broken(_) if attempts + 1 < MAX_ATTEMPTS => attempts += 1,
                Outcome::Raised(text) if raised => return Outcome::Differs(text),
                // A machine that was short of something says nothing of the model.
                Outcome::Raised(_) => raised = true,
                settled => return settled,
            }
        }
    }

    async fn ask(&self, sample: &Sample, probes: &mut Probes) -> Outcome {
        let (reply, mut answer) = oneshot::channel();
        let check = Check {
            work: Work::Call(sample.call.clone()),
            may_start: probes.left.is_some(),
            then_end: probes.left == Some(0),
            reply,
        };
        if self.queue.send(Command::Check(check)).is_err() {
            return Outcome::Stopped;
        }
        let early = if probes.left.is_some() {
            None
        } else {
            tokio::select! {
                answer = &mut answer => Some(answer),
                () = sleep_until(probes.due()) => None,
            }
        };
        let answer = match early {
            Some(answer) => answer,
            None => {
                if probes.left.is_none() {
                    probes.begin(self.samples.len());
                    let then_end = probes.left == Some(0);
                    let _stopped = self.queue.send(Command::Probe { then_end });
                }
                answer.await
            }
        };
        match answer {
            Err(_) => Outcome::Stopped,
            Ok(Ok(theirs)) => self.compare(sample, &theirs),
            Ok(Err(ScorerError::Model(raised)))
                if raised.unasked || raised.class == OUT_OF_MEMORY =>
            {
                Outcome::Undecided(raised.class)
            }
            // What it raised may quote the rows: its class has to do.
            Ok(Err(ScorerError::Model(raised))) => Outcome::Raised(format!(
                "row {}: Python raised {} where Rust answered",
                sample.start, raised.class
            )),
            Ok(Err(ScorerError::Down)) => Outcome::Kept,
            Ok(Err(ScorerError::Lost(lost))) => Outcome::Lost(lost.to_string()),
            Ok(Err(error)) => Outcome::Broken(error.to_string()),
        }
    }

    fn compare(&self, sample: &Sample, theirs: &Answer) -> Outcome {
        let ours = sample.answer.as_ref();
        match self.scorer.agrees(&sample.call, ours, theirs) {
            Ok(()) => Outcome::Equal,
            Err(Disagreement { row, what }) => Outcome::Differs(
                Disagreement {
                    row: sample.start + row,
                    what,
                }
                .to_string(),
            ),
        }
    }

    /// Every request goes to Python from here on.
    async fn refute(self, text: String) {
        self.trust.withdraw();
        self.metrics.native.differing.inc();
        self.metrics.native.serving.set(0);
        tracing::error!(
            difference = text,
            "a native answer is not Python's: from now on Python scores every request"
        );
        let refuted = self.refuted;
        if let Err(error) = tokio::task::spawn_blocking(move || refuted(&text)).await {
            tracing::error!(%error, "the difference was not written down");
        }
    }
}
