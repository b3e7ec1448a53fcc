//! Everything that must agree with MLflow: the model folder, signatures, payloads, answers.
//!
//! Knows nothing of processes, sockets, queues or HTTP servers.

mod block;

pub use block::{BlockSizeError, DType, DenseBlock};
