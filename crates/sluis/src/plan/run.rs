//! The command: its arguments, and what it prints.
//!
//! Knows no exit codes; the caller turns an error into one. A model with missing files is no error here.

use std::io::{self, Write};

use clap::Args;
use sluis_mlflow::model::{Model, ModelError};

use super::{collect, environment, text};

/// Arguments of `sluis plan`.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanArgs {
    /// The model folder, a file: URI, or the path of its MLmodel file.
    #[arg(value_name = "MODEL", required_unless_present = "model_uri")]
    model: Option<String>,
    /// The same, under the name that MLflow gives it.
    #[arg(short = 'm', long, value_name = "MODEL", conflicts_with = "model")]
    model_uri: Option<String>,
    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
}

/// A plan that cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// The model folder cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The plan has no JSON form.
    #[error("the plan cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The output is closed or full.
    #[error("the plan cannot be printed")]
    Print(#[from] io::Error),
}

/// Prints the plan of a model to `output`. A reader that has gone (`| head`) is no error.
pub(crate) fn run(args: &PlanArgs, output: &mut impl Write) -> Result<(), PlanError> {
    let location = args.model.as_deref().or(args.model_uri.as_deref());
    let model = Model::open(location.unwrap_or_default())?;
    let plan = collect::collect(&model, environment::from_folder(&model));
    let printed = match args.json {
        true => serde_json::to_string_pretty(&plan)? + "\n",
        false => text::render(&plan),
    };
    match output.write_all(printed.as_bytes()) {
        Err(problem) if problem.kind() != io::ErrorKind::BrokenPipe => Err(problem.into()),
        _ => Ok(()),
    }
}
