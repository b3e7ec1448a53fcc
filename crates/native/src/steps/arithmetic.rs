//! Steps that look at each number by itself, or at a row: checks, scaling, imputing, powers.

use super::Context;
use crate::container::Array;
use crate::error::{Declined, Flaw};
use crate::head::{Arithmetic, Norm, Rule};

/// Numbers are as Python demands them; otherwise it refuses the rows, in its own words.
pub(crate) struct Check(pub(crate) Rule);

impl Check {
    pub(crate) fn run(&self, values: &[f64]) -> Result<(), Declined> {
        let fits = |value: f64| (value as f32).is_finite();
        let all = match self.0 {
            Rule::Finite => values.iter().all(|value| value.is_finite()),
            Rule::NoInfinity => values.iter().all(|value| !value.is_infinite()),
            Rule::Single => values.iter().all(|value| fits(*value)),
            Rule::SingleOrNan => values.iter().all(|value| value.is_nan() || fits(*value)),
        };
        if all {
            Ok(())
        } else {
            Err(Declined("a value that is missing or infinite"))
        }
    }
}

/// Every row with a vector, number by number.
pub(crate) struct Each {
    arithmetic: Arithmetic,
    operand: Vec<f64>,
    single: bool,
}

impl Each {
    pub(crate) fn read(
        arithmetic: Arithmetic,
        operand: Array,
        single: bool,
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        let operand = context.container.f64s(operand)?;
        context.same_width()?;
        context.has_width(operand.len())?;
        Ok(Self {
            arithmetic,
            operand,
            single,
        })
    }

    pub(crate) fn run(&self, source: &[f64], out: &mut [f64]) {
        match self.arithmetic {
            Arithmetic::Subtract => self.map(source, out, |value, operand| value - operand),
            Arithmetic::Divide => self.map(source, out, |value, operand| value / operand),
            Arithmetic::Multiply => self.map(source, out, |value, operand| value * operand),
            Arithmetic::Add => self.map(source, out, |value, operand| value + operand),
            // As numpy's clip: NaN stays.
            Arithmetic::AtLeast => self.map(
                source,
                out,
                |value, low| if value < low { low } else { value },
            ),
            Arithmetic::AtMost => self.map(
                source,
                out,
                |value, high| if value > high { high } else { value },
            ),
        }
    }

    fn map(&self, source: &[f64], out: &mut [f64], apply: impl Fn(f64, f64) -> f64) {
        let width = self.operand.len();
        for (out, row) in out.chunks_exact_mut(width).zip(source.chunks_exact(width)) {
            for ((out, value), operand) in out.iter_mut().zip(row).zip(&self.operand) {
                *out = apply(*value, *operand);
            }
        }
        if self.single {
            for out in out {
                *out = f64::from(*out as f32);
            }
        }
    }
}

/// Matrices side by side.
pub(crate) fn concat<'s>(widths: &[usize], source: &dyn Fn(usize) -> &'s [f64], out: &mut [f64]) {
    let total: usize = widths.iter().sum();
    let mut place = 0;
    for (index, width) in widths.iter().enumerate() {
        for (out, row) in out
            .chunks_exact_mut(total)
            .zip(source(index).chunks_exact(*width))
        {
            out[place..place + width].copy_from_slice(row);
        }
        place += width;
    }
}

/// Matrices added up, one after the other.
pub(crate) fn sum<'s>(sources: usize, source: &dyn Fn(usize) -> &'s [f64], out: &mut [f64]) {
    out.copy_from_slice(source(0));
    for index in 1..sources {
        for (out, value) in out.iter_mut().zip(source(index)) {
            *out += value;
        }
    }
}

/// Some columns of a matrix.
pub(crate) fn pick(columns: &[usize], width: usize, source: &[f64], out: &mut [f64]) {
    for (out, row) in out
        .chunks_exact_mut(columns.len())
        .zip(source.chunks_exact(width))
    {
        for (out, column) in out.iter_mut().zip(columns) {
            *out = row[*column];
        }
    }
}

/// Rows divided by their norm; a row of zeros stays.
pub(crate) struct Normalize {
    pub(crate) norm: Norm,
    pub(crate) width: usize,
}

impl Normalize {
    pub(crate) fn run(&self, source: &[f64], out: &mut [f64]) {
        for (out, row) in out
            .chunks_exact_mut(self.width)
            .zip(source.chunks_exact(self.width))
        {
            let magnitudes = row.iter().map(|value| value.abs());
            let norm = match self.norm {
                Norm::L1 => magnitudes.sum(),
                Norm::L2 => row.iter().map(|value| value * value).sum::<f64>().sqrt(),
                Norm::Max => magnitudes.fold(0.0, f64::max),
            };
            let norm = if norm == 0.0 { 1.0 } else { norm };
            for (out, value) in out.iter_mut().zip(row) {
                *out = value / norm;
            }
        }
    }
}

/// Products of powers of the columns.
pub(crate) struct Powers {
    /// By output column, (column, power) of those whose power is not zero.
    terms: Vec<Vec<(usize, u32)>>,
    width: usize,
}

impl Powers {
    pub(crate) fn read(powers: Array, context: &Context<'_>) -> Result<Self, Flaw> {
        let width = context.only_source()?;
        let powers = context.container.i32s(powers)?;
        if powers.len() != context.width * width {
            return Err("its width does not fit its arrays");
        }
        let mut terms = Vec::with_capacity(context.width);
        for row in powers.chunks_exact(width) {
            let mut term = Vec::new();
            for (column, power) in row.iter().enumerate().filter(|(_, power)| **power != 0) {
                let power = u32::try_from(*power).map_err(|_| "a power is negative")?;
                if power > 64 {
                    return Err("a power is out of bounds");
                }
                term.push((column, power));
            }
            terms.push(term);
        }
        Ok(Self { terms, width })
    }

    pub(crate) fn run(&self, source: &[f64], out: &mut [f64]) {
        let rows = source.chunks_exact(self.width);
        for (out, row) in out.chunks_exact_mut(self.terms.len()).zip(rows) {
            for (out, term) in out.iter_mut().zip(&self.terms) {
                *out = term
                    .iter()
                    .flat_map(|(column, power)| (0..*power).map(|_| row[*column]))
                    .product();
            }
        }
    }
}

/// Missing values replaced, column by column.
pub(crate) struct Impute {
    missing: Option<f64>,
    fill: Vec<f64>,
}

impl Impute {
    pub(crate) fn read(
        missing: Option<f64>,
        fill: Array,
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        let fill = context.container.f64s(fill)?;
        context.same_width()?;
        context.has_width(fill.len())?;
        Ok(Self { missing, fill })
    }

    pub(crate) fn run(&self, source: &[f64], out: &mut [f64]) {
        let width = self.fill.len();
        for (out, row) in out.chunks_exact_mut(width).zip(source.chunks_exact(width)) {
            for ((out, value), fill) in out.iter_mut().zip(row).zip(&self.fill) {
                *out = if is_missing(*value, self.missing) {
                    *fill
                } else {
                    *value
                };
            }
        }
    }
}

/// Whether a value is missing: NaN, or the number that stands for it.
pub(crate) fn is_missing(value: f64, missing: Option<f64>) -> bool {
    match missing {
        None => value.is_nan(),
        Some(missing) => value == missing,
    }
}
