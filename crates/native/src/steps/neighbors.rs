//! The nearest of the rows that a model was fitted on, each compared with.
//!
//! Which rows are nearest must not hang on last bits, or on the order in which a library looks at them: where it does, and
//! the answer with it, the rows are left to Python.

use super::{Compute, Context};
use crate::error::{Declined, Flaw};
use crate::head::{DistanceKind, NeighborsHead};

const TIE: Declined = Declined("neighbours at the same distance");

/// Squares of distances below this share of the terms that a library subtracts them from are all error.
const LEAST_SHARE: f64 = 1e-9;

pub(crate) struct Neighbors {
    distance: DistanceKind,
    /// Row by row.
    points: Vec<f64>,
    /// By row of the points, the sum of squares.
    norms: Vec<f64>,
    columns: usize,
    targets: Vec<f64>,
    span: usize,
    count: usize,
    by_distance: bool,
    /// Targets are numbers of classes; the answer is the share of each.
    classes: bool,
    /// Whether the library has distances as x x - 2 x y + y y.
    expanded: bool,
    width: usize,
}

/// What is known of the neighbours of a row.
struct Found<'a> {
    /// Squares of distances for `euclidean`, else distances; the nearest first.
    nearest: &'a [(f64, usize)],
    /// The sum of squares of the row.
    norm: f64,
}

impl Neighbors {
    pub(crate) fn read(head: &NeighborsHead, context: &Context<'_>) -> Result<Self, Flaw> {
        let columns = context.only_source()?;
        let points = context.container.f64s(head.points)?;
        let targets = context.container.f64s(head.targets)?;
        let rows = points.len() / columns;
        let span = if head.classes { 1 } else { context.width };
        if points.len() != rows * columns || targets.len() != rows * span {
            return Err("its points and targets do not fit its width");
        }
        if head.count == 0 || head.count > rows {
            return Err("it has fewer points than it asks for");
        }
        let is_class = |target: &f64| {
            target.fract() == 0.0 && *target >= 0.0 && *target < context.width as f64
        };
        if head.classes && !targets.iter().all(is_class) {
            return Err("a target is no class");
        }
        Ok(Self {
            distance: head.distance,
            norms: points.chunks_exact(columns).map(square).collect(),
            points,
            columns,
            targets,
            span,
            count: head.count,
            by_distance: head.by_distance,
            classes: head.classes,
            expanded: head.expanded && head.distance == DistanceKind::Euclidean,
            width: context.width,
        })
    }

    fn between(&self, point: &[f64], row: &[f64]) -> f64 {
        let differences = point.iter().zip(row).map(|(a, b)| (a - b).abs());
        match self.distance {
            DistanceKind::Euclidean => differences.fold(0.0, |sum, value| sum + value * value),
            DistanceKind::Manhattan => differences.fold(0.0, |sum, value| sum + value),
            DistanceKind::Chebyshev => differences.fold(0.0, f64::max),
        }
    }

    /// How far two distances must be apart for a library to order them as they are.
    fn tolerance(&self, found: &Found<'_>) -> f64 {
        let unit = f64::EPSILON * (16.0 + self.columns as f64);
        let (distance, point) = found.nearest[found.nearest.len() - 1];
        if self.expanded {
            unit * (found.norm + self.norms[point] + distance)
        } else {
            unit * distance
        }
    }

    fn target(&self, point: usize) -> &[f64] {
        &self.targets[point * self.span..(point + 1) * self.span]
    }

    /// Refuses rows whose last neighbour might be another one with another target.
    fn check_last(&self, found: &Found<'_>, rest: &[(f64, usize)]) -> Result<(), Declined> {
        let (last, point) = found.nearest[found.nearest.len() - 1];
        if !last.is_finite() {
            return Err(Declined("a distance that is not finite"));
        }
        let tolerance = self.tolerance(found);
        let near = |(distance, _): &&(f64, usize)| (distance - last).abs() <= tolerance;
        let mut outside = rest.iter().filter(near).peekable();
        if outside.peek().is_none() {
            return Ok(());
        }
        let mut all = outside.chain(found.nearest.iter().filter(near));
        if self.by_distance || all.any(|(_, other)| self.target(*other) != self.target(point)) {
            return Err(TIE);
        }
        Ok(())
    }

    /// By neighbour, what it counts; and by how much more than their last bits the answer may be off.
    fn weigh(&self, found: &Found<'_>, weights: &mut Vec<f64>) -> Result<f64, Declined> {
        weights.clear();
        if !self.by_distance {
            weights.resize(found.nearest.len(), 1.0);
            return Ok(1.0);
        }
        let mut blur = 1.0_f64;
        for (distance, point) in found.nearest {
            if self.expanded {
                let terms = found.norm + self.norms[*point];
                if *distance <= terms * LEAST_SHARE {
                    return Err(Declined("a distance that is next to nothing"));
                }
                blur = blur.max(terms / distance);
            }
            weights.push(match self.distance {
                DistanceKind::Euclidean => 1.0 / distance.sqrt(),
                _ => 1.0 / distance,
            });
        }
        if weights.iter().any(|weight| weight.is_infinite()) {
            for weight in weights {
                *weight = f64::from(u8::from(weight.is_infinite()));
            }
        }
        Ok(blur)
    }

    fn answer(&self, found: &Found<'_>, weights: &[f64], out: &mut [f64]) -> Result<(), Declined> {
        out.fill(0.0);
        for ((_, point), weight) in found.nearest.iter().zip(weights) {
            let target = self.target(*point);
            if self.classes {
                out[target[0] as usize] += weight;
            } else {
                for (out, target) in out.iter_mut().zip(target) {
                    *out += target * weight;
                }
            }
        }
        let total: f64 = weights.iter().sum();
        for out in &mut *out {
            *out /= total;
        }
        if self.classes && self.by_distance {
            let largest = out.iter().copied().fold(0.0, f64::max);
            let near = |share: &f64| *share != largest && largest - share < 1e-9;
            if out.iter().any(near) {
                return Err(TIE);
            }
        }
        Ok(())
    }
}

impl Compute for Neighbors {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        mut magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let mut all: Vec<(f64, usize)> = Vec::with_capacity(self.norms.len());
        let mut weights = Vec::with_capacity(self.count);
        let rows = source(0).chunks_exact(self.columns);
        for (number, (out, row)) in out.chunks_exact_mut(self.width).zip(rows).enumerate() {
            let points = self.points.chunks_exact(self.columns).enumerate();
            all.clear();
            all.extend(points.map(|(index, point)| (self.between(point, row), index)));
            all.select_nth_unstable_by(self.count - 1, order);
            let (nearest, rest) = all.split_at_mut(self.count);
            nearest.sort_unstable_by(order);
            let norm = square(row);
            let found = Found { nearest, norm };
            self.check_last(&found, rest)?;
            let blur = self.weigh(&found, &mut weights)?;
            self.answer(&found, &weights, out)?;
            if let Some(magnitude) = magnitudes.as_mut().and_then(|all| all.get_mut(number)) {
                let targets = found
                    .nearest
                    .iter()
                    .flat_map(|(_, point)| self.target(*point));
                let largest = targets.fold(1.0_f64, |largest, target| largest.max(target.abs()));
                *magnitude = magnitude.max(largest * blur);
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.points.len() + 5 * self.norms.len()
    }
}

fn order(a: &(f64, usize), b: &(f64, usize)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

fn square(row: &[f64]) -> f64 {
    row.iter().map(|value| value * value).sum()
}
