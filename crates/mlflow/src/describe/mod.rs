//! Pages that describe a model's scoring: Azure's Swagger documents.
//!
//! Made from signature, params and input example alone; nothing runs.

mod sample;
mod swagger;

pub use swagger::{Swagger, SwaggerVersion};
