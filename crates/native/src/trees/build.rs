//! From the arrays of a program to a forest: each index checked, each tree a tree, then laid out for the walk.

use super::bits::Bits;
use super::lanes;
use super::walk::{
    Forest, HAS_CATEGORIES, MISSING_HAS_A_SIDE, Node, RIGHT_IF_MISSING, Real, Sets, ZERO_IS_MISSING,
};
use crate::error::Flaw;
use crate::head::{SplitRule, TreesHead};
use crate::steps::Context;

/// Bits of a node's flags in the file.
const DEFAULT_LEFT: u8 = 1;
const ZERO: u8 = 2;
const NAN: u8 = 4;
const CATEGORIES: u8 = 8;
const SIDED: u8 = 16;

/// A node keeps its column in so many bits.
const MAX_COLUMNS: usize = 1 << 24;

/// The arrays of a program's trees.
struct Source<'a> {
    rule: SplitRule,
    columns: usize,
    feature: Vec<i32>,
    threshold: Vec<f64>,
    left: Vec<i32>,
    right: Vec<i32>,
    flags: &'a [u8],
    slot: Vec<u32>,
    slots: usize,
    sets: usize,
}

/// Reads a forest.
pub(super) fn forest<T: Real, A: Real>(
    head: &TreesHead,
    context: &Context<'_>,
) -> Result<Forest<T, A>, Flaw> {
    let container = context.container;
    let values = container.f64s(head.values)?;
    let base = container.f64s(head.base)?;
    let words = container.u32s(head.words)?;
    let sets = Sets {
        ends: container.ends(head.word_ends, words.len())?,
        words,
        chosen_go_left: head.rule == SplitRule::Le,
    };
    context.has_width(base.len())?;
    if head.span == 0 || head.span > context.width || values.len() % head.span != 0 {
        return Err("values do not fit their span");
    }
    let source = Source {
        rule: head.rule,
        columns: context.only_source()?,
        feature: container.i32s(head.feature)?,
        threshold: container.f64s(head.threshold)?,
        left: container.i32s(head.left)?,
        right: container.i32s(head.right)?,
        flags: container.u8s(head.flags)?,
        slot: container.u32s(head.slot)?,
        slots: values.len() / head.span,
        sets: sets.ends.len(),
    };
    source.check()?;
    let ends = container.ends(head.ends, source.feature.len())?;
    let targets = targets(&container.i64s(head.targets)?, head.span, context.width)?;
    if targets.len() != ends.len() {
        return Err("targets do not fit the trees");
    }
    let mut forest = Forest {
        nodes: Vec::with_capacity(source.feature.len()),
        slots: Vec::with_capacity(source.feature.len()),
        roots: Vec::with_capacity(ends.len()),
        targets,
        values: values.into_iter().map(A::nearest).collect(),
        span: head.span,
        base: base.into_iter().map(A::nearest).collect(),
        divisor: head.divisor.map(A::nearest),
        zero_below: head.zero_below.map(T::nearest),
        columns: source.columns,
        plain: source
            .flags
            .iter()
            .all(|flags| flags & (ZERO | CATEGORIES) == 0),
        sets,
        depths: Vec::with_capacity(ends.len()),
        packed: Vec::new(),
        bits: None,
    };
    let mut start = 0;
    for end in ends {
        source.lay_out(start..end, &mut forest)?;
        start = end;
    }
    forest.packed = lanes::pack(&forest.nodes, forest.columns, forest.plain);
    forest.bits = Bits::of(&forest);
    Ok(forest)
}

fn targets(targets: &[i64], span: usize, outputs: usize) -> Result<Vec<u32>, Flaw> {
    let fits = |target: &i64| {
        let target = usize::try_from(*target).ok()?;
        (target.checked_add(span)? <= outputs).then(|| u32::try_from(target).ok())?
    };
    let targets: Option<Vec<u32>> = targets.iter().map(fits).collect();
    targets.ok_or("a target is not among the outputs")
}

