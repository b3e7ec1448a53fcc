//! What a scorer answers, and how the answer to a request batch is taken apart again.

use arrow_array::RecordBatch;
use bytes::Bytes;

use crate::block::DenseBlock;
use crate::input::{copy_rows, slice_rows};

/// A model's answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An array, or a frame of one type.
    Dense(DenseBlock),
    /// A frame of several types.
    Batch(RecordBatch),
    /// Anything else, as the response body that MLflow writes for it.
    Json(Bytes),
    /// The response of MLflow's own application to a payload that went to Python as it came.
    Http(HttpAnswer),
}

/// A whole HTTP response.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

/// The model raised on some work, or answered what cannot be written: an answer to the caller, not a fault of the
/// platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {message}")]
pub struct Raised {
    /// The exception's class.
    pub class: String,
    /// Its text.
    pub message: String,
    /// The HTTP status and JSON document of an MLflow exception.
    pub document: Option<(u16, String)>,
    /// Whether the model answered, with a value that cannot be written as JSON.
    pub unserializable: bool,
    /// Whether the model was never asked: its environment, or a limit, does not allow this call.
    pub unasked: bool,
}

impl Answer {
    /// Bytes in memory.
    pub fn size(&self) -> usize {
        match self {
            Answer::Dense(block) => block.bytes.len(),
            Answer::Batch(batch) => batch.get_array_memory_size(),
            Answer::Json(body) => body.len(),
            Answer::Http(answer) => answer.body.len(),
        }
    }

    /// A copy of some rows of an array, which shares nothing with the others; `None` for other answers, or fewer rows.
    pub fn copy_rows(&self, start: usize, rows: usize) -> Option<Answer> {
        match self {
            Answer::Dense(block) => copy_rows(block, start, rows).map(Answer::Dense),
            _ => None,
        }
    }

    /// The answers of the requests that gave `rows` rows each, when this answer has one row for each of theirs.
    pub fn split(&self, rows: &[usize]) -> Option<Vec<Answer>> {
        let total: usize = rows.iter().sum();
        let mut start = 0;
        let mut parts = Vec::with_capacity(rows.len());
        for count in rows {
            parts.push(match self {
                Answer::Dense(block) if block.shape.first() == Some(&total) => {
                    Answer::Dense(slice_rows(block, start, *count)?)
                }
                Answer::Batch(batch) if batch.num_rows() == total => {
                    Answer::Batch(batch.slice(start, *count))
                }
                _ => return None,
            });
            start += count;
        }
        Some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::DType;

    #[test]
    fn an_answer_splits_only_when_it_has_a_row_for_each_row_asked() {
        let block = DenseBlock::new(DType::Int8, vec![3, 1], vec![1, 2, 3].into()).unwrap();
        let answer = Answer::Dense(block);
        let parts = answer.split(&[1, 2]).unwrap();
        let Answer::Dense(last) = &parts[1] else {
            panic!()
        };
        assert_eq!(last.bytes.as_ref(), &[2, 3]);
        assert!(answer.split(&[1, 1]).is_none());
        assert!(Answer::Json(Bytes::new()).split(&[1]).is_none());
    }
}
