//! The scoring service of one deployment: admission, and the tasks behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sluis_mlflow::{Answer, Work};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::batch::BatchRule;
use crate::direct::{Direct, DirectScorer};
use crate::error::ScoreError;
use crate::metrics::ScoringMetrics;
use crate::queue::{Command, Entry, Queue, QueueHandle};
use crate::recheck::{Checker, RecheckConfig, Refuted, Sampler, Trust};
use crate::scorer::Scorer;
use crate::slot::Slot;

/// Longer limits are cut to this: the clock must hold them.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The limits of a scoring service.
#[derive(Clone, Debug)]
pub struct ScoringConfig {
    /// Requests that may be waiting or in work; one more is refused at once.
    pub max_requests: usize,
    /// The time limit of a request, and of a call to a scorer.
    pub request_timeout: Duration,
    /// A request that has waited its limit while no instance was up (one is being started again) waits this much longer.
    pub restart_grace: Duration,
    /// Whether the model scores row by row, so that requests may share a call.
    pub merge: bool,
    /// Rows of one request batch.
    pub max_batch_rows: usize,
    /// Whether a request is tried once more when its instance ends.
    pub retry: bool,
    /// How long an instance may take to end politely.
    pub stop_grace: Duration,
}

impl Default for ScoringConfig {
    fn default() -> Self {
        Self {
            max_requests: 1024,
            request_timeout: Duration::from_secs(60),
            restart_grace: Duration::from_secs(30),
            merge: false,
            max_batch_rows: 4096,
            retry: true,
            stop_grace: Duration::from_secs(5),
        }
    }
}

/// Counts the instances that are up.
#[derive(Clone, Default)]
pub(crate) struct ReadyCount(Arc<AtomicUsize>);

/// An instance counts as up while this lives.
pub(crate) struct Up(Arc<AtomicUsize>);

