//! The command line: what can be typed. Each command's arguments lie in its own module.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use crate::demo::DemoArgs;
use crate::environment::EnvironmentArgs;
use crate::plan::PlanArgs;
use crate::predict::PredictArgs;
use crate::serve::ServeArgs;

/// Deploys MLflow models: hand over a model folder, get an endpoint.
#[derive(Debug, Parser)]
#[command(name = "sluis", version, disable_help_flag = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Where environments, tools and logs are kept [default: the user's data folder].
    #[arg(long, global = true, env = "SLUIS_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print help. (-h is the host, as in MLflow.)
    #[arg(long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed (environment, model, port); 2 wrong usage, or a model folder or \
    file that cannot be read; 3 the input was refused or the model raised.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a bundled model and score it once: the shortest way to see all of it.
    Demo(DemoArgs),
    /// Serve a model over HTTP: the drop-in for `mlflow models serve`.
    Serve(ServeArgs),
    /// Score a file: the drop-in for `mlflow models predict`.
    Predict(PredictArgs),
    /// Show what serving a model would mean, before anything runs.
    Plan(PlanArgs),
    /// Build environments of models.
    Environment(EnvironmentArgs),
}
