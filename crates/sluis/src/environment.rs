//! The environment of a model: options, and the interpreter that they lead to.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sluis_mlflow::model::Model;

use crate::error::CliError;
use crate::steps::Steps;

/// Arguments of `sluis environment`.
#[derive(Args, Clone, Debug)]
pub(crate) struct EnvironmentArgs {}

/// Where a model's Python comes from.
#[derive(Args, Clone, Debug)]
pub(crate) struct EnvironmentOptions {
    /// Who makes the environment: uv builds it from the model's own requirements; local takes a Python as it is.
    #[arg(long, value_enum, default_value_t = EnvManager::Uv)]
    pub(crate) env_manager: EnvManager,
    /// The interpreter for --env-manager local [default: python3 on PATH].
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvManager {
    /// Built by uv and kept.
    #[value(alias = "virtualenv")]
    Uv,
    /// A Python that has all it needs.
    Local,
}

pub(crate) fn run(_args: EnvironmentArgs, _data_dir: Option<PathBuf>) -> Result<(), CliError> {
    Err(CliError::failed("not yet"))
}

pub(crate) async fn python_of(
    _model: &Model,
    options: &EnvironmentOptions,
    _data_dir: &Path,
    steps: &mut Steps,
) -> Result<PathBuf, CliError> {
    let python = options.python.clone().unwrap_or_else(|| PathBuf::from("python3"));
    steps.done("environment", &python.display().to_string());
    Ok(python)
}
