//! What steps do. Each kind reads its arrays when the program is read, checks them, and then only computes.

mod arithmetic;
mod encode;
mod functions;
mod interpolate;
mod kernels;
mod likelihood;
mod linear;
mod links;
mod more;
mod neighbors;
mod power;
mod votes;

use crate::container::Container;
use crate::error::{Declined, Flaw};
use crate::evaluate::Scratch;
use crate::head::{InputKind, Op};
use crate::rows::Rows;
use crate::trees::Trees;

/// What a step is read in.
pub(crate) struct Context<'a> {
    pub(crate) container: &'a Container<'a>,
    pub(crate) inputs: &'a [InputKind],
    /// Widths of its sources.
    pub(crate) sources: &'a [usize],
    pub(crate) width: usize,
}

impl Context<'_> {
    /// The width of the only source.
    pub(crate) fn only_source(&self) -> Result<usize, Flaw> {
        match self.sources {
            [width] => Ok(*width),
            _ => Err("it needs one source"),
        }
    }

    /// Refuses a step whose width is not that of its only source.
    pub(crate) fn same_width(&self) -> Result<usize, Flaw> {
        let width = self.only_source()?;
        if width != self.width {
            return Err("its width is not that of its source");
        }
        Ok(width)
    }

    /// Refuses a step that is not so wide.
    pub(crate) fn has_width(&self, width: usize) -> Result<(), Flaw> {
        if width == self.width {
            Ok(())
        } else {
            Err("its width does not fit its arrays")
        }
    }
}

/// Rows that run through the steps together.
pub(crate) struct Block<'a> {
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) start: usize,
    pub(crate) size: usize,
}

/// A step that only computes: from its sources, row by row of a block, what it makes.
pub(crate) trait Compute: Send + Sync {
    /// `magnitudes`, where they are asked for, are raised by row to the terms that were added up.
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined>;

    /// About how many nanoseconds a row takes.
    fn cost(&self) -> usize {
        10
    }
}

pub(crate) enum Step {
    Columns(Vec<usize>),
    Check(arithmetic::Check),
    Apart(functions::Apart),
    Beside(functions::Beside),
    Each(arithmetic::Each),
    Concat(Vec<usize>),
    Sum(usize),
    Pick { columns: Vec<usize>, width: usize },
    Threshold { threshold: f64, equal: bool },
    Normalize(arithmetic::Normalize),
    Powers(arithmetic::Powers),
    Linear(linear::Linear),
    Impute(arithmetic::Impute),
    IsMissing(Option<f64>),
    OneHot(encode::OneHot),
    Ordinal(encode::Ordinal),
    Bins(encode::Bins),
    Link(links::Link),
    Trees(Box<Trees>),
    Computed(Box<dyn Compute>),
}

