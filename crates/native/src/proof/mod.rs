//! The proof: a program against what Python answered to the same rows.
//!
//! `sample` reads the rows and answers that the exporter wrote; `compare` holds two answers against each other. Where they
//! differ, the program is not used, and the first difference is named. `live` compares what callers got, with the same bounds.

mod compare;
mod live;
mod sample;

use serde::{Deserialize, Serialize};
use sluis_mlflow::Input;

pub use live::Disagreement;
pub use sample::Layout;

use crate::error::ProgramError;
use crate::program::Program;
use compare::{Bound, Difference};
use sample::Sample;

/// Fewer rows that both answered prove nothing.
const MIN_ROWS: usize = 1000;

/// Rows and numbers of an ONNX model's tensors that prove as much: an image or a text is many numbers.
const FEW_ROWS: usize = 16;
const MANY_NUMBERS: usize = 1 << 20;

/// Rows at the front of each set that are also scored one by one and in odd numbers: how many share a call must not matter.
const SINGLY: usize = 24;

/// What was tried, and how near the answers are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Rows that both answered alike.
    pub rows: usize,
    /// Rows that Python refused, and that are left to Python.
    pub refused: usize,
    /// Rows that Python answered, and that are left to Python all the same.
    pub left: usize,
    /// The bound, in units of the last place; 0 means equal to the bit.
    pub bound_ulps: u32,
    /// The largest difference, in the same units.
    pub largest_ulps: f64,
}

/// Why a program is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unproved {
    /// The program or the sample cannot be read.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Python answered something that no program answers.
    #[error("{0}")]
    Sample(&'static str),
    /// The answers differ.
    #[error("row {row} of set {set}: {difference}")]
    Differs {
        /// The set of rows that were asked together.
        set: usize,
        /// The row in it.
        row: usize,
        /// What differs.
        difference: String,
    },
    /// Python refuses rows that the program answers.
    #[error("set {set}, {rows} row(s): Python refuses what the program answers")]
    Answered {
        /// The set.
        set: usize,
        /// Its rows.
        rows: usize,
    },
    /// Too little was compared.
    #[error("only {rows} rows were answered by both, {MIN_ROWS} are needed ({declined})")]
    TooFew {
        /// Rows.
        rows: usize,
        /// Why rows were left to Python.
        declined: &'static str,
    },
}

/// Compares a program with the answers of a sample file.
pub fn prove(program: &Program, sample: &[u8], layout: &Layout) -> Result<Evidence, Unproved> {
    let sample = Sample::read(sample)?;
    let bound = Bound::of(program.ulps);
    let mut evidence = Evidence {
        bound_ulps: program.ulps,
        ..Evidence::default()
    };
    let mut declined = "none was declined";
    let mut numbers = 0;
    for (set, asked) in sample.sets.iter().enumerate() {
        let input = sample.input(asked, layout).map_err(Unproved::Sample)?;
        match (program.evaluate_measured(&input), &asked.answer) {
            (Ok((answer, magnitudes)), Some(expected)) => {
                let expected = sample.answer(expected).map_err(Unproved::Sample)?;
                let largest = compare::answers(&answer, &expected, &magnitudes, bound);
                let largest = largest.map_err(|difference| differs(set, &difference))?;
                evidence.largest_ulps = evidence.largest_ulps.max(largest);
                evidence.rows += asked.rows;
                numbers += sample::numbers(&input);
                if program.by_row() {
                    same_in_parts(program, &input, &answer)
                        .map_err(|difference| differs(set, &difference))?;
                }
            }
            (Ok(_), None) => {
                return Err(Unproved::Answered {
                    set,
                    rows: asked.rows,
                });
            }
            (Err(_), None) => evidence.refused += asked.rows,
            (Err(reason), Some(_)) => {
                evidence.left += asked.rows;
                declined = reason.0;
            }
        }
    }
    let large = !program.by_row() && evidence.rows >= FEW_ROWS && numbers >= MANY_NUMBERS;
    if evidence.rows < MIN_ROWS && !large {
        return Err(Unproved::TooFew {
            rows: evidence.rows,
            declined,
        });
    }
    Ok(evidence)
}

fn differs(set: usize, difference: &Difference) -> Unproved {
    Unproved::Differs {
        set,
        row: difference.row,
        difference: difference.with_values(),
    }
}

/// The first rows by themselves and in small numbers are answered as they were among all.
fn same_in_parts(
    program: &Program,
    input: &Input,
    whole: &sluis_mlflow::Answer,
) -> Result<(), Difference> {
    let rows = input.rows().min(SINGLY);
    let parts = (0..rows)
        .map(|row| (row, 1))
        .chain([(0, rows / 2), (1.min(rows), rows.saturating_sub(1))]);
    for (start, count) in parts.filter(|(_, count)| *count > 0) {
        let Some(part) = input.copy_rows(start, count) else {
            continue;
        };
        let answer = program
            .evaluate(&part)
            .map_err(|_| Difference::at(start, "answered among others, and not alone"))?;
        compare::part(&answer, whole, start, count)?;
    }
    Ok(())
}