impl Source<'_> {
    fn check(&self) -> Result<(), Flaw> {
        let count = self.feature.len();
        let lengths = [
            self.threshold.len(),
            self.left.len(),
            self.right.len(),
            self.flags.len(),
            self.slot.len(),
        ];
        if lengths.iter().any(|length| *length != count) {
            return Err("its arrays are of different lengths");
        }
        if self.columns > MAX_COLUMNS || u32::try_from(count).is_err() {
            return Err("it is too large");
        }
        Ok(())
    }

    /// Adds one tree, level by level. A node that is met twice is no node of a tree.
    fn lay_out<T: Real, A: Real>(
        &self,
        nodes: std::ops::Range<usize>,
        forest: &mut Forest<T, A>,
    ) -> Result<(), Flaw> {
        let root = forest.nodes.len();
        let count = nodes.len();
        if count == 0 {
            return Err("a tree has no nodes");
        }
        let mut met = vec![false; count];
        met[0] = true;
        // By place in the forest, which node of the file comes there.
        let mut order = vec![0];
        // Nodes of the level that is laid out now, and levels below the root.
        let (mut level_end, mut depth) = (1, 0);
        let mut next = 0;
        while let Some(local) = order.get(next).copied() {
            let node = nodes.start + local;
            let place = root + next;
            if self.feature[node] < 0 {
                if self.slot[node] as usize >= self.slots {
                    return Err("a leaf has no values");
                }
                forest.nodes.push(Node::leaf(place as u32));
                forest.slots.push(self.slot[node]);
            } else {
                let left = (root + order.len()) as u32;
                for child in [self.left[node], self.right[node]] {
                    let child = usize::try_from(child).ok().filter(|child| *child < count);
                    let child = child.ok_or("a child is not in its tree")?;
                    if std::mem::replace(&mut met[child], true) {
                        return Err("a node has two parents");
                    }
                    order.push(child);
                }
                forest.nodes.push(self.split(node, left)?);
                forest.slots.push(0);
            }
            next += 1;
            if next == level_end && next < order.len() {
                level_end = order.len();
                depth += 1;
            }
        }
        forest.depths.push(depth);
        forest.roots.push(root as u32);
        Ok(())
    }

    fn split<T: Real>(&self, node: usize, left: u32) -> Result<Node<T>, Flaw> {
        let feature = self.feature[node] as usize;
        let threshold = self.threshold[node];
        let flags = self.flags[node];
        if feature >= self.columns {
            return Err("a column is not in its source");
        }
        if threshold.is_nan() {
            return Err("a threshold is NaN");
        }
        let mut kind = 0;
        if flags & CATEGORIES != 0 {
            kind |= HAS_CATEGORIES;
            if threshold < 0.0 || threshold.fract() != 0.0 || threshold >= self.sets as f64 {
                return Err("a set of categories is not there");
            }
        }
        if flags & SIDED != 0 {
            kind |= MISSING_HAS_A_SIDE;
        }
        if flags & ZERO != 0 {
            kind |= ZERO_IS_MISSING;
        }
        // Where a missing value is no missing value to the node, it is a zero.
        let missing_right = match flags & (NAN | ZERO) {
            0 if self.rule == SplitRule::Le => 0.0 > threshold,
            0 => 0.0 >= threshold,
            _ => flags & DEFAULT_LEFT == 0,
        };
        if missing_right {
            kind |= RIGHT_IF_MISSING;
        }
        let threshold = match (self.rule, flags & CATEGORIES) {
            (SplitRule::Le, 0) => T::at_most(threshold),
            (SplitRule::Lt, 0) => T::nearest(threshold).below(),
            _ => T::nearest(threshold),
        };
        Ok(Node {
            threshold,
            left,
            split: feature as u32 | (kind << 24),
        })
    }
}
