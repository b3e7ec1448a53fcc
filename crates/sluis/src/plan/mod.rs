//! `sluis plan MODEL`: what serving a model would mean, before anything runs.
//!
//! Reads files, and asks the interpreters of this machine for their versions: loads nothing, builds nothing, asks no network.

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
