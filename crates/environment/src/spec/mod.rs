//! What a model asks of its environment, from the files of its folder in every form since MLflow 1.x.
//!
//! Reads files only: runs nothing, solves nothing.

mod additions;
mod files;
mod options;
mod requirement;

use std::path::PathBuf;

pub use additions::Addition;
pub(crate) use additions::fitting;
pub(crate) use options::for_uv;
pub use requirement::{Requirement, RequirementKind};

use crate::error::SpecError;
use crate::python::Version;

/// Where a model folder describes its environment.
#[derive(Clone, Debug, Default)]
pub struct ModelFiles {
    /// The folder.
    pub folder: PathBuf,
    /// `flavors.python_function.env`'s conda file; `conda.yaml` when left out.
    pub conda_file: Option<String>,
    /// Its Python environment file; `python_env.yaml` when left out.
    pub python_env_file: Option<String>,
    /// The Python that `MLmodel` names.
    pub python_version: Option<String>,
    /// The MLflow that wrote the folder.
    pub mlflow_version: Option<String>,
}

/// The Python that a model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonAsked {
    /// As written.
    pub text: String,
    /// Major and minor version, and patch where it is given.
    pub version: Version,
    /// The file that says so.
    pub source: String,
}

/// What a model asks of its environment, and what inference adds.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// The Python; none when no file names one.
    pub python: Option<PythonAsked>,
    /// The model's own requirement lines, includes expanded.
    pub requirements: Vec<Requirement>,
    /// Conda packages that pip cannot give.
    pub conda_packages: Vec<String>,
    /// Conda channels, informative.
    pub channels: Vec<String>,
    /// What inference needs and the model does not bring.
    pub additions: Vec<Addition>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// The files that were read.
    pub files: Vec<String>,
}

/// Reads what a model asks for, and adds what inference needs.
pub fn read_spec(model: &ModelFiles) -> Result<Spec, SpecError> {
    let mut spec = files::read(model)?;
    spec.additions = additions::for_inference(&spec.requirements, model.mlflow_version.as_deref());
    let loose: Vec<&str> = spec
        .requirements
        .iter()
        .filter(|requirement| requirement.kind == RequirementKind::Package && !requirement.pinned)
        .filter_map(|requirement| requirement.name.as_deref())
        .collect();
    if !loose.is_empty() {
        spec.warnings.push(format!(
            "not pinned to one version: {}; the environment may differ from the one the model was made in",
            loose.join(", ")
        ));
    }
    Ok(spec)
}
