//! The quick walk: for rows without missing values, over at most 256 columns, through trees of plain comparisons.
//!
//! A node is a threshold and one word: the left child above, the column below. Rows are padded to a power of two of columns, so
//! that a column's number needs no check. Everything else takes the walk in `walk`.

use super::walk::{Forest, Node, Real};

/// Columns have so many bits of a node's word.
const COLUMN_BITS: u32 = 8;

/// More nodes do not fit the bits that are left.
const MAX_NODES: usize = 1 << (32 - COLUMN_BITS);

/// Rows at a time through one tree, and trees at a time for one row: enough to hide the time of a load.
const LANES: usize = 16;
const TREES: usize = 8;

/// Steps between two looks at whether all rows have arrived.
const STRIDE: u32 = 6;

#[derive(Clone, Copy)]
pub(super) struct Packed<T> {
    /// Rows above it go right.
    threshold: T,
    word: u32,
}

impl<T: Real> Packed<T> {
    #[inline(always)]
    fn next<const WIDTH: usize>(self, row: &[T; WIDTH]) -> u32 {
        let value = row[self.word as usize & (WIDTH - 1)];
        (self.word >> COLUMN_BITS) + u32::from(value > self.threshold)
    }
}

/// The nodes of a forest for the quick walk; none where one of them does not fit.
pub(super) fn pack<T: Real>(nodes: &[Node<T>], columns: usize, plain: bool) -> Vec<Packed<T>> {
    if !plain || columns > 1 << COLUMN_BITS || nodes.len() >= MAX_NODES {
        return Vec::new();
    }
    let packed = nodes.iter().map(|node| Packed {
        threshold: node.threshold,
        word: (node.left << COLUMN_BITS) | node.column() as u32,
    });
    packed.collect()
}

/// Columns that a row is padded to.
pub(super) fn padded(columns: usize) -> usize {
    columns.next_power_of_two().max(8)
}

impl<T: Real, A: Real> Forest<T, A> {
    /// Adds up the trees for rows that are padded to `width` columns.
    pub(super) fn walk_lanes(&self, block: &[T], width: usize, sums: &mut [A]) {
        match width {
            8 => self.lanes::<8>(block, sums),
            16 => self.lanes::<16>(block, sums),
            32 => self.lanes::<32>(block, sums),
            64 => self.lanes::<64>(block, sums),
            128 => self.lanes::<128>(block, sums),
            _ => self.lanes::<256>(block, sums),
        }
    }

    fn lanes<const WIDTH: usize>(&self, block: &[T], sums: &mut [A]) {
        let (rows, _) = block.as_chunks::<WIDTH>();
        if rows.len() < LANES / 4 {
            for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(self.base.len())) {
                self.trees_of_row(row, sums);
            }
            return;
        }
        for tree in 0..self.roots.len() {
            let mut first = 0;
            while let Some(lanes) = rows
                .get(first..)
                .and_then(|rows| rows.first_chunk::<LANES>())
            {
                let at = self.descend(tree, lanes);
                self.add_lanes(tree, first, &at, sums);
                first += LANES;
            }
            if let Some(last) = rows.len().checked_sub(1).filter(|last| first <= *last) {
                // Fewer rows than lanes: those without a row of their own follow the last one.
                let lanes: [[T; WIDTH]; LANES] =
                    std::array::from_fn(|lane| rows[(first + lane).min(last)]);
                let at = self.descend(tree, &lanes);
                self.add_lanes(tree, first, &at[..rows.len() - first], sums);
            }
        }
    }

    /// The leaves that rows come to.
    #[inline(always)]
    fn descend<const WIDTH: usize>(&self, tree: usize, rows: &[[T; WIDTH]; LANES]) -> [u32; LANES] {
        let nodes = self.packed.as_slice();
        let mut at = [self.roots[tree]; LANES];
        let mut left = self.depths[tree];
        while left > 0 {
            let steps = left.min(STRIDE);
            for _ in 1..steps {
                for (at, row) in at.iter_mut().zip(rows) {
                    *at = nodes[*at as usize].next(row);
                }
            }
            let mut moved = 0;
            for (at, row) in at.iter_mut().zip(rows) {
                let next = nodes[*at as usize].next(row);
                moved |= next ^ *at;
                *at = next;
            }
            if moved == 0 {
                break;
            }
            left -= steps;
        }
        at
    }

    #[inline(always)]
    fn add_lanes(&self, tree: usize, first: usize, leaves: &[u32], sums: &mut [A]) {
        let outputs = self.base.len();
        let target = self.targets[tree];
        for (leaf, sums) in leaves
            .iter()
            .zip(sums[first * outputs..].chunks_exact_mut(outputs))
        {
            self.add(*leaf, target, sums);
        }
    }

    /// One row, several trees at a time.
    fn trees_of_row<const WIDTH: usize>(&self, row: &[T; WIDTH], sums: &mut [A]) {
        let nodes = self.packed.as_slice();
        let trees = self.roots.chunks(TREES).zip(self.targets.chunks(TREES));
        for ((roots, targets), depths) in trees.zip(self.depths.chunks(TREES)) {
            let mut at: [u32; TREES] = std::array::from_fn(|lane| roots[lane.min(roots.len() - 1)]);
            let mut left = depths.iter().copied().max().unwrap_or(0);
            while left > 0 {
                let before = at;
                for _ in 0..left.min(STRIDE) {
                    for at in &mut at {
                        *at = nodes[*at as usize].next(row);
                    }
                }
                if at == before {
                    break;
                }
                left = left.saturating_sub(STRIDE);
            }
            for (leaf, target) in at.iter().zip(targets) {
                self.add(*leaf, *target, sums);
            }
        }
    }
}
