//! Answers to bytes: JSON as MLflow's server writes it, and tables for files.
//!
//! Knows nothing of HTTP or of who scored.

mod flat;
pub mod json;
pub(crate) mod predictions;
mod response;
mod table;
pub mod tensorflow;

pub use response::{Shape, response};
pub use table::{Table, TableFormat};

/// An answer that an encoder has no form for.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A column of a type that the form cannot hold.
    #[error("column '{column}' of the answer is of type {found}, which this form cannot hold")]
    ColumnType {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
    /// An answer that has no rows and columns.
    #[error("the model's answer is not a table ({found}); JSON can hold it")]
    NotATable {
        /// What it is.
        found: &'static str,
    },
    /// An answer that a dialect's own answer cannot hold.
    #[error("the model's answer has no form in {dialect}: {found}. {remedy}")]
    NoForm {
        /// The dialect.
        dialect: &'static str,
        /// What cannot be held.
        found: String,
        /// What can.
        remedy: &'static str,
    },
    /// An output that was asked for and is not there.
    #[error("the model's answer has no output '{name}'; it has {}", .known.join(", "))]
    UnknownOutput {
        /// The output asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The answer is not the JSON it should be, not even as Python writes it.
    #[error("the model's answer is not JSON ({0})")]
    PythonJson(#[from] crate::json::JsonError),
    /// The answer is not the JSON it should be.
    #[error("the model's answer is not JSON")]
    Json(#[source] serde_json::Error),
    /// The answer could not be written.
    #[error("the answer could not be written")]
    Io(#[from] std::io::Error),
    /// An Arrow or Parquet writer failed.
    #[error("the answer could not be written as a table")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The Parquet writer failed.
    #[error("the answer could not be written as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
}
