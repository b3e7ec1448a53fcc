//! An answer that a caller got, against Python's answer to the same rows.
//!
//! The comparison and the bounds are those of the proof. What it says names places, never values: the rows are somebody's.

use sluis_mlflow::{Answer, Input};

use super::compare::{self, Bound};
use crate::program::Program;

/// Where an answer differs from Python's first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {what}")]
pub struct Disagreement {
    /// The row of the answer.
    pub row: usize,
    /// The column, and how far the answers are apart.
    pub what: String,
}

impl Program {
    /// Whether an answer to these rows, ours by default, is Python's within the bound of the proof.
    pub fn agrees(
        &self,
        input: &Input,
        ours: Option<&Answer>,
        theirs: &Answer,
    ) -> Result<(), Disagreement> {
        let bound = Bound::of(self.ulps);
        let compared = match ours {
            // A library's work is not done again: it has no magnitudes, and may be declined when the machine is slow.
            Some(ours) if !self.by_row() => compare::answers(ours, theirs, &[], bound),
            _ => {
                let measured = self.evaluate_measured(input);
                let (again, magnitudes) = measured.map_err(|declined| Disagreement {
                    row: 0,
                    what: format!("it was answered, and is now {declined}"),
                })?;
                compare::answers(ours.unwrap_or(&again), theirs, &magnitudes, bound)
            }
        };
        match compared {
            Ok(_) => Ok(()),
            Err(difference) => Err(Disagreement {
                row: difference.row,
                what: difference.text,
            }),
        }
    }
}
