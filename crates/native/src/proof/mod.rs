//! The proof: a program against what Python answered to the same rows.
//!
//! `sample` reads the rows and answers that the exporter wrote; `compare` holds two answers against each other. Where they
//! differ, the program is not used, and the first difference is named. `live` compares what callers got, with the same bounds.

mod compare;
mod live;
mod sample;

use serde::{Deserialize, Serialize};
use sluis_mlflow::{Answer, Input};

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
    let mut tally = Tally {
        evidence: Evidence {
            bound_ulps: program.ulps,
            ..Evidence::default()
        },
        numbers: 0,
        declined: "none was declined",
    };
    for (set, asked) in sample.sets.iter().enumerate() {
        let input = sample.input(asked, layout).map_err(Unproved::Sample)?;
        let Some(expected) = &asked.answer else {
            if program.evaluate(&input).is_ok() {
                let rows = asked.rows;
                return Err(Unproved::Answered { set, rows });
            }
            tally.evidence.refused += asked.rows;
            continue;
        };
        let expected = sample.answer(expected).map_err(Unproved::Sample)?;
        let part = Part {
            start: 0,
            input,
            expected,
        };
        compare_part(program, &part, &mut tally).map_err(|difference| differs(set, &difference))?;
    }
    let Tally {
        evidence,
        numbers,
        declined,
    } = tally;
    let large = !program.by_row() && evidence.rows >= FEW_ROWS && numbers >= MANY_NUMBERS;
    if evidence.rows < MIN_ROWS && !large {
        return Err(Unproved::TooFew {
            rows: evidence.rows,
            declined,
        });
    }
    Ok(evidence)
}

/// What was found so far.
struct Tally {
    evidence: Evidence,
    /// How many values the rows have that both answered.
    numbers: usize,
    /// Why rows were left to Python, the last time.
    declined: &'static str,
}

/// Rows that were asked together, and what Python answered.
struct Part {
    /// The place of the first of them in their set.
    start: usize,
    input: Input,
    expected: Answer,
}

impl Part {
    /// Either half of the rows; none where there is one row, or an answer that cannot be divided.
    fn halves(&self) -> Option<[Self; 2]> {
        let rows = self.input.rows();
        let half = |start: usize, count: usize| {
            Some(Self {
                start: self.start + start,
                input: self.input.copy_rows(start, count)?,
                expected: self.expected.copy_rows(start, count)?,
            })
        };
        if rows < 2 {
            return None;
        }
        Some([half(0, rows / 2)?, half(rows / 2, rows - rows / 2)?])
    }
}

/// Compares the answers. Where the program declines the rows, it is asked for either half: one such row says nothing of the others,
/// unless an answer depends on which rows share it.
fn compare_part(program: &Program, part: &Part, tally: &mut Tally) -> Result<(), Difference> {
    let rows = part.input.rows();
    let in_set = |difference: Difference| difference.after(part.start);
    match program.evaluate_measured(&part.input) {
        Ok((answer, magnitudes)) => {
            let bound = Bound::of(program.ulps);
            let largest = compare::answers(&answer, &part.expected, &magnitudes, bound);
            let evidence = &mut tally.evidence;
            evidence.largest_ulps = evidence.largest_ulps.max(largest.map_err(in_set)?);
            evidence.rows += rows;
            tally.numbers += sample::numbers(&part.input);
            if !program.by_row() {
                return Ok(());
            }
            same_in_parts(program, &part.input, &answer).map_err(in_set)
        }
        Err(reason) => {
            let Some(halves) = part.halves().filter(|_| program.by_row()) else {
                tally.evidence.left += rows;
                tally.declined = reason.0;
                return Ok(());
            };
            halves
                .iter()
                .try_for_each(|half| compare_part(program, half, tally))
        }
    }
}

fn differs(set: usize, difference: &Difference) -> Unproved {
    Unproved::Differs {
        set,
        row: difference.row,
        difference: difference.with_values(),
    }
}

/// The first rows by themselves and in small numbers are answered as they were among all.
fn same_in_parts(program: &Program, input: &Input, whole: &Answer) -> Result<(), Difference> {
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
