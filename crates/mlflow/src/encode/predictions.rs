//! An answer taken apart, for dialects that have shapes of their own: an array, a frame, or any other value.

use arrow_array::RecordBatch;

use super::EncodeError;
use super::table::Table;
use crate::answer::{Answer, HttpAnswer};
use crate::block::DenseBlock;
use crate::json::Tree;

/// What a model predicted.
#[derive(Debug)]
pub(crate) enum Predictions {
    /// An array without column names.
    Array(DenseBlock),
    /// A frame or a series.
    Frame(RecordBatch),
    /// Anything else, as MLflow writes it.
    Tree(Tree),
}

impl Predictions {
    /// The predictions of an answer; those of MLflow's own application stand under their key, or alone for MLflow 1.x.
    pub(crate) fn of(answer: Answer) -> Result<Self, EncodeError> {
        match answer {
            Answer::Dense(block) if block.columns.is_some() => {
                Ok(Predictions::Frame(Table::from_dense(&block)?.into_batch()))
            }
            Answer::Dense(block) => Ok(Predictions::Array(block)),
            Answer::Batch(batch) => Ok(Predictions::Frame(batch)),
            Answer::Json(body) | Answer::Http(HttpAnswer { body, .. }) => {
                Ok(Predictions::Tree(match Tree::read(&body)? {
                    Tree::Object(mut entries)
                        if entries.len() == 1 && entries[0].0 == "predictions" =>
                    {
                        entries.swap_remove(0).1
                    }
                    other => other,
                }))
            }
        }
    }
}

/// The columns of records that all have the same keys; gives the records back where they have not, or where there are
/// none.
pub(crate) fn columns_of(records: Vec<Tree>) -> Result<Vec<(String, Vec<Tree>)>, Vec<Tree>> {
    let Some(Tree::Object(first)) = records.first() else {
        return Err(records);
    };
    let width = first.len();
    let mut columns: Vec<(String, Vec<Tree>)> = first
        .iter()
        .map(|(key, _)| (key.clone(), Vec::with_capacity(records.len())))
        .collect();
    let alike = records.iter().all(|record| match record {
        Tree::Object(entries) => {
            entries.len() == width
                && (columns.iter().zip(entries)).all(|((name, _), (key, _))| name == key)
        }
        _ => false,
    });
    if !alike || width == 0 {
        return Err(records);
    }
    for record in records {
        if let Tree::Object(entries) = record {
            for ((_, column), (_, value)) in columns.iter_mut().zip(entries) {
                column.push(value);
            }
        }
    }
    Ok(columns)
}
