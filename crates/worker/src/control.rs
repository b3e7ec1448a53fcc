//! The control channel: one JSON document a line.

use serde::{Deserialize, Serialize};

/// What the parent says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Order<'a> {
    /// Load this model.
    Load {
        protocol: u32,
        model: &'a str,
        columns: Option<&'a [String]>,
        raw: &'static str,
        max_body: usize,
    },
    /// Finish the running call and end.
    Stop,
}

/// What the worker says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Report {
    /// Its first word.
    Hello { protocol: u32, python: String },
    /// The model is loaded.
    Ready(ReadyReport),
    /// It could not be.
    Failed {
        stage: String,
        class: String,
        message: String,
    },
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReadyReport {
    pub(crate) versions: Versions,
    pub(crate) load_ms: u64,
    pub(crate) methods: Vec<String>,
}

/// Versions of what answers in the model's environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Versions {
    /// MLflow, or mlflow-skinny.
    pub mlflow: Option<String>,
    /// pandas.
    pub pandas: Option<String>,
    /// numpy.
    pub numpy: Option<String>,
    /// pyarrow.
    pub pyarrow: Option<String>,
}

/// A worker that has loaded its model.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Python's version.
    pub python: String,
    /// Versions of its packages.
    pub versions: Versions,
    /// Milliseconds from the first import to the loaded model.
    pub load_ms: u64,
    /// The methods that a call may name instead of the model's own function; empty where there is no other.
    pub methods: Vec<String>,
}
