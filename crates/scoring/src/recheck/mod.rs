//! The live re-check: a share of what the direct scorer answered is scored again by the model's own Python.
//!
//! `sample` picks answered calls, `check` has them scored when no request waits, and compares. At the first difference
//! `trust` is withdrawn: from then on every request goes to the instances. Knows no HTTP, and not how two answers compare.

mod check;
mod sample;
#[cfg(test)]
mod tests;
mod trust;

use std::time::Duration;

pub(crate) use check::Checker;
pub(crate) use sample::Sampler;
pub use trust::Trust;

/// How much is scored again, and when.
#[derive(Clone, Copy, Debug)]
pub struct RecheckConfig {
    /// The share of answered calls, 0 to 1. The first one is always among them, unless it is 0.
    pub share: f64,
    /// Where no process is up for other reasons, one is started this often for what was kept meanwhile, and ended.
    pub interval: Duration,
}

/// What is done about a difference beside withdrawing trust: told its text, on a thread that may block.
pub type Refuted = Box<dyn FnOnce(&str) + Send + Sync>;
