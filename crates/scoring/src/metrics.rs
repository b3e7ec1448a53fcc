//! The metrics of a scoring service. Labels are set by the registry's owner, never by callers.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct ScoringMetrics {
    pub(crate) waiting: Gauge,
    pub(crate) queue_seconds: Histogram,
    pub(crate) score_seconds: Histogram,
    pub(crate) batch_rows: Histogram,
    pub(crate) rejected: Counter,
    pub(crate) abandoned: Counter,
    pub(crate) retried: Counter,
    pub(crate) timed_out: Counter,
    pub(crate) native: NativeMetrics,
}

/// Of native scoring and its live re-check.
#[derive(Clone, Default)]
pub(crate) struct NativeMetrics {
    pub(crate) serving: Gauge,
    pub(crate) checked: Counter,
    pub(crate) differing: Counter,
    pub(crate) undecided: Counter,
    pub(crate) dropped: Counter,
}

impl ScoringMetrics {
    /// Metrics that are shown by `registry`, whose prefix is `sluis`.
    pub fn register(registry: &mut Registry) -> Self {
        let seconds = || Histogram::new(exponential_buckets(50e-6, 2.5, 16));
        let metrics = Self {
            waiting: Gauge::default(),
            queue_seconds: seconds(),
            score_seconds: seconds(),
            batch_rows: Histogram::new(exponential_buckets(1.0, 4.0, 8)),
            rejected: Counter::default(),
            abandoned: Counter::default(),
            retried: Counter::default(),
            timed_out: Counter::default(),
            native: NativeMetrics::default(),
        };
        let scoring = registry.sub_registry_with_prefix("scoring");
        scoring.register(
            "queue_requests",
            "Requests that wait for an instance",
            metrics.waiting.clone(),
        );
        let wait = metrics.queue_seconds.clone();
        scoring.register_with_unit(
            "queue_wait",
            "Time from admission to an instance",
            Unit::Seconds,
            wait,
        );
        let call = metrics.score_seconds.clone();
        scoring.register_with_unit(
            "call_duration",
            "Time of one call to an instance",
            Unit::Seconds,
            call,
        );
        scoring.register(
            "call_rows",
            "Rows of one call to an instance",
            metrics.batch_rows.clone(),
        );
        scoring.register(
            "rejected_requests",
            "Requests refused with 429",
            metrics.rejected.clone(),
        );
        scoring.register(
            "abandoned_requests",
            "Requests dropped unscored: the caller had gone",
            metrics.abandoned.clone(),
        );
        scoring.register(
            "retried_requests",
            "Requests tried again: their instance had ended",
            metrics.retried.clone(),
        );
        scoring.register(
            "timed_out_requests",
            "Requests without an answer in time",
            metrics.timed_out.clone(),
        );
        metrics.native.register(scoring);
        metrics
    }
}

impl NativeMetrics {
    fn register(&self, scoring: &mut Registry) {
        scoring.register(
            "native",
            "1 while Rust scores, 0 while Python does",
            self.serving.clone(),
        );
        scoring.register(
            "recheck_checked",
            "Native answers that Python was asked for too, and gave alike",
            self.checked.clone(),
        );
        scoring.register(
            "recheck_differing",
            "Native answers that are not Python's: an alarm, Python scores from the first one on",
            self.differing.clone(),
        );
        scoring.register(
            "recheck_undecided",
            "Native answers to which Python gave none, for reasons of its process",
            self.undecided.clone(),
        );
        scoring.register(
            "recheck_dropped",
            "Native answers that were picked, and for which there was no room",
            self.dropped.clone(),
        );
    }
}
