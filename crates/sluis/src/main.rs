//! `sluis`: deploys MLflow models. This file parses, dispatches, and turns an error into an exit code.

mod cli;
mod data_dir;
mod demo;
mod environment;
mod error;
mod logging;
mod model_arg;
mod native;
mod plan;
mod predict;
mod recheck;
mod serve;
mod signals;
mod stage;
mod steps;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use error::CliError;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        Command::Plan(args) => {
            args.options.check()?;
            let data_dir = data_dir::resolve(cli.data_dir)?;
            plan::run(&args, &data_dir, &mut std::io::stdout()).map_err(CliError::from)
        }
        Command::Serve(args) => block_on(serve::run(args, cli.data_dir)),
        Command::Predict(args) => block_on(predict::run(args, cli.data_dir)),
        Command::Demo(args) => block_on(demo::run(args, cli.data_dir)),
        Command::Environment(args) => block_on(environment::run(args, cli.data_dir)),
    }
}

fn block_on(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|source| CliError::failed("the runtime could not be started").because(&source))?;
    let outcome = runtime.block_on(work);
    // A build that was interrupted is left to end by itself, within this time.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
}
