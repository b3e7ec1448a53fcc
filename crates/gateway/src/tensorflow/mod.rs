//! TensorFlow Serving's REST protocol, below `/v1/models/`: predict, status, metadata.

mod metadata;
mod predict;
mod route;

pub(crate) use route::{PREFIX, handle};
