//! The Open Inference Protocol, version 2, over HTTP: health, metadata, inference.

mod infer;
mod route;

pub(crate) use route::{handle, is_path};
