//! Steps that hide behind [`Compute`]: each is read from its head here, and only computes afterwards.

use super::functions::Function;
use super::interpolate::Interpolate;
use super::kernels::{Coupling, Kernel};
use super::likelihood::Gaussian;
use super::neighbors::Neighbors;
use super::power::Power;
use super::votes::{Duels, Table, WeightedMedian};
use super::{Compute, Context};
use crate::error::Flaw;
use crate::head::Op;

/// Reads a step, if it is one of these.
pub(super) fn read(op: &Op, context: &Context<'_>) -> Result<Option<Box<dyn Compute>>, Flaw> {
    Ok(Some(match op {
        Op::Function { name, single } => Box::new(Function::read(*name, *single, context)?),
        Op::Table { values } => Box::new(Table::read(*values, context)?),
        Op::Duels {} => Box::new(Duels::read(context)?),
        Op::WeightedMedian { weights } => Box::new(WeightedMedian::read(*weights, context)?),
        Op::Kernel(head) => Box::new(Kernel::read(head, context)?),
        Op::Coupling { slopes, shifts } => Box::new(Coupling::read(*slopes, *shifts, context)?),
        Op::Gaussian {
            means,
            variances,
            priors,
            scales,
        } => Box::new(Gaussian::read(
            [*means, *variances, *priors, *scales],
            context,
        )?),
        Op::Interpolate { ends, xs, ys } => Box::new(Interpolate::read(*ends, *xs, *ys, context)?),
        Op::Neighbors(head) => Box::new(Neighbors::read(head, context)?),
        Op::Power {
            kind,
            exponents,
            direct,
        } => Box::new(Power::read(*kind, *exponents, *direct, context)?),
        _ => return Ok(None),
    }))
}
