//! Straight lines between points, column by column; the outermost values beyond them.

use super::{Compute, Context};
use crate::container::Array;
use crate::error::{Declined, Flaw};

pub(crate) struct Interpolate {
    /// By column, its points in order.
    columns: Vec<Vec<(f64, f64)>>,
}

impl Interpolate {
    pub(crate) fn read(
        ends: Array,
        xs: Array,
        ys: Array,
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        let width = context.same_width()?;
        let (xs, ys) = (context.container.f64s(xs)?, context.container.f64s(ys)?);
        let ends = context.container.ends(ends, xs.len())?;
        if ends.len() != width || ys.len() != xs.len() {
            return Err("points do not fit its width");
        }
        let points: Vec<(f64, f64)> = xs.into_iter().zip(ys).collect();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let columns: Vec<Vec<(f64, f64)>> = starts
            .zip(&ends)
            .map(|(start, end)| points[start..*end].to_vec())
            .collect();
        for points in &columns {
            if points.is_empty() || !points.is_sorted_by(|a, b| a.0 <= b.0) {
                return Err("points are missing or out of order");
            }
        }
        Ok(Self { columns })
    }
}

impl Compute for Interpolate {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        _magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let width = self.columns.len();
        for (out, row) in out
            .chunks_exact_mut(width)
            .zip(source(0).chunks_exact(width))
        {
            for ((out, value), points) in out.iter_mut().zip(row).zip(&self.columns) {
                *out = at(points, *value);
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.columns.len() * 50
    }
}

fn at(points: &[(f64, f64)], value: f64) -> f64 {
    if value.is_nan() {
        return value;
    }
    let next = points.partition_point(|(x, _)| *x <= value);
    match (
        next.checked_sub(1).map(|last| points[last]),
        points.get(next),
    ) {
        (Some((x, y)), Some((next_x, next_y))) if x != value => {
            (next_y - y) / (next_x - x) * (value - x) + y
        }
        (Some((_, y)), _) | (None, Some(&(_, y))) => y,
        (None, None) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn lines_meet_their_points_and_end_flat() {
        let points = [(0.0, 1.0), (1.0, 3.0), (1.0, 5.0), (2.0, 4.0)];
        for (value, expected) in [
            (-1.0, 1.0),
            (0.0, 1.0),
            (0.5, 2.0),
            (1.0, 5.0),
            (1.5, 4.5),
            (2.0, 4.0),
            (9.0, 4.0),
        ] {
            assert_eq!(at(&points, value), expected, "{value}");
        }
        assert!(at(&points, f64::NAN).is_nan());
    }
}
