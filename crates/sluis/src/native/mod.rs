//! Native scoring at deployment: export, proof, and what is kept of both.
//!
//! `candidate` says which models are tried, and which methods; `make` has the model's Python export them, `trial` proves the
//! results, within `first_run` where that calls a library; `cache` keeps programs and evidence, so that the next start needs no Python at all.

mod cache;
mod candidate;
mod first_run;
mod make;
mod prospect;
mod trial;

pub(crate) use candidate::Candidate;
pub(crate) use make::{EXPORT_LIMIT, Proved, find, make};
pub(crate) use prospect::Prospect;
