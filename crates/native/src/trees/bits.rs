//! The walk by bits: many rows at once through trees of at most 64 leaves, without missing values, without walking.
//!
//! A value is first replaced by its bin: how many of its column's thresholds, over all trees, it lies above. A node then
//! compares one byte a row, which a vector unit does for many rows in an instruction. Each row has a bit for each leaf
//! of a tree. A node that sends it right clears those of the leaves on its left; the first bit that is left is its leaf.

use super::walk::{Forest, Node, Real};

/// Rows at a time.
pub(crate) const ROWS: usize = 64;

/// Leaves that a tree may have, and bits of a byte.
const LEAVES: usize = 64;
const BITS: usize = 8;

/// Thresholds that a column may have, so that a bin is a byte.
const MAX_CUTS: usize = 255;

/// The bins of rows in one column, moved so that they compare as signed bytes.
pub(crate) type Bins = [i8; ROWS];

/// Clears bits of the rows that lie above a threshold.
#[derive(Clone, Copy)]
struct Clearing {
    column: u16,
    /// Where the threshold is among its column's, moved as bins are.
    cut: i8,
    /// Which eight leaves, and which of them.
    plane: u8,
    bits: u8,
}

struct Tree {
    /// Where its clearings end.
    end: usize,
    planes: usize,
    /// By leaf from left to right, where its values are.
    slots: [u32; LEAVES],
}

/// A forest for the walk by bits.
pub(super) struct Bits<T> {
    /// By column, the thresholds, ascending.
    cuts: Vec<Vec<T>>,
    clearings: Vec<Clearing>,
    trees: Vec<Tree>,
}

impl<T: Real> Bits<T> {
    /// None where a tree has too many leaves, or a column too many thresholds.
    pub(super) fn of<A>(forest: &Forest<T, A>) -> Option<Self> {
        if !forest.plain || forest.columns > usize::from(u16::MAX) {
            return None;
        }
        let is_leaf = |place: usize, node: &Node<T>| node.left as usize == place;
        let mut cuts: Vec<Vec<T>> = vec![Vec::new(); forest.columns];
        for (place, node) in forest.nodes.iter().enumerate() {
            if !is_leaf(place, node) {
                cuts[node.column()].push(node.threshold);
            }
        }
        for cuts in &mut cuts {
            cuts.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
            cuts.dedup_by(|one, other| one == other);
            if cuts.len() > MAX_CUTS {
                return None;
            }
        }
        let mut bits = Self {
            cuts,
            clearings: Vec::new(),
            trees: Vec::with_capacity(forest.roots.len()),
        };
        let ends = forest.roots.iter().skip(1).map(|root| *root as usize);
        let ends = ends.chain([forest.nodes.len()]);
        for (root, end) in forest.roots.iter().zip(ends) {
            // So many nodes have at most so many leaves.
            if end - *root as usize >= 2 * LEAVES {
                return None;
            }
            let (mut leaves, mut slots) = (0, [0; LEAVES]);
            bits.add(forest, *root, &mut leaves, &mut slots);
            bits.trees.push(Tree {
                end: bits.clearings.len(),
                planes: leaves.div_ceil(BITS),
                slots,
            });
        }
        Some(bits)
    }

    /// Adds what is below a node, from left to right.
    fn add<A>(
        &mut self,
        forest: &Forest<T, A>,
        place: u32,
        leaves: &mut usize,
        slots: &mut [u32; LEAVES],
    ) {
        let node = &forest.nodes[place as usize];
        if node.left == place {
            slots[*leaves] = forest.slots[place as usize];
            *leaves += 1;
            return;
        }
        let first = *leaves;
        self.add(forest, node.left, leaves, slots);
        let column = node.column();
        let cut = self.cuts[column].partition_point(|cut| *cut < node.threshold);
        for plane in first / BITS..leaves.div_ceil(BITS) {
            let start = first.saturating_sub(plane * BITS);
            let end = (*leaves - plane * BITS).min(BITS);
            self.clearings.push(Clearing {
                column: column as u16,
                cut: moved(cut),
                plane: plane as u8,
                bits: ((1_u16 << end) - (1_u16 << start)) as u8,
            });
        }
        self.add(forest, node.left + 1, leaves, slots);
    }

    /// The bins of `ROWS` rows of `width` values.
    fn fill(&self, rows: &[T], width: usize, bins: &mut Vec<Bins>) {
        bins.clear();
        for (column, cuts) in self.cuts.iter().enumerate() {
            let mut of_column = [0; ROWS];
            if !cuts.is_empty() {
                let values = rows.iter().skip(column).step_by(width);
                for (bin, value) in of_column.iter_mut().zip(values) {
                    *bin = moved(cuts.partition_point(|cut| *value > *cut));
                }
            }
            bins.push(of_column);
        }
    }
}

/// A byte as a signed one of the same order.
fn moved(bin: usize) -> i8 {
    (bin as u8 ^ 0x80).cast_signed()
}

