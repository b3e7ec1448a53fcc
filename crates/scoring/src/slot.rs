//! A slot: the task that keeps one instance ready and walks request batches through it.
//!
//! A batch whose instance ended is tried once more elsewhere; a batch that the model refused is scored request by
//! request, so that no caller gets the error of another.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sluis_mlflow::{Answer, Work};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::batch::join;
use crate::error::ScoreError;
use crate::metrics::ScoringMetrics;
use crate::queue::{Check, Command, Entry, Idle, Job, QueueHandle};
use crate::scorer::{Scorer, ScorerError};
use crate::service::ReadyCount;

/// How often a request is given to a scorer that then ends under it.
const MAX_ATTEMPTS: u32 = 2;

/// A slot whose instance cannot be started tries again after this long.
const LOST_RETRY: Duration = Duration::from_secs(10);

/// How long a check may take: requests may come to wait behind it, and it has few rows.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct Slot<S> {
    /// Its number among the slots of its service.
    pub(crate) index: usize,
    pub(crate) scorer: S,
    pub(crate) queue: QueueHandle,
    pub(crate) ready: ReadyCount,
    pub(crate) call_limit: Duration,
    pub(crate) stop_grace: Duration,
    pub(crate) retry: bool,
    pub(crate) metrics: ScoringMetrics,
}

impl<S: Scorer> Slot<S> {
    /// Runs until `stop`, then ends the instance. Work that is still unfinished then is dropped: its time is over.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        // A batch in hand is dropped too: a call may have as long as a request may take, a stop may not.
        while let Some(job) = stop.run_until_cancelled(self.next_job()).await {
            let done = async {
                match job {
                    Job::Requests(batch) => self.serve(batch).await,
                    Job::Check(check) => self.check(check).await,
                }
            };
            if stop.run_until_cancelled(done).await.is_none() {
                break;
            }
        }
        self.scorer.stop(self.stop_grace).await;
    }

    /// Waits until the instance is ready and work has come.
    async fn next_job(&mut self) -> Job {
        loop {
            if let Err(lost) = self.scorer.ready().await {
                tracing::error!(cause = %lost, "the model could not be started");
                let _ended = self.queue.send(Command::Lost(self.index, lost.to_string()));
                tokio::time::sleep(LOST_RETRY).await;
                continue;
            }
            let _ready = self.ready.hold();
            let (sender, mut receiver) = oneshot::channel();
            let idle = Idle {
                slot: self.index,
                up: self.scorer.is_up(),
                give: sender,
            };
            if self.queue.send(Command::Idle(idle)).is_err() {
                std::future::pending::<()>().await;
            }
            tokio::select! {
                job = &mut receiver => if let Ok(job) = job { return job },
                () = self.scorer.ended() => {
                    tracing::debug!("an idle instance is not ready any more");
                    // A job may have been handed over in this very moment: it was never begun.
                    receiver.close();
                    match receiver.try_recv() {
                        Ok(Job::Requests(batch)) => self.requeue(batch),
                        Ok(Job::Check(check)) => drop(self.queue.send(Command::Check(check))),
                        Err(_) => {}
                    }
                }
            }
        }
    }

    /// Nobody waits for it, so no metric of requests knows of it.
    async fn check(&mut self, check: Check) {
        let _ready = self.ready.hold();
        let limit = CHECK_LIMIT.min(self.call_limit);
        let answer = self
            .scorer
            .check(check.work, limit, check.may_start, check.then_end);
        let _gone = check.reply.send(answer.await);
    }

    async fn serve(&mut self, batch: Vec<Entry>) {
        let _ready = self.ready.hold();
        if batch.len() > 1
            && let Some(work) = join(batch.iter().map(|entry| &entry.work))
        {
            self.serve_joined(batch, work).await;
        } else {
            self.serve_singly(batch).await;
        }
    }

    async fn serve_joined(&mut self, batch: Vec<Entry>, work: Work) {
        let rows: Vec<usize> = batch.iter().map(|entry| entry.work.rows()).collect();
        match self.score(work, rows.iter().sum()).await {
            Ok(answer) => match answer.split(&rows) {
                Some(parts) => {
                    for (entry, part) in batch.into_iter().zip(parts) {
                        entry.answer(Ok(part));
                    }
                }
                None => self.serve_singly(batch).await,
            },
            Err(ScorerError::Model(_) | ScorerError::Lost(_)) => self.serve_singly(batch).await,
            Err(error) => self.give_back(batch, &error),
        }
    }

    async fn serve_singly(&mut self, batch: Vec<Entry>) {
        let mut rest = batch.into_iter();
        while let Some(entry) = rest.next() {
            if entry.reply.is_closed() {
                self.metrics.abandoned.inc();
                continue;
            }
            let rows = entry.work.rows();
            match self.score(entry.work.clone(), rows).await {
                Ok(answer) => entry.answer(Ok(answer)),
                Err(ScorerError::Model(error)) => entry.answer(Err(ScoreError::Model(error))),
                Err(ScorerError::Lost(lost)) => {
                    tracing::error!(cause = %lost, "the model could not be started");
                    let cause = lost.to_string();
                    entry.answer(Err(ScoreError::Unavailable { cause }));
                }
                Err(error) => {
                    self.give_back(vec![entry], &error);
                    // The others were never begun.
                    let untouched: Vec<Entry> = rest.collect();
                    self.requeue(untouched);
                    return;
                }
            }
        }
    }

    async fn score(&mut self, work: Work, rows: usize) -> Result<Answer, ScorerError> {
        let start = Instant::now();
        let answer = self.scorer.score(work, start + self.call_limit).await;
        self.metrics
            .score_seconds
            .observe(start.elapsed().as_secs_f64());
        self.metrics.batch_rows.observe(rows as f64);
        answer
    }

    /// Requests whose instance ended: once more elsewhere, then the truth.
    fn give_back(&self, batch: Vec<Entry>, error: &ScorerError) {
        tracing::warn!(requests = batch.len(), cause = %error, "an instance ended while it scored");
        let alone = batch.len() == 1;
        let mut again = Vec::new();
        for mut entry in batch {
            entry.attempts += 1;
            let stuck = matches!(error, ScorerError::TimedOut) && alone;
            if stuck {
                entry.answer(Err(ScoreError::TimedOut {
                    limit: self.call_limit,
                }));
            } else if !self.retry || entry.attempts >= MAX_ATTEMPTS {
                entry.answer(Err(ScoreError::WorkerDied {
                    cause: error.to_string(),
                }));
            } else {
                self.metrics.retried.inc();
                again.push(entry);
            }
        }
        self.requeue(again);
    }

    fn requeue(&self, entries: Vec<Entry>) {
        for entry in &entries {
            entry.started.store(false, Ordering::Relaxed);
        }
        if !entries.is_empty() {
            let _ended = self.queue.send(Command::Retry(entries));
        }
    }
}
