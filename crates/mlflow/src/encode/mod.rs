//! Answers to bytes: JSON as MLflow's server writes it, and tables for files.
//!
//! Knows nothing of HTTP or of who scored.

pub mod json;
mod response;
mod table;

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
    #[error("the model's answer is not a table ({found}); write it to a .json file instead")]
    NotATable {
        /// What it is.
        found: &'static str,
    },
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
