//! The argument that names a model, the same for every command.

use std::path::Path;

use clap::Args;

/// A model given as the positional argument or by MLflow's option.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct ModelArg {
    /// The model folder, or a file: URI.
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// The same, under MLflow's name.
    #[arg(short = 'm', long, value_name = "MODEL")]
    model_uri: Option<String>,
}

impl ModelArg {
    pub(crate) fn location(&self) -> &str {
        self.model
            .as_deref()
            .or(self.model_uri.as_deref())
            .unwrap_or_default()
    }

    /// A model given by a program and not by a person: the bundled one.
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            model: Some(folder.to_string_lossy().into_owned()),
            model_uri: None,
        }
    }
}
