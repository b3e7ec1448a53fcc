//! The real binary, real models, a real Python, real sockets.
//!
//! Tests that score need a Python with the packages of `conformance/environment`; its path is in `SLUIS_TEST_PYTHON`, which
//! the project's test command sets.

mod bad_inputs;
mod demo;
mod graph;
mod plan;
mod predict;
mod serve;
mod server;
