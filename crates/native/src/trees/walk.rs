//! The walk: rows go down a tree several at a time, so that the processor need not wait for one to begin the next.
//!
//! A node's children lie side by side: the step is `left + (value > threshold)`, without a branch. A leaf is its own left
//! child behind a threshold that nothing passes, so rows that have arrived stay while others go on.

use super::bits::{Bins, Bits};
use super::lanes::{self, Packed};

/// Bits above a node's column.
pub(super) const RIGHT_IF_MISSING: u32 = 1;
pub(super) const ZERO_IS_MISSING: u32 = 2;
pub(super) const HAS_CATEGORIES: u32 = 4;
pub(super) const MISSING_HAS_A_SIDE: u32 = 8;

const COLUMN: u32 = (1 << 24) - 1;

/// Walks at a time: enough to hide the time of a load, few enough for the registers.
const LANES: usize = 8;

/// A number of the precision that trees compare or add in.
pub(crate) trait Real: Copy + PartialOrd + Default + Into<f64> {
    const INFINITY: Self;
    /// The nearest number.
    fn nearest(value: f64) -> Self;
    /// The largest number that is not above.
    fn at_most(value: f64) -> Self;
    /// The next number below.
    fn below(self) -> Self;
    fn add(self, other: Self) -> Self;
    fn divide(self, other: Self) -> Self;
    fn is_missing(self) -> bool;
    fn magnitude(self) -> Self;
}

macro_rules! real {
    ($type:ty, $at_most:expr) => {
        impl Real for $type {
            const INFINITY: Self = <$type>::INFINITY;
            fn nearest(value: f64) -> Self {
                value as $type
            }
            fn at_most(value: f64) -> Self {
                $at_most(value)
            }
            fn below(self) -> Self {
                self.next_down()
            }
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn divide(self, other: Self) -> Self {
                self / other
            }
            fn is_missing(self) -> bool {
                self.is_nan()
            }
            fn magnitude(self) -> Self {
                self.abs()
            }
        }
    };
}

real!(f64, |value| value);
real!(f32, |value: f64| {
    let nearest = value as f32;
    if f64::from(nearest) > value {
        nearest.next_down()
    } else {
        nearest
    }
});

#[derive(Clone, Copy, Debug)]
pub(super) struct Node<T> {
    /// Rows above it go right.
    pub(super) threshold: T,
    /// The left child; the right one follows it.
    pub(super) left: u32,
    /// The column, and the bits above it.
    pub(super) split: u32,
}

impl<T: Real> Node<T> {
    pub(super) fn leaf(place: u32) -> Self {
        Self {
            threshold: T::INFINITY,
            left: place,
            split: 0,
        }
    }

    #[inline(always)]
    pub(super) fn column(&self) -> usize {
        (self.split & COLUMN) as usize
    }

    #[inline(always)]
    fn next(&self, value: T) -> u32 {
        let missing = u32::from(value.is_missing()) & (self.split >> 24);
        self.left + (u32::from(value > self.threshold) | (missing & RIGHT_IF_MISSING))
    }
}

/// Sets of categories, as bits.
pub(super) struct Sets {
    pub(super) ends: Vec<usize>,
    pub(super) words: Vec<u32>,
    pub(super) chosen_go_left: bool,
}

impl Sets {
    /// Whether a row goes right. What is no category is in no set; missing values were looked at before.
    fn go_right(&self, set: usize, value: f64) -> bool {
        let start = if set == 0 { 0 } else { self.ends[set - 1] };
        let words = &self.words[start..self.ends[set]];
        let category = value as i64;
        let chosen = (0..1 << 31).contains(&category)
            && words
                .get((category >> 5) as usize)
                .is_some_and(|word| word >> (category & 31) & 1 != 0);
        chosen != self.chosen_go_left
    }
}

/// What a run writes to on its way.
pub(super) struct Room<'r, T, A> {
    /// Rows in the precision of the trees.
    pub(super) block: &'r mut Vec<T>,
    pub(super) bins: &'r mut Vec<Bins>,
    pub(super) sums: &'r mut Vec<A>,
}

pub(crate) struct Forest<T, A> {
    pub(super) nodes: Vec<Node<T>>,
    /// By node, where the values of a leaf are.
    pub(super) slots: Vec<u32>,
    pub(super) roots: Vec<u32>,
    /// By tree, the first output that it adds to.
    pub(super) targets: Vec<u32>,
    pub(super) values: Vec<A>,
    pub(super) span: usize,
    pub(super) base: Vec<A>,
    pub(super) divisor: Option<A>,
    /// Values as near to zero as this are zero.
    pub(super) zero_below: Option<T>,
    pub(super) columns: usize,
    /// Whether no node asks for categories or takes zero for missing.
    pub(super) plain: bool,
    pub(super) sets: Sets,
    /// By tree, the steps from its root to its lowest leaf.
    pub(super) depths: Vec<u32>,
    /// The nodes once more, for the quick walk; empty where that cannot be taken.
    pub(super) packed: Vec<Packed<T>>,
    /// The trees once more, for the walk by bits, where that can be taken.
    pub(super) bits: Option<Bits<T>>,
}

