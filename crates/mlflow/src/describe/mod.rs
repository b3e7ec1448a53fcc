//! Pages that describe a model's scoring: one OpenAPI page of all routes, and Azure's Swagger documents.
//!
//! Made from signature, params and input example alone; nothing runs.

mod openapi;
mod payload;
mod protocols;
mod sample;
mod swagger;
mod types;

pub use openapi::{Subject, openapi};
pub use swagger::{Swagger, SwaggerVersion};
