//! uv, the program that solves and installs: where it is, how it learns of private indexes, what its errors mean.

mod explain;
mod index;
mod locate;

pub(crate) use explain::explain;
pub(crate) use index::{Index, without_secrets};
pub(crate) use locate::locate;

use std::path::{Path, PathBuf};
use std::process::Command;

/// uv with the settings that every call shares.
#[derive(Clone, Debug)]
pub(crate) struct Uv {
    pub(crate) program: PathBuf,
    pub(crate) index: Index,
}

impl Uv {
    /// A command that prints plainly, asks nothing, and knows the user's indexes.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--color", "never", "--no-progress"])
            .args(words)
            .envs(self.index.variables());
        command
    }
}

/// The folder of a virtual environment's interpreter.
pub(crate) fn python_of(environment: &Path) -> PathBuf {
    environment.join("bin").join("python")
}
