//! Support vector machines: a row against each support vector, and weighted sums of that.

use super::linear::dot;
use super::votes::{each_pair, pairs};
use super::{Compute, Context};
use crate::container::Array;
use crate::error::{Declined, Flaw};
use crate::head::{KernelHead, KernelKind};

/// The highest degree of a polynomial.
const MAX_DEGREE: u32 = 64;

pub(crate) struct Kernel {
    kind: KernelKind,
    gamma: f64,
    coef0: f64,
    degree: u32,
    /// Vector by vector.
    vectors: Vec<f64>,
    columns: usize,
    /// By output, the vectors that it adds up and their weights.
    terms: Vec<Vec<(usize, f64)>>,
    intercept: Vec<f64>,
}

impl Kernel {
    pub(crate) fn read(head: &KernelHead, context: &Context<'_>) -> Result<Self, Flaw> {
        let columns = context.only_source()?;
        let vectors = context.container.f64s(head.vectors)?;
        let weights = context.container.f64s(head.weights)?;
        let intercept = context.container.f64s(head.intercept)?;
        context.has_width(intercept.len())?;
        let count = vectors.len() / columns;
        if count == 0 || vectors.len() != count * columns || weights.len() != count * context.width
        {
            return Err("its vectors and weights do not fit its width");
        }
        if head.degree > MAX_DEGREE {
            return Err("its degree is out of bounds");
        }
        let terms = weights.chunks_exact(count).map(|weights| {
            let terms = weights.iter().copied().enumerate();
            terms.filter(|(_, weight)| *weight != 0.0).collect()
        });
        Ok(Self {
            kind: head.kind,
            gamma: head.gamma,
            coef0: head.coef0,
            degree: head.degree,
            columns,
            terms: terms.collect(),
            vectors,
            intercept,
        })
    }

    fn similarity(&self, vector: &[f64], row: &[f64]) -> f64 {
        match self.kind {
            KernelKind::Linear => dot(vector, row),
            KernelKind::Poly => power(self.gamma * dot(vector, row) + self.coef0, self.degree),
            KernelKind::Rbf => (-self.gamma * distance(vector, row)).exp(),
            KernelKind::Sigmoid => (self.gamma * dot(vector, row) + self.coef0).tanh(),
        }
    }

    /// How large the terms are whose last bits decide the last bits of the similarity.
    fn magnitude(&self, vector: &[f64], row: &[f64]) -> f64 {
        let terms = || -> f64 { vector.iter().zip(row).map(|(a, b)| (a * b).abs()).sum() };
        match self.kind {
            KernelKind::Linear => terms(),
            KernelKind::Poly => {
                let base = self.gamma.abs() * terms() + self.coef0.abs();
                f64::from(self.degree.max(1)) * power(base, self.degree)
            }
            KernelKind::Rbf => {
                let exponent = self.gamma * distance(vector, row);
                (-exponent).exp() * (1.0 + exponent)
            }
            KernelKind::Sigmoid => {
                let value = self.similarity(vector, row);
                let exponent = self.gamma.abs() * terms() + self.coef0.abs();
                value.abs() + (1.0 - value * value) * exponent
            }
        }
    }

    fn sum(&self, output: usize, similarities: &[f64]) -> f64 {
        let terms = self.terms[output].iter();
        terms.fold(0.0, |sum, (vector, weight)| {
            sum + weight * similarities[*vector]
        }) + self.intercept[output]
    }
}

