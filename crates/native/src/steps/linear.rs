//! Weighted sums. The order of additions is ours, so answers agree with Python's to the last bits, not to the bit.

use super::Context;
use crate::container::Array;
use crate::error::Flaw;

pub(crate) struct Linear {
    /// Output by output.
    weights: Vec<f64>,
    intercept: Vec<f64>,
    width: usize,
}

impl Linear {
    pub(crate) fn read(
        weights: Array,
        intercept: Array,
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        let width = context.only_source()?;
        let weights = context.container.f64s(weights)?;
        let intercept = context.container.f64s(intercept)?;
        context.has_width(intercept.len())?;
        if weights.len() != width * context.width {
            return Err("its weights do not fit its width");
        }
        Ok(Self {
            weights,
            intercept,
            width,
        })
    }

    pub(crate) fn weights(&self) -> usize {
        self.weights.len()
    }

    pub(crate) fn run(&self, source: &[f64], out: &mut [f64], magnitudes: Option<&mut [f64]>) {
        let outputs = self.intercept.len();
        let rows = source.chunks_exact(self.width);
        for (out, row) in out.chunks_exact_mut(outputs).zip(rows.clone()) {
            let weights = self.weights.chunks_exact(self.width);
            for ((out, weights), intercept) in out.iter_mut().zip(weights).zip(&self.intercept) {
                *out = dot(weights, row) + intercept;
            }
        }
        for (magnitude, row) in magnitudes.into_iter().flatten().zip(rows) {
            let weights = self.weights.chunks_exact(self.width);
            for (weights, intercept) in weights.zip(&self.intercept) {
                let terms = weights
                    .iter()
                    .zip(row)
                    .map(|(weight, value)| (weight * value).abs());
                *magnitude = magnitude.max(terms.sum::<f64>() + intercept.abs());
            }
        }
    }
}

/// Four sums side by side: the processor need not wait for one addition to begin the next.
pub(super) fn dot(weights: &[f64], row: &[f64]) -> f64 {
    let (weights, last_weights) = weights.as_chunks::<4>();
    let (values, last_values) = row.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (weights, values) in weights.iter().zip(values) {
        for lane in 0..4 {
            sums[lane] += weights[lane] * values[lane];
        }
    }
    let rest = last_weights
        .iter()
        .zip(last_values)
        .map(|(weight, value)| weight * value);
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest.sum::<f64>()
}
