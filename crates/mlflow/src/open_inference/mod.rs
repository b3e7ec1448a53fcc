//! The Open Inference Protocol, version 2: requests to typed inputs, answers to named outputs, models to metadata.
//!
//! Tensors come with types, so nothing is cast but what MLflow's strict table allows. Bodies are JSON, or JSON followed by
//! the bytes of tensors (the binary tensor extension). Knows no routes.

mod data;
mod datatype;
mod describe;
mod frame;
mod json;
mod outputs;
mod prepare;
mod request;
mod respond;
#[cfg(test)]
mod tests;

pub use datatype::Datatype;
pub use describe::{TensorMetadata, inputs_of, outputs_of};
pub use prepare::Prepared;
pub use request::{InferRequest, RequestedOutput};
pub use respond::{InferResponse, Responder};
