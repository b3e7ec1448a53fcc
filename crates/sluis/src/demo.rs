//! `sluis demo`: a bundled model from folder to answer.

use std::path::PathBuf;

use clap::Args;

use crate::error::CliError;

/// Arguments of `sluis demo`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DemoArgs {
    /// End after the answer.
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(_args: DemoArgs, _data_dir: Option<PathBuf>) -> Result<(), CliError> {
    Err(CliError::failed("not yet"))
}