impl Step {
    /// Reads and checks a step.
    pub(crate) fn read(op: &Op, context: &Context<'_>) -> Result<Self, Flaw> {
        if let Some(computed) = more::read(op, context)? {
            return Ok(Step::Computed(computed));
        }
        if let Some(looking) = looking(op, context)? {
            return Ok(looking);
        }
        Ok(match op {
            Op::Columns { columns } => Step::Columns(input_columns(columns, context)?),
            Op::Each {
                r#do,
                operand,
                single,
            } => Step::Each(arithmetic::Each::read(*r#do, *operand, *single, context)?),
            Op::Concat {} => {
                context.has_width(context.sources.iter().sum())?;
                Step::Concat(context.sources.to_vec())
            }
            Op::Sum {} => Step::Sum(summands(context)?),
            Op::Pick { columns } => {
                let width = context.only_source()?;
                if columns.iter().any(|column| *column >= width) {
                    return Err("a column is not in its source");
                }
                context.has_width(columns.len())?;
                Step::Pick {
                    columns: columns.clone(),
                    width,
                }
            }
            Op::Above { threshold } => threshold_step(*threshold, false, context)?,
            Op::IsAbove { threshold, equal } => threshold_step(*threshold, *equal, context)?,
            Op::Normalize { norm } => Step::Normalize(arithmetic::Normalize {
                norm: *norm,
                width: context.same_width()?,
            }),
            Op::Powers { powers } => Step::Powers(arithmetic::Powers::read(*powers, context)?),
            Op::Linear { weights, intercept } => {
                Step::Linear(linear::Linear::read(*weights, *intercept, context)?)
            }
            Op::Impute { missing, fill } => {
                Step::Impute(arithmetic::Impute::read(*missing, *fill, context)?)
            }
            Op::IsMissing { missing } => {
                context.same_width()?;
                Step::IsMissing(*missing)
            }
            Op::OneHot { features } => Step::OneHot(encode::OneHot::read(features, context)?),
            Op::Ordinal { features } => Step::Ordinal(encode::Ordinal::read(features, context)?),
            Op::Bins { ends, edges } => Step::Bins(encode::Bins::read(*ends, *edges, context)?),
            Op::Trees(head) => Step::Trees(Box::new(Trees::read(head, context)?)),
            link => Step::Link(links::Link::read(link, context)?),
        })
    }

    /// Makes the rows of a block.
    pub(crate) fn run<'s>(
        &self,
        block: &Block<'_>,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) -> Result<(), Declined> {
        match self {
            Step::Columns(columns) => {
                return block.rows.fill(columns, block.start, block.size, out);
            }
            Step::Check(check) => return check.run(out),
            Step::Apart(apart) => return apart.run(out),
            Step::Beside(beside) => return beside.run(out),
            Step::Each(each) => each.run(source(0), out),
            Step::Concat(widths) => arithmetic::concat(widths, source, out),
            Step::Sum(sources) => arithmetic::sum(*sources, source, out),
            Step::Pick { columns, width } => arithmetic::pick(columns, *width, source(0), out),
            Step::Threshold { threshold, equal } => {
                for (out, value) in out.iter_mut().zip(source(0)) {
                    let above = value > threshold || (*equal && value == threshold);
                    *out = f64::from(u8::from(above));
                }
            }
            Step::Normalize(normalize) => normalize.run(source(0), out),
            Step::Powers(powers) => powers.run(source(0), out),
            Step::Linear(linear) => linear.run(source(0), out, scratch.magnitudes.as_deref_mut()),
            Step::Impute(impute) => impute.run(source(0), out),
            Step::IsMissing(missing) => {
                for (out, value) in out.iter_mut().zip(source(0)) {
                    *out = f64::from(u8::from(arithmetic::is_missing(*value, *missing)));
                }
            }
            Step::OneHot(encoder) => return encoder.run(block, source, out),
            Step::Ordinal(encoder) => return encoder.run(block, source, out),
            Step::Bins(bins) => bins.run(source(0), out),
            Step::Link(link) => link.run(source(0), out),
            Step::Trees(trees) => trees.run(source(0), out, scratch),
            Step::Computed(computed) => {
                return computed.run(source, out, scratch.magnitudes.as_deref_mut());
            }
        }
        Ok(())
    }

    /// About how many nanoseconds a row takes.
    pub(crate) fn cost(&self) -> usize {
        match self {
            Step::Linear(linear) => linear.weights() / 2,
            Step::Trees(trees) => trees.count() * 50,
            Step::OneHot(encoder) => encoder.features() * 40,
            Step::Ordinal(encoder) => encoder.features() * 40,
            Step::Columns(columns) => columns.len(),
            Step::Computed(computed) => computed.cost(),
            _ => 10,
        }
    }
}

/// Steps that only look at their source.
fn looking(op: &Op, context: &Context<'_>) -> Result<Option<Step>, Flaw> {
    Ok(Some(match op {
        Op::Check { rule } => {
            context.same_width()?;
            Step::Check(arithmetic::Check(*rule))
        }
        Op::Apart { threshold, ulps } => {
            Step::Apart(functions::Apart::read(*threshold, *ulps, context)?)
        }
        Op::Beside {
            columns,
            ends,
            edges,
            ulps,
            more,
        } => Step::Beside(functions::Beside::read(
            columns,
            [*ends, *edges, *ulps, *more],
            context,
        )?),
        _ => return Ok(None),
    }))
}

/// How many matrices are added up.
fn summands(context: &Context<'_>) -> Result<usize, Flaw> {
    let sources = context.sources;
    if sources.is_empty() || sources.iter().any(|width| *width != context.width) {
        return Err("its sources are not as wide as it is");
    }
    Ok(sources.len())
}

fn input_columns(columns: &[usize], context: &Context<'_>) -> Result<Vec<usize>, Flaw> {
    let is_number = |column: &usize| {
        let kind = context.inputs.get(*column);
        kind.is_some_and(|kind| *kind != InputKind::String)
    };
    if !columns.iter().all(is_number) {
        return Err("a column is no number of the input");
    }
    context.has_width(columns.len())?;
    Ok(columns.to_vec())
}

fn threshold_step(threshold: f64, equal: bool, context: &Context<'_>) -> Result<Step, Flaw> {
    context.same_width()?;
    Ok(Step::Threshold { threshold, equal })
}
