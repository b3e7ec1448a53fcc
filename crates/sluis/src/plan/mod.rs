//! `sluis plan MODEL`: what serving a model would mean, before anything runs.
//!
//! Reads files only: starts no Python, builds nothing, asks no network.

mod collect;
mod environment;
mod report;
mod run;
mod schema;
mod scorer;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod warnings;

pub(crate) use run::{PlanArgs, PlanError, run};
