//! The data folder: where environments, tools, logs and the worker program are kept.

use std::fs;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::error::CliError;

/// The folder that was given, else the user's own data folder; made if it is not there.
pub(crate) fn resolve(given: Option<PathBuf>) -> Result<PathBuf, CliError> {
    let folder = match given {
        Some(folder) => folder,
        None => etcetera::choose_base_strategy()
            .map(|user| user.data_dir().join("sluis"))
            .map_err(|error| {
                CliError::usage("no data folder")
                    .because(&error)
                    .hint("give one with --data-dir")
            })?,
    };
    let made = fs::create_dir_all(&folder).and_then(|()| fs::canonicalize(&folder));
    made.map_err(|error| {
        CliError::usage(format!(
            "the data folder '{}' cannot be used",
            folder.display()
        ))
        .because(&error)
        .hint("give another one with --data-dir")
    })
}
