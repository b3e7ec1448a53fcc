//! Answers of several members made one: votes of classes, duels between each two of them, the weighted median.

use super::{Compute, Context};
use crate::container::Array;
use crate::error::{Declined, Flaw};

/// By the number of a class, a row of a table.
pub(crate) struct Table {
    values: Vec<f64>,
    width: usize,
}

impl Table {
    pub(crate) fn read(values: Array, context: &Context<'_>) -> Result<Self, Flaw> {
        if context.only_source()? != 1 {
            return Err("its source has more than one column");
        }
        let values = context.container.f64s(values)?;
        if values.is_empty() || values.len() % context.width != 0 {
            return Err("its width does not fit its arrays");
        }
        Ok(Self {
            values,
            width: context.width,
        })
    }
}

impl Compute for Table {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        _magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        for (out, class) in out.chunks_exact_mut(self.width).zip(source(0)) {
            let start = (*class as usize).saturating_mul(self.width);
            let row = self
                .values
                .get(start..start.saturating_add(self.width))
                .filter(|_| class.fract() == 0.0 && *class >= 0.0);
            out.copy_from_slice(row.ok_or(Declined("a vote for no class"))?);
        }
        Ok(())
    }
}

/// Each two classes against each other. The first source is 1 where the second of the two won. With a second source, how
/// clearly, the sums of it tell classes of equally many victories apart.
pub(crate) struct Duels {
    classes: usize,
    scored: bool,
}

impl Duels {
    pub(crate) fn read(context: &Context<'_>) -> Result<Self, Flaw> {
        let classes = context.width;
        let pairs = pairs(classes).ok_or("its width is out of bounds")?;
        let sources = context.sources;
        if !(1..=2).contains(&sources.len()) || sources.iter().any(|width| *width != pairs) {
            return Err("its sources have no column for each two classes");
        }
        Ok(Self {
            classes,
            scored: sources.len() == 2,
        })
    }
}

/// How many pairs there are of so many classes.
pub(super) fn pairs(classes: usize) -> Option<usize> {
    (2..=4096)
        .contains(&classes)
        .then(|| classes * (classes - 1) / 2)
}

/// The pairs in their order.
pub(super) fn each_pair(classes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..classes).flat_map(move |first| (first + 1..classes).map(move |second| (first, second)))
}

impl Compute for Duels {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        _magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let pairs = self.classes * (self.classes - 1) / 2;
        let won = source(0).chunks_exact(pairs);
        out.fill(0.0);
        for (out, won) in out.chunks_exact_mut(self.classes).zip(won) {
            for ((first, second), won) in each_pair(self.classes).zip(won) {
                out[if *won == 1.0 { second } else { first }] += 1.0;
            }
        }
        if !self.scored {
            return Ok(());
        }
        let mut sums = vec![0.0; self.classes];
        let scores = source(1).chunks_exact(pairs);
        for (out, scores) in out.chunks_exact_mut(self.classes).zip(scores) {
            sums.fill(0.0);
            for ((first, second), score) in each_pair(self.classes).zip(scores) {
                sums[first] -= score;
                sums[second] += score;
            }
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out += sum / (3.0 * (sum.abs() + 1.0));
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.classes * self.classes
    }
}

/// The first of the sorted numbers of a row at which the weights reach half of their sum.
pub(crate) struct WeightedMedian {
    weights: Vec<f64>,
}

impl WeightedMedian {
    pub(crate) fn read(weights: Array, context: &Context<'_>) -> Result<Self, Flaw> {
        let width = context.only_source()?;
        context.has_width(1)?;
        let weights = context.container.f64s(weights)?;
        if weights.len() != width {
            return Err("its weights do not fit its source");
        }
        Ok(Self { weights })
    }
}

impl Compute for WeightedMedian {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        _magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let mut order: Vec<usize> = Vec::with_capacity(self.weights.len());
        for (out, row) in out
            .iter_mut()
            .zip(source(0).chunks_exact(self.weights.len()))
        {
            order.clear();
            order.extend(0..row.len());
            order.sort_by(|a, b| row[*a].total_cmp(&row[*b]));
            let total = order
                .iter()
                .fold(0.0, |sum, index| sum + self.weights[*index]);
            let mut sum = 0.0;
            let median = order.iter().find(|index| {
                sum += self.weights[**index];
                sum >= 0.5 * total
            });
            *out = row[*median.ok_or(Declined("weights that have no half"))?];
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.weights.len() * 20
    }
}
