//! Functions of one number: what `FunctionTransformer` and a few answers apply to every value.

use super::{Compute, Context};
use crate::error::{Declined, Flaw};
use crate::head::FunctionName;

pub(crate) struct Function {
    name: FunctionName,
    /// Rounded to single precision, where Python computes in it.
    single: bool,
}

impl Function {
    pub(crate) fn read(
        name: FunctionName,
        single: bool,
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        context.same_width()?;
        Ok(Self { name, single })
    }
}

impl Compute for Function {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        _magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let apply = function(self.name);
        for (out, value) in out.iter_mut().zip(source(0)) {
            *out = apply(*value);
        }
        if self.single {
            for out in out {
                *out = f64::from(*out as f32);
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        50
    }
}

fn function(name: FunctionName) -> fn(f64) -> f64 {
    match name {
        FunctionName::Absolute => f64::abs,
        FunctionName::Cbrt => f64::cbrt,
        FunctionName::Ceil => f64::ceil,
        FunctionName::Cos => f64::cos,
        FunctionName::Exp => f64::exp,
        FunctionName::Exp2 => f64::exp2,
        FunctionName::Expm1 => f64::exp_m1,
        FunctionName::Floor => f64::floor,
        FunctionName::Log => f64::ln,
        FunctionName::Log10 => f64::log10,
        FunctionName::Log1p => f64::ln_1p,
        FunctionName::Log2 => f64::log2,
        FunctionName::Negative => |value| -value,
        FunctionName::Reciprocal => |value| 1.0 / value,
        FunctionName::Rint => f64::round_ties_even,
        FunctionName::Sin => f64::sin,
        FunctionName::Sqrt => f64::sqrt,
        FunctionName::Square => |value| value * value,
        FunctionName::Tanh => f64::tanh,
    }
}

/// Looks only: rows with a number so near to the threshold that its last bits decide are left to Python.
pub(crate) struct Apart {
    threshold: f64,
    within: f64,
}

impl Apart {
    pub(crate) fn read(threshold: f64, ulps: u32, context: &Context<'_>) -> Result<Self, Flaw> {
        context.same_width()?;
        Ok(Self {
            threshold,
            within: f64::from(ulps) * f64::EPSILON,
        })
    }

    pub(crate) fn run(&self, values: &[f64]) -> Result<(), Declined> {
        let near = |value: &f64| {
            (value - self.threshold).abs() <= self.within * value.abs().max(self.threshold.abs())
        };
        if values.iter().any(near) {
            return Err(Declined("a score whose last bits decide"));
        }
        Ok(())
    }
}
