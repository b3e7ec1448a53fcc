//! Everything that must agree with MLflow: the model folder, signatures, payloads, answers.
//!
//! Knows nothing of processes, sockets, queues or HTTP servers.

mod answer;
mod block;
mod cast;
pub mod contract;
mod decode;
pub mod describe;
pub mod encode;
mod enforce;
mod error;
#[cfg(test)]
mod fuzz_corpus;
mod input;
mod json;
mod lossy;
pub mod model;
pub mod open_inference;
mod params;
mod refusal;
mod work;

pub use answer::{Answer, HttpAnswer, Raised};
pub use block::{BlockSizeError, DType, DenseBlock};
pub use contract::Contract;
pub use decode::{AzureDecoded, AzureError, Decoded, PredictRequest, from_input_data};
pub use error::{ErrorDocument, MODEL_RAISED, without_private_parts};
pub use input::{Input, NUMBERED_COLUMNS, OBJECT_COLUMN, PYTHON_COLUMN};
pub use lossy::{Lossy, LossyCast};
pub use params::{Moment, ParamValue, Params};
pub use refusal::{Check, Refusal};
pub use work::{CallOptions, ModelCall, RawRequest, Work};
