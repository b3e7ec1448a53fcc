//! ONNX models: the graph's own file, computed by the ONNX Runtime of the model's environment, called without Python.
//!
//! `library` loads that environment's shared library, `sessions` makes of the graph what answers calls, `feed` makes tensors of
//! rows and `outputs` an answer of tensors, both as MLflow's wrapper does; `model` is all of them together. Why the library is
//! in this process, and what follows from that: `docs/decisions/0023-onnx-runtime-without-python.md`.

mod element;
mod feed;
mod head;
mod library;
mod model;
mod outputs;
mod sessions;

pub(crate) use head::GraphHead;
pub(crate) use model::{Graph, GraphSite};
