//! Functions of one number: what `FunctionTransformer` and a few answers apply to every value.

use super::{Compute, Context};
use crate::container::Array;
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

/// Looks only: rows with a number so near to an edge of its column that the side is Python's to tell are left to it.
pub(crate) struct Beside {
    guards: Vec<Guard>,
    width: usize,
}

struct Guard {
    column: usize,
    edges: Vec<f64>,
    /// How far from an edge: so much of the number, and so much more.
    share: f64,
    more: f64,
}

impl Beside {
    pub(crate) fn read(
        columns: &[usize],
        [ends, edges, ulps, more]: [Array; 4],
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        let width = context.same_width()?;
        let all = context.container.f64s(edges)?;
        let ends = context.container.ends(ends, all.len())?;
        let (ulps, more) = (context.container.f64s(ulps)?, context.container.f64s(more)?);
        let counts = [ends.len(), ulps.len(), more.len()];
        if counts.iter().any(|count| *count != columns.len())
            || columns.iter().any(|column| *column >= width)
        {
            return Err("edges do not fit its columns");
        }
        let mut guards = Vec::with_capacity(columns.len());
        let mut start = 0;
        for (place, column) in columns.iter().enumerate() {
            let edges = all[start..ends[place]].to_vec();
            start = ends[place];
            if !edges.is_sorted() {
                return Err("edges are out of order");
            }
            let share = ulps[place] * f64::EPSILON;
            guards.push(Guard {
                column: *column,
                edges,
                share,
                more: more[place],
            });
        }
        Ok(Self { guards, width })
    }

    pub(crate) fn run(&self, values: &[f64]) -> Result<(), Declined> {
        for guard in &self.guards {
            let column = values.iter().skip(guard.column).step_by(self.width);
            if column.into_iter().any(|value| guard.is_near(*value)) {
                return Err(Declined("a number whose last bits decide"));
            }
        }
        Ok(())
    }
}

impl Guard {
    fn is_near(&self, value: f64) -> bool {
        let next = self.edges.partition_point(|edge| *edge <= value);
        let within = self.share * (value.abs() + self.more);
        let near = |edge: Option<&f64>| edge.is_some_and(|edge| (value - edge).abs() <= within);
        value.is_finite()
            && (near(self.edges.get(next))
                || near(next.checked_sub(1).and_then(|last| self.edges.get(last))))
    }
}

#[cfg(test)]
mod tests {
    use super::Guard;

    #[test]
    fn only_numbers_beside_an_edge_are_near() {
        let guard = Guard {
            column: 0,
            edges: vec![-1.0, 2.0],
            share: 4.0 * f64::EPSILON,
            more: 0.0,
        };
        for near in [2.0, 2.0_f64.next_up(), 2.0_f64.next_down(), -1.0] {
            assert!(guard.is_near(near));
        }
        for far in [1.999, 2.001, 0.0, f64::NAN, f64::INFINITY] {
            assert!(!guard.is_near(far));
        }
    }
}
