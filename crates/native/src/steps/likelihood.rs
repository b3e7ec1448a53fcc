//! How likely a row is under the normal distributions of each class.

use super::{Compute, Context};
use crate::container::Array;
use crate::error::{Declined, Flaw};

pub(crate) struct Gaussian {
    /// By class and column.
    means: Vec<f64>,
    variances: Vec<f64>,
    /// By class, what does not depend on the row: of its share and of its variances.
    priors: Vec<f64>,
    scales: Vec<f64>,
    columns: usize,
}

impl Gaussian {
    pub(crate) fn read(
        [means, variances, priors, scales]: [Array; 4],
        context: &Context<'_>,
    ) -> Result<Self, Flaw> {
        let columns = context.only_source()?;
        let read = |array| context.container.f64s(array);
        let (means, variances) = (read(means)?, read(variances)?);
        let (priors, scales) = (read(priors)?, read(scales)?);
        context.has_width(priors.len())?;
        context.has_width(scales.len())?;
        if means.len() != columns * context.width || variances.len() != means.len() {
            return Err("its means and variances do not fit its width");
        }
        Ok(Self {
            means,
            variances,
            priors,
            scales,
            columns,
        })
    }

    fn distance(&self, class: usize, row: &[f64]) -> f64 {
        let place = class * self.columns..(class + 1) * self.columns;
        let own = self.means[place.clone()].iter().zip(&self.variances[place]);
        let terms = row
            .iter()
            .zip(own)
            .map(|(value, (mean, variance))| (value - mean) * (value - mean) / variance);
        terms.sum()
    }
}

impl Compute for Gaussian {
    fn run<'s>(
        &self,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
        magnitudes: Option<&mut [f64]>,
    ) -> Result<(), Declined> {
        let rows = source(0).chunks_exact(self.columns);
        for (out, row) in out.chunks_exact_mut(self.priors.len()).zip(rows.clone()) {
            for (class, out) in out.iter_mut().enumerate() {
                let likelihood = self.scales[class] - 0.5 * self.distance(class, row);
                *out = self.priors[class] + likelihood;
            }
        }
        for (magnitude, row) in magnitudes.into_iter().flatten().zip(rows) {
            for class in 0..self.priors.len() {
                let own = self.scales[class].abs() + self.priors[class].abs();
                *magnitude = magnitude.max(own + 0.5 * self.distance(class, row));
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.means.len() * 2
    }
}
