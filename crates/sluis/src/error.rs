//! Errors for a person at a terminal: what failed, why, and what to do; and the exit code.

use std::error::Error;
use std::fmt;

use sluis_gateway::ServerError;
use sluis_mlflow::model::ModelError;
use sluis_worker::StartError;

use crate::plan::PlanError;

/// An error with its remedy.
#[derive(Debug)]
pub(crate) struct CliError {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl CliError {
    /// What was asked failed: exit code 1.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
            hint: None,
        }
    }

    /// The command, or what it names, is wrong: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            ..Self::failed(message)
        }
    }

    /// The data was refused or the model raised: exit code 3.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            ..Self::failed(message)
        }
    }

    /// Adds the causes of `error` that it does not tell itself.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        self.message = format!("{}: {error}", self.message);
        self.with_sources(error)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.code
    }

    fn with_sources(mut self, error: &dyn Error) -> Self {
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !self.message.contains(&text) {
                self.message = format!("{}: {text}", self.message);
            }
            source = error.source();
        }
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<ModelError> for CliError {
    fn from(error: ModelError) -> Self {
        Self::usage(error.to_string()).with_sources(&error)
    }
}

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Model(error) => error.into(),
            other => Self::failed(other.to_string()).with_sources(&other),
        }
    }
}

impl From<ServerError> for CliError {
    fn from(error: ServerError) -> Self {
        let hint = match &error {
            ServerError::PortTaken(_) => "give another port with --port, or 0 for a free one",
            ServerError::Bind { .. } => "give an address of this machine with --host",
        };
        Self::failed(error.to_string())
            .with_sources(&error)
            .hint(hint)
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        Self::failed(error.to_string()).with_sources(&error)
    }
}
