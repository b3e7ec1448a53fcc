//! Environments of models: what a model asks for, what that solves to, and the directory it becomes.
//!
//! `spec` (files of the model folder) → `lock` (exact versions) → `build` (a directory named by the lock's digest).
//! Solving and building are uv's work, run as a program. Knows no model, no worker, no HTTP; all of it is synchronous.

mod build;
mod environments;
mod error;
mod local;
mod lock;
mod make;
mod process;
mod progress;
mod python;
mod spec;
#[cfg(test)]
mod tests;
mod uv;

pub use environments::{Environment, Environments, Settings};
pub use error::{BuildError, SpecError};
pub use local::{LocalError, local};
pub use lock::Package;
pub use process::Cancel;
pub use progress::{Progress, Step};
pub use python::{Interpreter, PythonChoice, PythonPolicy, Version};
pub use spec::{Addition, ModelFiles, PythonAsked, Requirement, RequirementKind, Spec, read_spec};
