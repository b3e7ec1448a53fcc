//! Why there is no environment: one sentence each, and the file with all that the tool said.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Files of a model folder that do not describe an environment.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// A file cannot be read.
    #[error("'{path}' cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not YAML.
    #[error("'{path}' is not valid YAML: {problem}")]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What and where.
        problem: String,
    },
    /// A Python version in a form that MLflow does not write.
    #[error("'{path}' asks for the Python '{found}', which is no version")]
    Python {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A requirements file that includes itself, or a path out of the folder.
    #[error("'{path}', line {line}: '{included}' cannot be included ({why})")]
    Include {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What it includes.
        included: String,
        /// Why not.
        why: &'static str,
    },
}

/// An environment that was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Conda packages.
    #[error(
        "the model asks for conda packages that pip does not have: {packages}. Building with conda is not supported yet; \
         make an environment that has them yourself, and give its Python with --env-manager local --python PATH"
    )]
    Conda {
        /// Their names.
        packages: String,
    },
    /// No Python that fits.
    #[error("{asked}, and {found}{remedy}")]
    Python {
        /// Who needs which.
        asked: String,
        /// What there is instead.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// A Python was named that does not run.
    #[error("'{python}' is no Python that runs: {problem}")]
    Interpreter {
        /// The path.
        python: PathBuf,
        /// What happened.
        problem: String,
    },
    /// uv is not there and cannot be fetched.
    #[error("uv is not on PATH and could not be fetched with pip ({problem}); install uv, or see {log}", log = .log.display())]
    Uv {
        /// Why.
        problem: String,
        /// The file with all output.
        log: PathBuf,
    },
    /// A requirement names a file that is not there.
    #[error(
        "{file}, line {line}: '{path}' does not exist; the model cannot be installed without it"
    )]
    Missing {
        /// The file that names it.
        file: String,
        /// The line.
        line: usize,
        /// What is missing.
        path: PathBuf,
    },
    /// The data folder cannot be written to.
    #[error("the data folder '{path}' cannot be written to; give another one with --data-dir")]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Requirements without a solution, or packages that do not install.
    #[error("{sentence}; all of uv's output is in {log}", log = .log.display())]
    Packages {
        /// Which package and why.
        sentence: String,
        /// Whether the reason is the Python: another one may do.
        is_of_python: bool,
        /// The file with all output.
        log: PathBuf,
    },
    /// A tool took too long.
    #[error("{what} took more than {} s; its output is in {log}", .limit.as_secs(), log = .log.display())]
    TimedOut {
        /// What.
        what: &'static str,
        /// The limit.
        limit: Duration,
        /// The file with all output.
        log: PathBuf,
    },
    /// The caller gave up.
    #[error("the build was interrupted")]
    Cancelled,
    /// The data folder does not do.
    #[error("'{path}' cannot be used")]
    Files {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl BuildError {
    /// Wraps what a path's file system said.
    pub(crate) fn files(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| BuildError::Files { path, source }
    }
}
