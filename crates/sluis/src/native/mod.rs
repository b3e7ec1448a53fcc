//! Native scoring at deployment: export, proof, and what is kept of both.
//!
//! `candidate` says which models are tried; `make` has the model's Python export it and proves the result; `cache` keeps
//! program and evidence, so that the next start needs no Python at all.

mod cache;
mod candidate;
mod make;
mod prospect;

pub(crate) use candidate::Candidate;
pub(crate) use make::{EXPORT_LIMIT, Proved, find, make};
pub(crate) use prospect::Prospect;
