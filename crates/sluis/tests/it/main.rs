//! The real binary, real models, a real Python, real sockets.
//!
//! Tests that score need a Python with the packages of `conformance/environment`; its path is in `SLUIS_TEST_PYTHON`, which
//! the project's test command sets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::too_many_lines,
    reason = "a test fails by a panic, and tables of cases are long"
)]

mod azure;
mod bad_inputs;
mod demo;
mod dialects;
mod graph;
mod native;
mod onnx;
mod pages;
mod plan;
mod predict;
mod recheck;
mod serve;
mod server;