impl<T: Real, A: Real> Forest<T, A> {
    /// Adds up the trees for each row, in the order of the trees.
    pub(super) fn run(&self, source: &[f64], out: &mut [f64], room: Room<'_, T, A>) {
        let Room { block, bins, sums } = room;
        let outputs = self.base.len();
        let rows = out.len() / outputs;
        sums.clear();
        for _ in 0..rows {
            sums.extend_from_slice(&self.base);
        }
        let width = match self.packed.is_empty() {
            true => self.columns,
            false => lanes::padded(self.columns),
        };
        let missing = self.fill(source, width, block);
        if !self.plain {
            self.walk_with_care(block, sums);
        } else if !self.packed.is_empty() && !missing {
            let done = self.walk_bits(block, width, bins, sums);
            self.walk_lanes(&block[done * width..], width, &mut sums[done * outputs..]);
        } else {
            self.walk_rows(block, width, rows, sums);
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            let sum = match self.divisor {
                Some(divisor) => sum.divide(divisor),
                None => *sum,
            };
            *out = sum.into();
        }
    }

    /// Rows in the precision of the trees, padded to `width` columns; whether a value is missing.
    fn fill(&self, source: &[f64], width: usize, block: &mut Vec<T>) -> bool {
        let mut missing = false;
        block.clear();
        for row in source.chunks_exact(self.columns) {
            for value in row {
                let mut value = T::nearest(*value);
                if let Some(limit) = self.zero_below
                    && value.magnitude() <= limit
                {
                    value = T::default();
                }
                missing |= value.is_missing();
                block.push(value);
            }
            block.resize(block.len() + width - self.columns, T::default());
        }
        missing
    }

    /// Tree after tree, several rows at a time.
    fn walk_rows(&self, block: &[T], width: usize, rows: usize, sums: &mut [A]) {
        let outputs = self.base.len();
        for (root, target) in self.roots.iter().zip(&self.targets) {
            for first in (0..rows).step_by(LANES) {
                let count = LANES.min(rows - first);
                // The last rows may be fewer: the missing lanes follow the last of them.
                let starts: [usize; LANES] =
                    std::array::from_fn(|lane| (first + lane.min(count - 1)) * width);
                let mut at = [*root; LANES];
                loop {
                    let mut moved = 0;
                    for lane in 0..LANES {
                        let node = &self.nodes[at[lane] as usize];
                        let next = node.next(block[starts[lane] + node.column()]);
                        moved |= next ^ at[lane];
                        at[lane] = next;
                    }
                    if moved == 0 {
                        break;
                    }
                }
                for (lane, leaf) in at.iter().take(count).enumerate() {
                    self.add(*leaf, *target, &mut sums[(first + lane) * outputs..]);
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn add(&self, leaf: u32, target: u32, sums: &mut [A]) {
        self.add_slot(self.slots[leaf as usize], target, sums);
    }

    /// Adds the values of a leaf to those of a row.
    #[inline(always)]
    pub(super) fn add_slot(&self, slot: u32, target: u32, sums: &mut [A]) {
        let (slot, target) = (slot as usize, target as usize);
        // Most forests add one number, or one for either of two classes.
        match self.span {
            1 => sums[target] = sums[target].add(self.values[slot]),
            2 => {
                if let (Some([first, second]), Some(values)) = (
                    sums.get_mut(target..target + 2),
                    self.values.get(2 * slot..2 * slot + 2),
                ) {
                    *first = first.add(values[0]);
                    *second = second.add(values[1]);
                }
            }
            span => {
                let values = &self.values[slot * span..(slot + 1) * span];
                for (sum, value) in sums[target..].iter_mut().zip(values) {
                    *sum = sum.add(*value);
                }
            }
        }
    }

    /// One row and one tree at a time, with every kind of node.
    fn walk_with_care(&self, block: &[T], sums: &mut [A]) {
        let rows = block.chunks_exact(self.columns);
        for (row, sums) in rows.zip(sums.chunks_exact_mut(self.base.len())) {
            for (root, target) in self.roots.iter().zip(&self.targets) {
                let mut at = *root;
                loop {
                    let node = &self.nodes[at as usize];
                    let next = self.next_with_care(node, row[node.column()]);
                    if next == at {
                        break;
                    }
                    at = next;
                }
                self.add(at, *target, sums);
            }
        }
    }

    fn next_with_care(&self, node: &Node<T>, value: T) -> u32 {
        let kind = node.split >> 24;
        if kind & HAS_CATEGORIES != 0 {
            let right = if value.is_missing() {
                // lightgbm's sets know no missing value; other nodes say where it goes.
                let sided = !self.sets.chosen_go_left || kind & MISSING_HAS_A_SIDE != 0;
                !sided || kind & RIGHT_IF_MISSING != 0
            } else {
                self.sets
                    .go_right(node.threshold.into() as usize, value.into())
            };
            return node.left + u32::from(right);
        }
        if kind & ZERO_IS_MISSING != 0 && value == T::default() {
            return node.left + (kind & RIGHT_IF_MISSING);
        }
        node.next(value)
    }
}
