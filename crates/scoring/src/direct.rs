//! Scoring on the calling task: no queue, no instance.
//!
//! A direct scorer answers decoded payloads by arithmetic alone. What it declines goes to the instances, which are then there
//! for little more than that.

use std::sync::Arc;

use sluis_mlflow::{Answer, ModelCall, Work};
use sluis_native::Program;
use tokio::sync::Semaphore;

use crate::metrics::ScoringMetrics;

/// Work that takes about this long is done on a thread of its own, so that other connections are answered meanwhile.
const LARGE_NANOSECONDS: usize = 200_000;

/// Scores without waiting for anything.
pub trait DirectScorer: Send + Sync + 'static {
    /// The answer; `None` where an instance has to give it.
    fn score(&self, call: &ModelCall) -> Option<Answer>;

    /// About how many nanoseconds that takes.
    fn cost(&self, call: &ModelCall) -> usize;
}

/// A scoring program that was proved equal to Python.
pub struct NativeScorer(Arc<Program>);

impl NativeScorer {
    /// The scorer of a program. Obligation of the caller: it was proved.
    pub fn new(program: Arc<Program>) -> Self {
        Self(program)
    }
}

impl DirectScorer for NativeScorer {
    fn score(&self, call: &ModelCall) -> Option<Answer> {
        // Params and other methods are the Python model's to understand.
        let params = call.options.params.as_ref();
        if params.is_some_and(|params| !params.0.is_empty()) || call.options.method.is_some() {
            return None;
        }
        self.0.evaluate(&call.input).ok()
    }

    fn cost(&self, call: &ModelCall) -> usize {
        call.input.rows().saturating_mul(self.0.row_cost())
    }
}

/// A direct scorer and the threads that it may take.
#[derive(Clone)]
pub(crate) struct Direct {
    scorer: Arc<dyn DirectScorer>,
    threads: Arc<Semaphore>,
}

impl Direct {
    pub(crate) fn new(scorer: Arc<dyn DirectScorer>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            scorer,
            threads: Arc::new(Semaphore::new(threads)),
        }
    }

    /// The answer, or the work back where an instance has to answer it.
    pub(crate) async fn score(&self, work: Work, metrics: &ScoringMetrics) -> Result<Answer, Work> {
        let Work::Call(call) = work else {
            return Err(work);
        };
        let start = std::time::Instant::now();
        let rows = call.input.rows();
        let (answer, call) = if self.scorer.cost(&call) < LARGE_NANOSECONDS {
            (self.scorer.score(&call), call)
        } else {
            self.apart(call).await
        };
        let answer = answer.ok_or(Work::Call(call))?;
        metrics.score_seconds.observe(start.elapsed().as_secs_f64());
        metrics.batch_rows.observe(rows as f64);
        Ok(answer)
    }

    /// On a thread of its own; as many at a time as there are processors.
    async fn apart(&self, call: ModelCall) -> (Option<Answer>, ModelCall) {
        let _turn = self.threads.acquire().await;
        let (scorer, theirs) = (Arc::clone(&self.scorer), call.clone());
        let done = tokio::task::spawn_blocking(move || scorer.score(&theirs)).await;
        (done.ok().flatten(), call)
    }
}
