//! Scoring programs: a model's numbers, exported by its own Python, evaluated in Rust with the model's own arithmetic.
//!
//! A [`Program`] is read from a file whose every index, length and shape is checked; it answers rows, or declines them
//! where only Python knows the answer. [`prove`] compares it with what Python answered. An ONNX model is computed by the ONNX
//! Runtime of its environment, in this process. Knows nothing of processes, requests or HTTP; the file's form is described in
//! `protocol/program.md`.

mod answer;
mod container;
mod error;
mod evaluate;
mod head;
mod onnx;
mod program;
mod proof;
mod rows;
mod steps;
#[cfg(test)]
mod tests;
mod trees;

pub use container::{Array, Container};
pub use error::{Declined, ProgramError};
pub use program::Program;
pub use proof::{Disagreement, Evidence, Layout, Unproved, prove};