impl ReadyCount {
    pub(crate) fn hold(&self) -> Up {
        self.0.fetch_add(1, Ordering::Relaxed);
        Up(self.0.clone())
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A handle, cheap to clone.
#[derive(Clone)]
pub struct ScoringService {
    config: Arc<ScoringConfig>,
    places: Arc<Semaphore>,
    queue: QueueHandle,
    direct: Option<Direct>,
    ready: ReadyCount,
    metrics: ScoringMetrics,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every accepted request was answered.
    Clean,
    /// So many requests were still in work at the deadline.
    Interrupted(usize),
}

impl ScoringService {
    /// Whether any instance is up. While none is, requests wait for one to be started again.
    pub fn is_up(&self) -> bool {
        self.ready.any()
    }

    /// Starts the queue and one slot per scorer. The scorers are started by their slots.
    pub fn start<S: Scorer>(
        mut config: ScoringConfig,
        scorers: Vec<S>,
        metrics: ScoringMetrics,
    ) -> Self {
        config.max_requests = config.max_requests.min(u32::MAX as usize);
        config.request_timeout = config.request_timeout.min(LONGEST);
        let rule = BatchRule {
            merge: config.merge,
            max_rows: config.max_batch_rows,
        };
        let (queue, handle) = Queue::new(rule, scorers.len(), metrics.clone());
        let service = Self {
            places: Arc::new(Semaphore::new(config.max_requests)),
            queue: handle,
            direct: None,
            ready: ReadyCount::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config: Arc::new(config),
            metrics,
        };
        service
            .tasks
            .spawn(service.stop.clone().run_until_cancelled_owned(queue.run()));
        for (index, scorer) in scorers.into_iter().enumerate() {
            let slot = Slot {
                index,
                scorer,
                queue: service.queue.clone(),
                ready: service.ready.clone(),
                call_limit: service.config.request_timeout,
                stop_grace: service.config.stop_grace,
                retry: service.config.retry,
                metrics: service.metrics.clone(),
            };
            service.tasks.spawn(slot.run(service.stop.clone()));
        }
        service.tasks.close();
        service
    }

    /// The service with a scorer that is asked before any instance, as long as `trust` is not withdrawn. A share of its
    /// answers is scored again by instances; at the first difference trust is withdrawn and `refuted` called.
    #[must_use]
    pub fn with_direct(
        mut self,
        scorer: Arc<dyn DirectScorer>,
        trust: Trust,
        recheck: RecheckConfig,
        refuted: Refuted,
    ) -> Self {
        self.metrics.native.serving.set(1);
        let mut sampler = None;
        if recheck.share > 0.0 {
            let (picks, samples) = Sampler::new(recheck.share, self.metrics.clone());
            sampler = Some(picks);
            let checker = Checker {
                samples,
                scorer: Arc::clone(&scorer),
                queue: self.queue.clone(),
                trust: trust.clone(),
                interval: recheck.interval.min(LONGEST),
                refuted,
                metrics: self.metrics.clone(),
            };
            let stop = self.stop.clone();
            self.tasks
                .spawn(stop.run_until_cancelled_owned(checker.run()));
        }
        self.direct = Some(Direct::new(scorer, trust, sampler));
        self
    }

    /// Scores one request's work. Dropping the future abandons the work if it has not begun.
    pub async fn score(&self, work: Work) -> Result<Answer, ScoreError> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.metrics.rejected.inc();
            return Err(ScoreError::Overloaded {
                waiting: self.config.max_requests,
                retry_after: Duration::from_secs(1),
            });
        };
        let work = match &self.direct {
            Some(direct) => match direct.score(work, &self.metrics).await {
                Ok(answer) => return Ok(answer),
                Err(work) => work,
            },
            None => work,
        };
        let since = Instant::now();
        let started = Arc::new(AtomicBool::new(false));
        let (reply, answer) = oneshot::channel();
        let entry = Entry {
            work,
            reply,
            since,
            started: started.clone(),
            attempts: 0,
            _place: place,
        };
        if self.queue.send(Command::Push(entry)).is_err() {
            return Err(stopped());
        }
        let mut caller = Caller {
            queue: &self.queue,
            answered: false,
        };
        let answer = self.wait(answer, since, &started).await;
        caller.answered = !matches!(answer, Err(ScoreError::TimedOut { .. }));
        answer
    }

    async fn wait(
        &self,
        mut answer: oneshot::Receiver<Result<Answer, ScoreError>>,
        since: Instant,
        started: &AtomicBool,
    ) -> Result<Answer, ScoreError> {
        let limit = self.config.request_timeout;
        tokio::select! {
            biased;
            answer = &mut answer => return answer.unwrap_or_else(|_| Err(stopped())),
            () = sleep_until(since + limit) => {}
        }
        let restarting = !started.load(Ordering::Relaxed) && !self.ready.any();
        if restarting
            && let Ok(answer) = timeout_at(since + limit + self.config.restart_grace, answer).await
        {
            return answer.unwrap_or_else(|_| Err(stopped()));
        }
        self.metrics.timed_out.inc();
        Err(ScoreError::TimedOut { limit })
    }

    /// Waits until all accepted requests are answered or `grace` is over, then ends the instances, which takes their
    /// stop grace at most.
    ///
    /// Obligation of the caller: no new request is sent from here on.
    pub async fn drain(&self, grace: Duration) -> Drained {
        let all = u32::try_from(self.config.max_requests).unwrap_or(u32::MAX);
        let clean = timeout(grace, self.places.acquire_many(all)).await.is_ok();
        let left = self.config.max_requests - self.places.available_permits();
        self.stop.cancel();
        self.tasks.wait().await;
        if clean {
            Drained::Clean
        } else {
            Drained::Interrupted(left)
        }
    }
}

/// Tells the queue of a caller that goes without an answer, so that its place is free at once and not with the next call.
struct Caller<'a> {
    queue: &'a QueueHandle,
    answered: bool,
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let _ended = self.queue.send(Command::Gone);
        }
    }
}

fn stopped() -> ScoreError {
    ScoreError::Unavailable {
        cause: "the server is stopping".to_owned(),
    }
}
