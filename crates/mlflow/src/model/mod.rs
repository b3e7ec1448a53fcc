//! The model folder: `MLmodel`, its flavors, its signature, its input example.
//!
//! Reads files and says what is there; loads no model and judges no payload.

mod error;
mod example;
mod facts;
mod folder;
mod loader;
mod mlmodel;
mod pyfunc;
mod signature;
#[cfg(test)]
mod tests;
mod types;

pub use error::{ModelError, SignatureError};
pub use example::ExampleRequest;
pub use facts::{Facts, FlavorVersion};
pub use loader::LoaderOrigin;
pub use mlmodel::{ExampleInfo, Model};
pub use pyfunc::PythonFunction;
#[cfg(test)]
pub(crate) use signature::read as read_signature;
pub use types::{ColumnSpec, DataType, ParamSpec, Property, Schema, Signature, TensorSpec};
