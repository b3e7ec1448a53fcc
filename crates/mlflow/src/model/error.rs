//! What can be wrong with a model folder. Every message names the place and, where there is one, the remedy.

use std::io;
use std::path::PathBuf;

/// A model folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A URI whose scheme is not served yet.
    #[error(
        "'{uri}' is not a local folder, and '{scheme}:' models cannot be fetched yet: download it first \
         (mlflow artifacts download --artifact-uri '{uri}' --dst-path ./model) and give the folder"
    )]
    Scheme {
        /// What was given.
        uri: String,
        /// Its scheme.
        scheme: String,
    },
    /// Nothing there.
    #[error("there is no folder '{path}'")]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A file that is not an `MLmodel`.
    #[error("'{path}' is a file; give the folder that holds the file 'MLmodel'")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A folder without `MLmodel`.
    #[error("the folder '{folder}' holds no file 'MLmodel'{hint}")]
    NoMlmodel {
        /// The folder.
        folder: PathBuf,
        /// A model folder nearby, as ` (did you mean …?)`, or what was found instead.
        hint: String,
    },
    /// A file that cannot be read.
    #[error("'{path}' cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Text that is not YAML.
    #[error("'{path}' is not valid YAML: {problem}")]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What and where, with line and column.
        problem: String,
    },
    /// YAML that does not describe a model.
    #[error("'{path}': {field} should be {expected}")]
    Field {
        /// The file.
        path: PathBuf,
        /// The key.
        field: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// Only other flavors.
    #[error(
        "the model in '{folder}' has no 'python_function' flavor, only {found}; log it with mlflow.pyfunc or a \
         built-in flavor to have it served"
    )]
    NoPythonFunction {
        /// The folder.
        folder: PathBuf,
        /// The flavors there are.
        found: String,
    },
    /// A path that leads out of the folder.
    #[error("'{field}' in MLmodel leads out of the model folder: '{value}'")]
    Outside {
        /// The key.
        field: String,
        /// Its value.
        value: String,
    },
    /// A model kept elsewhere.
    #[error(
        "the model in '{folder}' is external (metadata mlflow.model.isExternal): the folder holds no model to serve"
    )]
    External {
        /// The folder.
        folder: PathBuf,
    },
    /// A signature that cannot be read.
    #[error("'{path}': {source}")]
    Signature {
        /// The file.
        path: PathBuf,
        /// What and where.
        #[source]
        source: SignatureError,
    },
}

/// A part of a signature that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// Not JSON.
    #[error("signature {part} is not valid JSON ({problem})")]
    Json {
        /// `inputs`, `outputs` or `params`.
        part: &'static str,
        /// The reader's words.
        problem: String,
    },
    /// An entry of a wrong form.
    #[error("signature {place} should be {expected}")]
    Entry {
        /// Which entry, by position and name.
        place: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A type that MLflow does not have.
    #[error("signature {place}: unknown type '{found}'")]
    UnknownType {
        /// Which entry.
        place: String,
        /// The type's name.
        found: String,
    },
    /// Columns and tensors in one schema.
    #[error("signature {part} mixes columns and tensors")]
    Mixed {
        /// `inputs` or `outputs`.
        part: &'static str,
    },
}
