//! The queue: one task owns what waits; all others send it commands.
//!
//! Entries whose caller has gone are skipped and counted. An idle slot is given a request batch the moment there is one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sluis_mlflow::{Answer, ModelCall, Work};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

use crate::batch::{BatchRule, take};
use crate::error::ScoreError;
use crate::metrics::ScoringMetrics;

/// A request that waits for its answer. Holds the permit of its place until it is answered or dropped.
pub(crate) struct Entry {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<Answer, ScoreError>>,
    pub(crate) since: Instant,
    /// Set once a scorer has it; read by the caller when its deadline passes.
    pub(crate) started: Arc<AtomicBool>,
    /// Calls that ended without an answer.
    pub(crate) attempts: u32,
    pub(crate) _place: OwnedSemaphorePermit,
}

impl Entry {
    /// What may share a call. A request whose call broke is tried again alone: it may be what breaks calls.
    fn joinable(&self) -> Option<&ModelCall> {
        match &self.work {
            Work::Call(call) if self.attempts == 0 => Some(call),
            _ => None,
        }
    }

    /// Answers the caller; it may have gone.
    pub(crate) fn answer(self, answer: Result<Answer, ScoreError>) {
        let _gone = self.reply.send(answer);
    }
}

pub(crate) enum Command {
    /// A new request.
    Push(Entry),
    /// Requests that lost their scorer: they go first.
    Retry(Vec<Entry>),
    /// This slot has an instance that is ready, and waits here for a request batch.
    Idle(usize, oneshot::Sender<Vec<Entry>>),
    /// This slot could not start its instance.
    Lost(usize, String),
    /// A caller has gone without its answer: what it left behind gives its place back.
    Gone,
}

/// Cheap to clone; the queue ends when the last handle is gone.
#[derive(Clone)]
pub(crate) struct QueueHandle(mpsc::UnboundedSender<Command>);

impl QueueHandle {
    /// Sends a command; unbounded, because each entry holds a permit, whose caller goes once, and each slot
    /// sends one command at a time.
    pub(crate) fn send(&self, command: Command) -> Result<(), QueueEnded> {
        self.0.send(command).map_err(|_| QueueEnded)
    }
}

/// The service is stopping; what was sent is dropped, and its callers see that.
#[derive(Debug)]
pub(crate) struct QueueEnded;

pub(crate) struct Queue {
    commands: mpsc::UnboundedReceiver<Command>,
    waiting: VecDeque<Entry>,
    idle: VecDeque<oneshot::Sender<Vec<Entry>>>,
    rule: BatchRule,
    /// By slot, whether it cannot start an instance.
    lost: Vec<bool>,
    cause: String,
    metrics: ScoringMetrics,
}

impl Queue {
    pub(crate) fn new(
        rule: BatchRule,
        slots: usize,
        metrics: ScoringMetrics,
    ) -> (Self, QueueHandle) {
        let (sender, commands) = mpsc::unbounded_channel();
        let queue = Self {
            commands,
            waiting: VecDeque::new(),
            idle: VecDeque::new(),
            rule,
            lost: vec![false; slots],
            cause: String::new(),
            metrics,
        };
        (queue, QueueHandle(sender))
    }

    /// Runs until every handle is gone.
    pub(crate) async fn run(mut self) {
        while let Some(command) = self.commands.recv().await {
            self.apply(command);
            // Take in all that has arrived before a batch is made, so that it is as full as it can be without waiting.
            while let Ok(command) = self.commands.try_recv() {
                self.apply(command);
            }
            self.dispatch();
            self.metrics.waiting.set(self.waiting.len() as i64);
        }
    }

    fn apply(&mut self, command: Command) {
        match command {
            Command::Push(entry) => self.waiting.push_back(entry),
            Command::Retry(entries) => {
                for entry in entries.into_iter().rev() {
                    self.waiting.push_front(entry);
                }
            }
            Command::Idle(index, slot) => {
                self.mark(index, false);
                self.idle.push_back(slot);
            }
            Command::Lost(index, cause) => {
                self.mark(index, true);
                self.cause = cause;
            }
            // Whoever has gone is looked for before each dispatch.
            Command::Gone => {}
        }
    }

    fn mark(&mut self, slot: usize, lost: bool) {
        if let Some(mark) = self.lost.get_mut(slot) {
            *mark = lost;
        }
    }

    fn dispatch(&mut self) {
        if self.lost.iter().all(|lost| *lost) {
            let cause = self.cause.clone();
            for entry in self.waiting.drain(..) {
                entry.answer(Err(ScoreError::Unavailable {
                    cause: cause.clone(),
                }));
            }
            return;
        }
        self.skip_abandoned();
        while !self.waiting.is_empty() {
            let Some(slot) = self.next_idle() else { return };
            let batch = take(&mut self.waiting, self.rule, Entry::joinable);
            for entry in &batch {
                entry.started.store(true, Ordering::Relaxed);
                self.metrics
                    .queue_seconds
                    .observe(entry.since.elapsed().as_secs_f64());
            }
            if let Err(batch) = slot.send(batch) {
                // The slot lost its instance in this moment: another one takes the batch.
                self.apply(Command::Retry(batch));
            }
        }
    }

    fn next_idle(&mut self) -> Option<oneshot::Sender<Vec<Entry>>> {
        while let Some(slot) = self.idle.pop_front() {
            if !slot.is_closed() {
                return Some(slot);
            }
        }
        None
    }

    fn skip_abandoned(&mut self) {
        let before = self.waiting.len();
        self.waiting.retain(|entry| !entry.reply.is_closed());
        self.metrics
            .abandoned
            .inc_by((before - self.waiting.len()) as u64);
    }
}
