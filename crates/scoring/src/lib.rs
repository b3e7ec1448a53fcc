//! Between a request and a scorer: admission, queue, request batches, instances.
//!
//! A [`ScoringService`] takes work, answers at once when it is full, puts together what is already waiting when the
//! model scores row by row, and hands it to a [`Scorer`]. Knows nothing of HTTP, of payload dialects, or of how a scorer
//! works inside.

mod batch;
mod direct;
mod error;
mod lazy;
mod metrics;
mod python;
mod queue;
mod recheck;
mod scorer;
mod service;
mod slot;
#[cfg(test)]
mod tests;

pub use direct::{DirectScorer, NativeScorer};
pub use error::ScoreError;
pub use lazy::LazyPythonScorer;
pub use metrics::ScoringMetrics;
pub use python::PythonScorer;
pub use recheck::{RecheckConfig, Refuted, Trust};
pub use scorer::{Scorer, ScorerError, ScorerLost};
pub use service::{Drained, ScoringConfig, ScoringService};