impl<T: Real, A: Real> Forest<T, A> {
    /// Adds up the trees for as many rows as fill groups, where trees can be taken by bits; the number of these rows.
    pub(super) fn walk_bits(
        &self,
        block: &[T],
        width: usize,
        bins: &mut Vec<Bins>,
        sums: &mut [A],
    ) -> usize {
        let Some(bits) = &self.bits else {
            return 0;
        };
        let mut rows = 0;
        let groups = sums.chunks_exact_mut(ROWS * self.base.len());
        for (sums, group) in groups.zip(block.chunks_exact(ROWS * width)) {
            bits.fill(group, width, bins);
            let mut start = 0;
            for (tree, target) in bits.trees.iter().zip(&self.targets) {
                let (first, before) = leaves(tree.planes, &bits.clearings[start..tree.end], bins);
                start = tree.end;
                let rows = sums.chunks_exact_mut(self.base.len());
                for ((first, before), sums) in first.iter().zip(before).zip(rows) {
                    let leaf = usize::from(before) + first.trailing_zeros() as usize;
                    let slot = tree.slots[leaf % LEAVES];
                    self.add_slot(slot, *target, sums);
                }
            }
            rows += ROWS;
        }
        rows
    }
}

/// By row, the first byte of its bits that has one, and how many leaves come before.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn leaves(planes_used: usize, clearings: &[Clearing], bins: &[Bins]) -> ([u8; ROWS], [u8; ROWS]) {
    let mut planes = [[u8::MAX; ROWS]; LEAVES / BITS];
    for clearing in clearings {
        let bins = &bins[usize::from(clearing.column)];
        let plane = &mut planes[usize::from(clearing.plane) % (LEAVES / BITS)];
        for (bits, bin) in plane.iter_mut().zip(bins) {
            let above = if *bin > clearing.cut { u8::MAX } else { 0 };
            *bits &= !(above & clearing.bits);
        }
    }
    let (mut first, mut before) = ([0_u8; ROWS], [0_u8; ROWS]);
    for (plane, bits) in planes[..planes_used].iter().enumerate().rev() {
        let place = (plane * BITS) as u8;
        for row in 0..ROWS {
            let none = u8::from(bits[row] == 0).wrapping_neg();
            first[row] = bits[row] | first[row] & none;
            before[row] = place & !none | before[row] & none;
        }
    }
    (first, before)
}

#[cfg(test)]
mod tests {
    use super::super::lanes;
    use super::super::walk::Sets;
    use super::*;

    const COLUMNS: usize = 5;

    /// A forest of random trees, whose leaves hold their numbers.
    fn forest(trees: usize, splits: usize, draw: &mut impl FnMut(u64) -> u64) -> Forest<f64, f64> {
        let mut forest = Forest {
            nodes: Vec::new(),
            slots: Vec::new(),
            roots: Vec::new(),
            targets: vec![0; trees],
            values: Vec::new(),
            span: 1,
            base: vec![0.5],
            divisor: None,
            zero_below: None,
            columns: COLUMNS,
            plain: true,
            sets: Sets {
                ends: Vec::new(),
                words: Vec::new(),
                chosen_go_left: true,
            },
            depths: Vec::new(),
            packed: Vec::new(),
            bits: None,
        };
        for _ in 0..trees {
            let root = forest.nodes.len();
            forest.roots.push(root as u32);
            forest.nodes.push(Node::leaf(root as u32));
            for _ in 0..splits {
                let grown = forest.nodes.len();
                let leaves: Vec<usize> = (root..grown)
                    .filter(|place| forest.nodes[*place].left as usize == *place)
                    .collect();
                let leaf = leaves[draw(leaves.len() as u64) as usize];
                forest.nodes[leaf] = Node {
                    threshold: draw(40) as f64 / 4.0,
                    left: grown as u32,
                    split: draw(COLUMNS as u64) as u32,
                };
                forest.nodes.push(Node::leaf(grown as u32));
                forest.nodes.push(Node::leaf(grown as u32 + 1));
            }
            forest.depths.push(splits as u32);
        }
        forest.slots = (0..forest.nodes.len() as u32).collect();
        forest.values = forest.slots.iter().map(|slot| f64::from(*slot)).collect();
        forest.packed = lanes::pack(&forest.nodes, COLUMNS, true);
        forest.bits = Bits::of(&forest);
        forest
    }

    #[test]
    fn bits_and_lanes_find_the_same_leaves() {
        let mut state = 3_u64;
        let mut draw = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for splits in [0, 1, 7, 8, 30, 63] {
            let forest = forest(9, splits, &mut draw);
            let width = lanes::padded(COLUMNS);
            // On thresholds, between them, and beyond.
            let block: Vec<f64> = (0..3 * ROWS * width)
                .map(|_| draw(90) as f64 / 8.0 - 0.5)
                .collect();
            let (mut one, mut other) = (vec![0.5; 3 * ROWS], vec![0.5; 3 * ROWS]);
            let done = forest.walk_bits(&block, width, &mut Vec::new(), &mut one);
            assert_eq!(done, 3 * ROWS, "{splits} splits");
            forest.walk_lanes(&block, width, &mut other);
            assert_eq!(one, other, "{splits} splits");
        }
        assert!(forest(1, 64, &mut draw).bits.is_none(), "65 leaves");
    }
}
