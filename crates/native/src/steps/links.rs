//! From sums to answers: exponentials, sigmoids, softmax, the largest of a row.

use super::Context;
use crate::error::Flaw;
use crate::head::Op;

/// xgboost keeps sigmoids from dividing by zero with this.
const SIGMOID_EPSILON: f32 = 1e-16;

/// xgboost cuts exponents of sigmoids here.
const SIGMOID_LIMIT: f32 = 88.7;

pub(crate) enum Link {
    Exp,
    ExpSingle,
    Sigmoid { slope: f64 },
    SigmoidSingle,
    Softmax { width: usize },
    SoftmaxSingle { width: usize },
    Complement,
    ComplementSingle,
    Share { width: usize, none: f64 },
    Tanh,
    Argmax { width: usize, last: bool },
}

impl Link {
    pub(crate) fn read(op: &Op, context: &Context<'_>) -> Result<Self, Flaw> {
        let width = context.only_source()?;
        Ok(match op {
            Op::Exp { single } => {
                context.same_width()?;
                if *single { Link::ExpSingle } else { Link::Exp }
            }
            Op::Sigmoid { single, slope } => {
                context.same_width()?;
                match single {
                    true => Link::SigmoidSingle,
                    false => Link::Sigmoid {
                        slope: slope.unwrap_or(1.0),
                    },
                }
            }
            Op::Softmax { single } => {
                context.same_width()?;
                match single {
                    true => Link::SoftmaxSingle { width },
                    false => Link::Softmax { width },
                }
            }
            Op::Complement { single } => {
                context.has_width(2)?;
                if width != 1 {
                    return Err("its source has more than one column");
                }
                if *single {
                    Link::ComplementSingle
                } else {
                    Link::Complement
                }
            }
            Op::Share { none } => Link::Share {
                width: context.same_width()?,
                none: none.unwrap_or(f64::NAN),
            },
            Op::Tanh {} => {
                context.same_width()?;
                Link::Tanh
            }
            Op::Argmax { last } => {
                context.has_width(1)?;
                Link::Argmax { width, last: *last }
            }
            _ => return Err("it is not known"),
        })
    }

    pub(crate) fn run(&self, source: &[f64], out: &mut [f64]) {
        match self {
            Link::Exp => map(source, out, f64::exp),
            Link::ExpSingle => map(source, out, |value| (value as f32).exp().into()),
            Link::Sigmoid { slope } => {
                map(source, out, |value| 1.0 / (1.0 + (-slope * value).exp()))
            }
            Link::SigmoidSingle => map(source, out, |value| sigmoid_single(value as f32).into()),
            Link::Softmax { width } => rows(*width, source, out, softmax),
            Link::SoftmaxSingle { width } => rows(*width, source, out, softmax_single),
            Link::Complement => {
                for (out, value) in out.as_chunks_mut::<2>().0.iter_mut().zip(source) {
                    *out = [1.0 - value, *value];
                }
            }
            Link::ComplementSingle => {
                for (out, value) in out.as_chunks_mut::<2>().0.iter_mut().zip(source) {
                    *out = [f64::from(1.0 - *value as f32), *value];
                }
            }
            Link::Share { width, none } => rows(*width, source, out, |row, out| {
                let sum: f64 = row.iter().sum();
                map(
                    row,
                    out,
                    |value| if sum == 0.0 { *none } else { value / sum },
                );
            }),
            Link::Tanh => map(source, out, f64::tanh),
            Link::Argmax { width, last } => {
                for (out, row) in out.iter_mut().zip(source.chunks_exact(*width)) {
                    let first = argmax(row);
                    let equal = |value: &f64| *last && *value == row[first];
                    *out = row.iter().rposition(equal).unwrap_or(first) as f64;
                }
            }
        }
    }
}

fn map(source: &[f64], out: &mut [f64], apply: impl Fn(f64) -> f64) {
    for (out, value) in out.iter_mut().zip(source) {
        *out = apply(*value);
    }
}

fn rows(width: usize, source: &[f64], out: &mut [f64], apply: impl Fn(&[f64], &mut [f64])) {
    for (out, row) in out.chunks_exact_mut(width).zip(source.chunks_exact(width)) {
        apply(row, out);
    }
}

fn sigmoid_single(value: f32) -> f32 {
    let exponent = if SIGMOID_LIMIT < -value {
        SIGMOID_LIMIT
    } else {
        -value
    };
    1.0 / (exponent.exp() + 1.0 + SIGMOID_EPSILON)
}

fn softmax(row: &[f64], out: &mut [f64]) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (out, value) in out.iter_mut().zip(row) {
        *out = (value - largest).exp();
        sum += *out;
    }
    for out in out {
        *out /= sum;
    }
}

/// In single precision but for the sum, as xgboost has it.
fn softmax_single(row: &[f64], out: &mut [f64]) {
    let largest = row.iter().fold(f32::NEG_INFINITY, |largest, value| {
        largest.max(*value as f32)
    });
    let mut sum = 0.0_f64;
    for (out, value) in out.iter_mut().zip(row) {
        let power = (*value as f32 - largest).exp();
        sum += f64::from(power);
        *out = power.into();
    }
    for out in out {
        *out = (*out as f32 / sum as f32).into();
    }
}

/// The first of the largest; a NaN counts as larger than any number, as numpy has it.
fn argmax(row: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in row.iter().enumerate() {
        if row[best].is_nan() {
            break;
        }
        if *value > row[best] || value.is_nan() {
            best = index;
        }
    }
    best
}
