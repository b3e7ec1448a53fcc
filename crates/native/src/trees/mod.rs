//! Ensembles of trees, laid out for the cache: both children of a node lie side by side, and the nodes of a tree level by
//! level.
//!
//! `build` checks the arrays of a program and lays them out; `walk` takes rows from roots to leaves, `lanes` plain ones more quickly, and
//! `bits` finds the leaves of many rows at once where trees are small.

mod bits;
mod build;
mod lanes;
mod walk;

use crate::error::Flaw;
use crate::evaluate::Scratch;
use crate::head::{Precision, TreesHead};
use crate::steps::Context;

pub(crate) use bits::Bins;
use walk::{Forest, Room};

/// The trees of a model: what they compare in, what they add in.
pub(crate) enum Trees {
    /// scikit-learn's.
    SingleDouble(Forest<f32, f64>),
    /// xgboost's.
    SingleSingle(Forest<f32, f32>),
    /// lightgbm's, and scikit-learn's histograms.
    DoubleDouble(Forest<f64, f64>),
}

impl Trees {
    /// Reads, checks and lays out.
    pub(crate) fn read(head: &TreesHead, context: &Context<'_>) -> Result<Self, Flaw> {
        Ok(match (head.compare, head.add) {
            (Precision::Float32, Precision::Float64) => {
                Trees::SingleDouble(build::forest(head, context)?)
            }
            (Precision::Float32, Precision::Float32) => {
                Trees::SingleSingle(build::forest(head, context)?)
            }
            (Precision::Float64, Precision::Float64) => {
                Trees::DoubleDouble(build::forest(head, context)?)
            }
            (Precision::Float64, Precision::Float32) => {
                return Err("its precisions do not go together");
            }
        })
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Trees::SingleDouble(forest) => forest.roots.len(),
            Trees::SingleSingle(forest) => forest.roots.len(),
            Trees::DoubleDouble(forest) => forest.roots.len(),
        }
    }

    /// Adds up the trees for each row of `source`.
    pub(crate) fn run(&self, source: &[f64], out: &mut [f64], scratch: &mut Scratch) {
        let Scratch {
            singles,
            doubles,
            bins,
            single_sums,
            double_sums,
            ..
        } = scratch;
        match self {
            Trees::SingleDouble(forest) => {
                let (block, sums) = (singles, double_sums);
                forest.run(source, out, Room { block, bins, sums });
            }
            Trees::SingleSingle(forest) => {
                let (block, sums) = (singles, single_sums);
                forest.run(source, out, Room { block, bins, sums });
            }
            Trees::DoubleDouble(forest) => {
                let (block, sums) = (doubles, double_sums);
                forest.run(source, out, Room { block, bins, sums });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::walk::Real;

    #[test]
    fn thresholds_move_to_single_precision_without_moving_a_row() {
        for threshold in [0.1_f64, -0.1, 0.5, 1e-50, -1e-50, 1e300, -1e300, 0.0, 3.5] {
            let single = f32::at_most(threshold);
            let near = single.next_up();
            for value in [single.next_down(), single, near, near.next_up()] {
                assert_eq!(
                    f64::from(value) <= threshold,
                    value <= single,
                    "{value} against {threshold}"
                );
            }
        }
    }
}
