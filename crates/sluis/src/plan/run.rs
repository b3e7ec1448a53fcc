//! The command: its arguments, and what it prints.
//!
//! Knows no exit codes; the caller turns an error into one. A model with missing files is no error here.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use sluis_mlflow::model::{Model, ModelError};

use super::{collect, environment, text};
use crate::environment::EnvironmentOptions;
use crate::model_arg::ModelArg;
use crate::native::Prospect;

/// Arguments of `sluis plan`.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    model: ModelArg,
    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) options: EnvironmentOptions,
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
pub(crate) fn run(
    args: &PlanArgs,
    data_dir: &Path,
    output: &mut impl Write,
) -> Result<(), PlanError> {
    let model = Model::open(args.model.location())?;
    let plan = collect::collect(
        &model,
        environment::on_this_machine(&model, &args.options, data_dir),
        Prospect::of(&model, &args.options, data_dir),
    );
    let printed = match args.json {
        true => serde_json::to_string_pretty(&plan)? + "\n",
        false => text::render(&plan),
    };
    match output.write_all(printed.as_bytes()) {
        Err(problem) if problem.kind() != io::ErrorKind::BrokenPipe => Err(problem.into()),
        _ => Ok(()),
    }
}