impl Compute for Kernel {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let rows = source(0).chunks_exact(self.columns);
        let mut made = vec![0.0; self.vectors.len() / self.columns];
        for (out, row) in out.chunks_exact_mut(self.intercept.len()).zip(rows.clone()) {
            let vectors = self.vectors.chunks_exact(self.columns);
            for (made, vector) in made.iter_mut().zip(vectors) {
                *made = self.similarity(vector, row);
            }
            for (output, out) in out.iter_mut().enumerate() {
                *out = self.sum(output, &made);
            }
        }
        for (magnitude, row) in magnitudes.into_iter().flatten().zip(rows) {
            let vectors = self.vectors.chunks_exact(self.columns);
            for (made, vector) in made.iter_mut().zip(vectors) {
                *made = self.magnitude(vector, row);
            }
            for (terms, intercept) in self.terms.iter().zip(&self.intercept) {
                let terms = terms
                    .iter()
                    .map(|(vector, weight)| weight.abs() * made[*vector]);
                *magnitude = magnitude.max(terms.sum::<f64>() + intercept.abs());
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        let sums: usize = self.terms.iter().map(Vec::len).sum();
        self.vectors.len() / 2 + sums + 10 * self.vectors.len() / self.columns
    }
}

fn distance(vector: &[f64], row: &[f64]) -> f64 {
    let terms = vector.iter().zip(row).map(|(a, b)| (a - b) * (a - b));
    terms.sum()
}

/// A power by squaring.
fn power(base: f64, degree: u32) -> f64 {
    let (mut square, mut made, mut rest) = (base, 1.0, degree);
    while rest > 0 {
        if rest % 2 == 1 {
            made *= square;
        }
        square *= square;
        rest /= 2;
    }
    made
}

/// Probabilities of classes from the scores of each two of them.
pub(crate) struct Coupling {
    classes: usize,
    slopes: Vec<f64>,
    shifts: Vec<f64>,
}

/// Probabilities of either of two classes are kept away from 0 by this.
const LEAST: f64 = 1e-7;

/// The most rounds in search of probabilities that go together, where there are not more classes.
const ROUNDS: usize = 100;

/// By how much, for each class, they may still fail to.
const TOLERANCE: f64 = 0.005;

impl Coupling {
    pub(crate) fn read(slopes: Array, shifts: Array, context: &Context<'_>) -> Result<Self, Flaw> {
        let width = context.only_source()?;
        let slopes = context.container.f64s(slopes)?;
        let shifts = context.container.f64s(shifts)?;
        if pairs(context.width) != Some(width) || slopes.len() != width || shifts.len() != width {
            return Err("its source has no column for each two classes");
        }
        Ok(Self {
            classes: context.width,
            slopes,
            shifts,
        })
    }

    /// Wu, Lin and Weng's second method: p with the least sum of (r_ji p_i - r_ij p_j)^2.
    fn couple(&self, shares: &[f64], quadratic: &mut [f64], slack: &mut [f64], out: &mut [f64]) {
        let count = self.classes;
        for row in 0..count {
            let column = (0..count).filter(|other| *other != row);
            let squares = column.map(|other| shares[other * count + row].powi(2));
            quadratic[row * count + row] = squares.fold(0.0, |sum, square| sum + square);
            for other in (0..count).filter(|other| *other != row) {
                quadratic[row * count + other] =
                    -shares[other * count + row] * shares[row * count + other];
            }
        }
        out.fill(1.0 / count as f64);
        for _ in 0..ROUNDS.max(count) {
            let mut whole = 0.0;
            for ((slack, row), share) in slack
                .iter_mut()
                .zip(quadratic.chunks_exact(count))
                .zip(&*out)
            {
                *slack = row.iter().zip(&*out).fold(0.0, |sum, (a, b)| sum + a * b);
                whole += share * *slack;
            }
            let worst = slack.iter().map(|slack| (slack - whole).abs());
            if worst.fold(0.0, f64::max) < TOLERANCE / count as f64 {
                break;
            }
            for row in 0..count {
                let own = quadratic[row * count + row];
                let step = (whole - slack[row]) / own;
                out[row] += step;
                whole =
                    (whole + step * (step * own + 2.0 * slack[row])) / (1.0 + step) / (1.0 + step);
                for other in 0..count {
                    slack[other] =
                        (slack[other] + step * quadratic[row * count + other]) / (1.0 + step);
                    out[other] /= 1.0 + step;
                }
            }
        }
    }
}

impl Compute for Coupling {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        _magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let count = self.classes;
        let rows = source(0).chunks_exact(self.slopes.len());
        let (mut shares, mut quadratic) = (vec![0.0; count * count], vec![0.0; count * count]);
        let mut slack = vec![0.0; count];
        for (out, row) in out.chunks_exact_mut(count).zip(rows) {
            let numbers = row.iter().zip(&self.slopes).zip(&self.shifts);
            for ((first, second), ((score, slope), shift)) in each_pair(count).zip(numbers) {
                let share = falling(score * slope + shift).clamp(LEAST, 1.0 - LEAST);
                shares[first * count + second] = share;
                shares[second * count + first] = 1.0 - share;
            }
            self.couple(&shares, &mut quadratic, &mut slack, out);
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.classes * self.classes * 50
    }
}

/// 1 / (1 + e^x), without an overflow.
fn falling(value: f64) -> f64 {
    if value >= 0.0 {
        (-value).exp() / (1.0 + (-value).exp())
    } else {
        1.0 / (1.0 + value.exp())
    }
}
