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
use crate::scorer::ScorerError;

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

/// Work that no caller waits for: it is given to a slot when no request waits.
pub(crate) struct Check {
    pub(crate) work: Work,
    /// Whether a process may be started for it; else it waits for one that is up.
    pub(crate) may_start: bool,
    /// Whether a process that was started so is ended after it.
    pub(crate) then_end: bool,
    pub(crate) reply: oneshot::Sender<Result<Answer, ScorerError>>,
}

/// What a slot is given to do.
pub(crate) enum Job {
    /// A request batch.
    Requests(Vec<Entry>),
    /// A check.
    Check(Check),
}

/// A slot that waits for a job.
pub(crate) struct Idle {
    /// Its number.
    pub(crate) slot: usize,
    /// Whether its instance has a process, as far as that was known when it began to wait.
    pub(crate) up: bool,
    pub(crate) give: oneshot::Sender<Job>,
}

pub(crate) enum Command {
    /// A new request.
    Push(Entry),
    /// Requests that lost their scorer: they go first.
    Retry(Vec<Entry>),
    /// This slot has an instance that is ready, and waits here for a job.
    Idle(Idle),
    /// This slot could not start its instance.
    Lost(usize, String),
    /// A caller has gone without its answer: what it left behind gives its place back.
    Gone,
    /// A check; the one before it was answered.
    Check(Check),
    /// The check that waits may start a process, and may have it ended.
    Probe { then_end: bool },
}

/// Cheap to clone; the queue ends when the last handle is gone.
#[derive(Clone)]
pub(crate) struct QueueHandle(mpsc::UnboundedSender<Command>);

impl QueueHandle {
    /// Sends a command; unbounded, because each entry holds a permit, whose caller goes once, each slot
    /// sends one command at a time, and there is one check at a time.
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
    idle: VecDeque<Idle>,
    check: Option<Check>,
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
            check: None,
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
            Command::Idle(idle) => {
                self.mark(idle.slot, false);
                self.idle.push_back(idle);
            }
            Command::Lost(index, cause) => {
                self.mark(index, true);
                self.cause = cause;
            }
            // Whoever has gone is looked for before each dispatch.
            Command::Gone => {}
            Command::Check(check) => self.check = Some(check),
            Command::Probe { then_end } => {
                if let Some(check) = &mut self.check {
                    check.may_start = true;
                    check.then_end = then_end;
                }
            }
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
        self.idle.retain(|idle| !idle.give.is_closed());
        while !self.waiting.is_empty() {
            let Some(idle) = self.next_idle() else { return };
            let batch = take(&mut self.waiting, self.rule, Entry::joinable);
            for entry in &batch {
                entry.started.store(true, Ordering::Relaxed);
                self.metrics
                    .queue_seconds
                    .observe(entry.since.elapsed().as_secs_f64());
            }
            if let Err(Job::Requests(batch)) = idle.give.send(Job::Requests(batch)) {
                // The slot lost its instance in this moment: another one takes the batch.
                self.apply(Command::Retry(batch));
            }
        }
        self.dispatch_check();
    }

    /// No request waits: a slot may check an answer, rather one whose process is up.
    fn dispatch_check(&mut self) {
        while let Some(check) = self.check.take() {
            let slot = self.idle.iter().position(|idle| idle.up);
            let slot = slot.or((check.may_start && !self.idle.is_empty()).then_some(0));
            let Some(idle) = slot.and_then(|slot| self.idle.remove(slot)) else {
                self.check = Some(check);
                return;
            };
            if let Err(Job::Check(check)) = idle.give.send(Job::Check(check)) {
                self.check = Some(check);
            }
        }
    }

    /// The slot that has waited longest; one whose process is up before those that would start one.
    fn next_idle(&mut self) -> Option<Idle> {
        let up = self.idle.iter().position(|idle| idle.up).unwrap_or(0);
        self.idle.remove(up)
    }

    fn skip_abandoned(&mut self) {
        let before = self.waiting.len();
        self.waiting.retain(|entry| !entry.reply.is_closed());
        self.metrics
            .abandoned
            .inc_by((before - self.waiting.len()) as u64);
    }
}
