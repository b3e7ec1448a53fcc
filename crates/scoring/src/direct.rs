//! Scoring on the calling task: no queue, no instance.
//!
//! A direct scorer answers decoded payloads by arithmetic alone. What it declines goes to the instances, which are then there
//! for little more than that.

use std::sync::Arc;

use sluis_mlflow::{Answer, CallOptions, ModelCall, Params, Work};
use sluis_native::{Disagreement, Program};
use tokio::sync::Semaphore;

use crate::metrics::ScoringMetrics;
use crate::recheck::{Sampler, Trust};

/// Work that takes about this long is done on a thread of its own, so that other connections are answered meanwhile.
const LARGE_NANOSECONDS: usize = 200_000;

/// Scores without waiting for anything.
pub trait DirectScorer: Send + Sync + 'static {
    /// The answer; `None` where an instance has to give it.
    fn score(&self, call: &ModelCall) -> Option<Answer>;

    /// About how many nanoseconds that takes.
    fn cost(&self, call: &ModelCall) -> usize;

    /// Whether a row is answered alike whatever is asked with it: then some rows of a call stand for it.
    fn by_row(&self, call: &ModelCall) -> bool;

    /// Whether an answer that was given to this call (none: the one that is given again) is also that of an instance.
    fn agrees(
        &self,
        call: &ModelCall,
        ours: Option<&Answer>,
        theirs: &Answer,
    ) -> Result<(), Disagreement>;
}

/// Scoring programs that were proved equal to Python, each for one method of the model.
pub struct NativeScorer {
    programs: Vec<(Option<String>, Arc<Program>)>,
    /// Params that were the model's when it was proved.
    defaults: Params,
}

impl NativeScorer {
    /// The scorer of programs; without a name: that of the model's own function. Obligation of the caller: they were proved,
    /// with these params where none was given.
    pub fn new(programs: Vec<(Option<String>, Arc<Program>)>, defaults: Params) -> Self {
        Self { programs, defaults }
    }

    fn program(&self, call: &ModelCall) -> Option<&Program> {
        let CallOptions { params, method } = &call.options;
        // Params reach the model's own function only, and are its to understand.
        let given = params.as_ref().filter(|_| method.is_none());
        if given.is_some_and(|params| !params.repeats(&self.defaults)) {
            return None;
        }
        let mut programs = self.programs.iter();
        let found = programs.find(|(known, _)| known == method);
        found.map(|(_, program)| program.as_ref())
    }
}

impl DirectScorer for NativeScorer {
    fn score(&self, call: &ModelCall) -> Option<Answer> {
        self.program(call)?.evaluate(&call.input).ok()
    }

    fn cost(&self, call: &ModelCall) -> usize {
        let row = self.program(call).map_or(0, Program::row_cost);
        call.input.rows().saturating_mul(row)
    }

    fn by_row(&self, call: &ModelCall) -> bool {
        self.program(call).is_some_and(Program::by_row)
    }

    fn agrees(
        &self,
        call: &ModelCall,
        ours: Option<&Answer>,
        theirs: &Answer,
    ) -> Result<(), Disagreement> {
        let program = self.program(call).ok_or_else(|| Disagreement {
            row: 0,
            what: "it was answered without a program".to_owned(),
        })?;
        program.agrees(&call.input, ours, theirs)
    }
}

/// A direct scorer, the threads that it may take, and whether it is believed.
#[derive(Clone)]
pub(crate) struct Direct {
    scorer: Arc<dyn DirectScorer>,
    threads: Arc<Semaphore>,
    trust: Trust,
    /// None where nothing is scored again.
    sampler: Option<Arc<Sampler>>,
}

impl Direct {
    pub(crate) fn new(
        scorer: Arc<dyn DirectScorer>,
        trust: Trust,
        sampler: Option<Sampler>,
    ) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            scorer,
            threads: Arc::new(Semaphore::new(threads)),
            trust,
            sampler: sampler.map(Arc::new),
        }
    }

    /// The answer, or the work back where an instance has to answer it.
    pub(crate) async fn score(&self, work: Work, metrics: &ScoringMetrics) -> Result<Answer, Work> {
        let Work::Call(call) = work else {
            return Err(work);
        };
        if self.trust.is_withdrawn() {
            return Err(Work::Call(call));
        }
        let start = std::time::Instant::now();
        let rows = call.input.rows();
        let (answer, call) = if self.scorer.cost(&call) < LARGE_NANOSECONDS {
            (self.scorer.score(&call), call)
        } else {
            self.apart(call).await
        };
        let Some(answer) = answer else {
            return Err(Work::Call(call));
        };
        metrics.score_seconds.observe(start.elapsed().as_secs_f64());
        metrics.batch_rows.observe(rows as f64);
        if let Some(sampler) = &self.sampler {
            sampler.offer(&call, &answer, self.scorer.by_row(&call));
        }
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
