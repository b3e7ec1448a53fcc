//! Why a worker did not start, and why a call got no answer.

use std::io;
use std::time::Duration;

use sluis_mlflow::Raised;

/// A worker that did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The process could not be made.
    #[error("Python could not be started ({python})")]
    Spawn {
        /// The interpreter.
        python: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It speaks another protocol.
    #[error("the worker speaks protocol {found}, this server speaks {expected}")]
    Protocol {
        /// The worker's.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// The environment lacks something, or the model does not load.
    #[error("{}", describe(.stage, .class, .message))]
    Model {
        /// `import`, `load` or `protocol`.
        stage: String,
        /// The exception's class.
        class: String,
        /// Its text.
        message: String,
    },
    /// It ended before it was ready.
    #[error("the model's process ended while it loaded ({ending}){}", tail(.stderr))]
    Ended {
        /// How it ended.
        ending: String,
        /// Its last words.
        stderr: Vec<String>,
    },
    /// It took too long.
    #[error("the model was not loaded within {} s (--start-timeout){}", .limit.as_secs(), tail(.stderr))]
    TimedOut {
        /// The limit.
        limit: Duration,
        /// Its last words.
        stderr: Vec<String>,
    },
    /// It said something else than agreed.
    #[error("the model's process did not keep to the protocol: {0}")]
    Garbled(String),
}

fn describe(stage: &str, class: &str, message: &str) -> String {
    match (stage, class) {
        ("import", "ModuleNotFoundError" | "ImportError") => format!(
            "the environment cannot import what serving needs ({class}: {message}); add the package to the model's \
             requirements, or give a Python that has it (--python)"
        ),
        ("load", "ModuleNotFoundError" | "ImportError") => format!(
            "the model needs a package that its environment lacks ({class}: {message}); add it to the model's requirements"
        ),
        ("load", "FileNotFoundError") => {
            format!("the model cannot be loaded, a file is missing ({message})")
        }
        (stage, class) => format!("the model cannot be loaded ({stage}: {class}: {message})"),
    }
}

fn tail(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("; its last lines:\n    {}", lines.join("\n    "))
}

impl StartError {
    /// Whether another try can end otherwise: the model itself was not refused.
    pub fn may_pass(&self) -> bool {
        matches!(self, StartError::Ended { .. } | StartError::TimedOut { .. })
    }
}

/// A call without an answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The model raised; the worker goes on.
    #[error("the model raised {0}")]
    Raised(Raised),
    /// The deadline passed; the worker was ended by force.
    #[error("the call was stuck at its deadline, and its process was ended")]
    TimedOut,
    /// The process ended, or spoke another language; it is gone.
    #[error("{cause}")]
    Ended {
        /// What is known.
        cause: String,
    },
}
