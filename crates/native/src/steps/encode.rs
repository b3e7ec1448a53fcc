//! Categories and intervals: what a text or a number is known as.

use std::collections::HashMap;

use super::{Block, Context};
use crate::container::Array;
use crate::error::{Declined, Flaw};
use crate::head::{FeatureHead, InputKind};

const UNKNOWN: Declined = Declined("a category that the model does not know");

/// In `slots`: no output column.
const NOTHING: i32 = -1;

/// In `slots`: the row is left to Python.
const DECLINED: i32 = -2;

/// One encoded column: finds the number of a cell's category.
struct Feature {
    source: Source,
    count: usize,
}

enum Source {
    Text {
        column: usize,
        known: HashMap<Box<str>, usize>,
    },
    Number {
        from: usize,
        column: usize,
        width: usize,
        /// By the number's bits; NaN and zero have one form each.
        known: HashMap<u64, usize>,
    },
}

fn key(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        (value + 0.0).to_bits()
    }
}

impl Feature {
    fn read(head: &FeatureHead, context: &Context<'_>) -> Result<Self, Flaw> {
        let source = match (head.text, head.from, head.column) {
            (Some(column), None, None) => {
                if context.inputs.get(column) != Some(&InputKind::String) {
                    return Err("a column is no text of the input");
                }
                let texts = context.container.texts(head.known)?;
                let usable = context
                    .container
                    .u8s(head.usable.ok_or("an array is missing")?)?;
                if texts.len() != head.count || usable.len() != head.count {
                    return Err("categories do not fit their number");
                }
                let texts = texts.into_iter().enumerate().zip(usable);
                let known = texts.filter(|(_, usable)| **usable != 0);
                Source::Text {
                    column,
                    known: known
                        .map(|((index, text), _)| (text.into(), index))
                        .collect(),
                }
            }
            (None, Some(from), Some(column)) => {
                let width = *context.sources.get(from).ok_or("a source is missing")?;
                let numbers = context.container.f64s(head.known)?;
                if column >= width || numbers.len() != head.count {
                    return Err("categories do not fit their number");
                }
                let numbers = numbers.into_iter().enumerate();
                Source::Number {
                    from,
                    column,
                    width,
                    known: numbers
                        .map(|(index, number)| (key(number), index))
                        .collect(),
                }
            }
            _ => return Err("a feature comes from nowhere"),
        };
        Ok(Self {
            source,
            count: head.count,
        })
    }

    /// By row of the block, the number of the category; the number of categories where it is unknown.
    fn each<'s>(
        &self,
        block: &Block<'_>,
        source: &dyn Fn(usize) -> &'s [f64],
        mut take: impl FnMut(usize, usize) -> Result<(), Declined>,
    ) -> Result<(), Declined> {
        match &self.source {
            Source::Text { column, known } => {
                for row in 0..block.size {
                    let text = block.rows.text(block.start + row, *column);
                    let text = text.ok_or(Declined("a text that is missing"))?;
                    take(row, known.get(text).copied().unwrap_or(self.count))?;
                }
            }
            Source::Number {
                from,
                column,
                width,
                known,
            } => {
                let cells = source(*from).iter().skip(*column).step_by(*width);
                for (row, value) in cells.enumerate() {
                    take(row, known.get(&key(*value)).copied().unwrap_or(self.count))?;
                }
            }
        }
        Ok(())
    }
}

/// A column for each category.
pub(crate) struct OneHot {
    features: Vec<(Feature, Vec<i32>)>,
    width: usize,
}

impl OneHot {
    pub(crate) fn read(heads: &[FeatureHead], context: &Context<'_>) -> Result<Self, Flaw> {
        let mut features = Vec::with_capacity(heads.len());
        for head in heads {
            let slots = context
                .container
                .i32s(head.slots.ok_or("an array is missing")?)?;
            let fits = |slot: &i32| match usize::try_from(*slot) {
                Ok(slot) => slot < context.width,
                Err(_) => *slot == NOTHING || *slot == DECLINED,
            };
            if slots.len() != head.count + 1 || !slots.iter().all(fits) {
                return Err("slots do not fit its width");
            }
            features.push((Feature::read(head, context)?, slots));
        }
        Ok(Self {
            features,
            width: context.width,
        })
    }

    pub(crate) fn features(&self) -> usize {
        self.features.len()
    }

    pub(crate) fn run<'s>(
        &self,
        block: &Block<'_>,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
    ) -> Result<(), Declined> {
        out.fill(0.0);
        for (feature, slots) in &self.features {
            feature.each(block, source, |row, category| {
                match usize::try_from(slots[category]) {
                    Ok(slot) => out[row * self.width + slot] = 1.0,
                    Err(_) if slots[category] == DECLINED => return Err(UNKNOWN),
                    Err(_) => {}
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// A number for each category.
pub(crate) struct Ordinal {
    features: Vec<(Feature, Vec<f64>, bool)>,
}

impl Ordinal {
    pub(crate) fn read(heads: &[FeatureHead], context: &Context<'_>) -> Result<Self, Flaw> {
        context.has_width(heads.len())?;
        let mut features = Vec::with_capacity(heads.len());
        for head in heads {
            let codes = context
                .container
                .f64s(head.codes.ok_or("an array is missing")?)?;
            if codes.len() != head.count + 1 {
                return Err("codes do not fit the categories");
            }
            features.push((Feature::read(head, context)?, codes, head.declined));
        }
        Ok(Self { features })
    }

    pub(crate) fn features(&self) -> usize {
        self.features.len()
    }

    pub(crate) fn run<'s>(
        &self,
        block: &Block<'_>,
        source: &dyn Fn(usize) -> &'s [f64],
        out: &mut [f64],
    ) -> Result<(), Declined> {
        let width = self.features.len();
        for (place, (feature, codes, declined)) in self.features.iter().enumerate() {
            feature.each(block, source, |row, category| {
                if category == feature.count && *declined {
                    return Err(UNKNOWN);
                }
                out[row * width + place] = codes[category];
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The interval that a number lies in, by the inner edges of its column.
pub(crate) struct Bins {
    edges: Vec<Vec<f64>>,
}

impl Bins {
    pub(crate) fn read(ends: Array, edges: Array, context: &Context<'_>) -> Result<Self, Flaw> {
        let width = context.same_width()?;
        let all = context.container.f64s(edges)?;
        let ends = context.container.ends(ends, all.len())?;
        if ends.len() != width {
            return Err("edges do not fit its width");
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let edges: Vec<Vec<f64>> = starts
            .zip(&ends)
            .map(|(start, end)| all[start..*end].to_vec())
            .collect();
        if !edges.iter().all(|edges| edges.is_sorted()) {
            return Err("edges are out of order");
        }
        Ok(Self { edges })
    }

    pub(crate) fn run(&self, source: &[f64], out: &mut [f64]) {
        let width = self.edges.len();
        for (out, row) in out.chunks_exact_mut(width).zip(source.chunks_exact(width)) {
            for ((out, value), edges) in out.iter_mut().zip(row).zip(&self.edges) {
                *out = edges.partition_point(|edge| edge <= value) as f64;
            }
        }
    }
}
