//! Power transforms: the formulas of Box and Cox, and of Yeo and Johnson, with an exponent for each column.

use super::{Compute, Context};
use crate::container::Array;
use crate::error::{Declined, Flaw};
use crate::head::PowerKind;

/// Exponents as near to 0 as this, or to 2 for negative numbers, have the logarithm.
const NEXT_TO: f64 = f64::EPSILON;

pub(crate) struct Power {
    kind: PowerKind,
    exponents: Vec<f64>,
    /// Whether a power is made as such, and not as e^x - 1 of a logarithm.
    direct: bool,
}

impl Power {
    pub(crate) fn read(
        kind: PowerKind,
        exponents: Array,
        direct: bool,
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        let exponents = context.container.f64s(exponents)?;
        context.same_width()?;
        context.has_width(exponents.len())?;
        Ok(Self {
            kind,
            exponents,
            direct,
        })
    }

    fn apply(&self, value: f64, exponent: f64) -> Result<f64, Declined> {
        Ok(match self.kind {
            // NaN is neither, and stays.
            PowerKind::BoxCox if value <= 0.0 => {
                return Err(Declined("a number that is not positive"));
            }
            PowerKind::BoxCox if exponent.abs() < 1e-19 => value.ln(),
            PowerKind::BoxCox => (exponent * value.ln()).exp_m1() / exponent,
            PowerKind::YeoJohnson if value >= 0.0 => self.grown(value, exponent),
            PowerKind::YeoJohnson => -self.grown(-value, 2.0 - exponent),
        })
    }

    /// ((1 + x)^exponent - 1) / exponent.
    fn grown(&self, value: f64, exponent: f64) -> f64 {
        if exponent.abs() < NEXT_TO {
            value.ln_1p()
        } else if self.direct {
            ((value + 1.0).powf(exponent) - 1.0) / exponent
        } else {
            (exponent * value.ln_1p()).exp_m1() / exponent
        }
    }

    /// How large the numbers are whose last bits the transformed one has.
    fn magnitude(&self, made: f64, value: f64, exponent: f64) -> f64 {
        let exponent = match self.kind {
            PowerKind::YeoJohnson if value < 0.0 => 2.0 - exponent,
            _ => exponent,
        };
        if exponent.abs() < NEXT_TO {
            made.abs()
        } else {
            made.abs() + 1.0 / exponent.abs()
        }
    }
}

impl Compute for Power {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let width = self.exponents.len();
        let rows = source(0).chunks_exact(width);
        for (out, row) in out.chunks_exact_mut(width).zip(rows.clone()) {
            for ((out, value), exponent) in out.iter_mut().zip(row).zip(&self.exponents) {
                *out = self.apply(*value, *exponent)?;
            }
        }
        let made = out.chunks_exact(width).zip(rows);
        for (magnitude, (made, row)) in magnitudes.into_iter().flatten().zip(made) {
            let numbers = made.iter().zip(row).zip(&self.exponents);
            for ((made, value), exponent) in numbers.filter(|((made, _), _)| made.is_finite()) {
                *magnitude = magnitude.max(self.magnitude(*made, *value, *exponent));
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.exponents.len() * 60
    }
}
