//! What a decoded payload is: typed rows or tensors, ready for a scorer.
//!
//! Knows how inputs of several requests are put together into one request batch; knows nothing of who asked.

use arrow_array::{RecordBatch, UInt64Array};
use bytes::{Bytes, BytesMut};

use crate::block::DenseBlock;

/// Metadata of a batch's schema: its columns have no names, but numbers from 0.
pub const NUMBERED_COLUMNS: (&str, &str) = ("sluis.columns", "numbered");

/// Metadata of a batch's field, its key: the model gets a column of Python values. `object`: the values, one by one; `json`:
/// what each text says as JSON; `numpy`: numpy's own scalars.
pub const PYTHON_COLUMN: &str = "sluis.as";

/// Metadata of a batch's field: its values as Python values, one by one.
pub const OBJECT_COLUMN: (&str, &str) = (PYTHON_COLUMN, "object");

/// A payload after decoding and enforcement: exactly what the model's `predict` gets.
#[derive(Clone, Debug)]
pub enum Input {
    /// Rows whose columns all share one type; the block names its columns, or they are numbered from 0.
    Frame(DenseBlock),
    /// Rows of columns of several types; see [`NUMBERED_COLUMNS`] and [`PYTHON_COLUMN`].
    Batch(RecordBatch),
    /// The one tensor of an unnamed tensor signature.
    Tensor(DenseBlock),
    /// The tensors of a named tensor signature, in signature order.
    Tensors(Vec<(String, DenseBlock)>),
}

impl Input {
    /// Rows that this input scores: the extent of the first dimension.
    pub fn rows(&self) -> usize {
        match self {
            Input::Frame(block) | Input::Tensor(block) => block.rows(),
            Input::Batch(batch) => batch.num_rows(),
            Input::Tensors(tensors) => tensors.first().map_or(0, |(_, block)| block.rows()),
        }
    }

    /// Bytes in memory, with what it shares with others.
    pub fn size(&self) -> usize {
        match self {
            Input::Frame(block) | Input::Tensor(block) => block.bytes.len(),
            Input::Batch(batch) => batch.get_array_memory_size(),
            Input::Tensors(tensors) => tensors.iter().map(|(_, block)| block.bytes.len()).sum(),
        }
    }

    /// A copy of some rows, which shares nothing with the others; `None` where there are fewer.
    pub fn copy_rows(&self, start: usize, rows: usize) -> Option<Input> {
        let copy = |block: &DenseBlock| copy_rows(block, start, rows);
        Some(match self {
            Input::Frame(block) => Input::Frame(copy(block)?),
            Input::Tensor(block) => Input::Tensor(copy(block)?),
            Input::Batch(batch) => {
                let end = start
                    .checked_add(rows)
                    .filter(|end| *end <= batch.num_rows())?;
                let wanted = u64::try_from(start).ok()?..u64::try_from(end).ok()?;
                let wanted = UInt64Array::from_iter_values(wanted);
                Input::Batch(arrow_select::take::take_record_batch(batch, &wanted).ok()?)
            }
            Input::Tensors(tensors) => {
                let parts = tensors
                    .iter()
                    .map(|(name, block)| Some((name.clone(), copy(block)?)));
                Input::Tensors(parts.collect::<Option<_>>()?)
            }
        })
    }

    /// Whether the rows of `other` may follow the rows of `self` in one request batch.
    pub fn joins(&self, other: &Input) -> bool {
        match (self, other) {
            (Input::Frame(a), Input::Frame(b)) => same_rows(a, b) && a.columns == b.columns,
            (Input::Tensor(a), Input::Tensor(b)) => same_rows(a, b),
            (Input::Batch(a), Input::Batch(b)) => a.schema() == b.schema(),
            _ => false,
        }
    }

    /// One input that holds the rows of all `parts`, in order.
    ///
    /// Obligation of the caller: `parts` is not empty and every part [`joins`](Self::joins) the first; else `None`.
    pub fn concat(parts: &[&Input]) -> Option<Input> {
        let first = *parts.first()?;
        if !parts.iter().all(|part| first.joins(part)) {
            return None;
        }
        match first {
            Input::Frame(block) => Some(Input::Frame(concat_blocks(block, parts))),
            Input::Tensor(block) => Some(Input::Tensor(concat_blocks(block, parts))),
            Input::Batch(batch) => {
                let batches = parts.iter().filter_map(|part| match part {
                    Input::Batch(batch) => Some(batch),
                    _ => None,
                });
                arrow_select::concat::concat_batches(&batch.schema(), batches)
                    .ok()
                    .map(Input::Batch)
            }
            Input::Tensors(_) => None,
        }
    }
}

fn same_rows(a: &DenseBlock, b: &DenseBlock) -> bool {
    let a_row = a.shape.get(1..);
    a.dtype == b.dtype && a_row.is_some() && a_row == b.shape.get(1..)
}

fn concat_blocks(first: &DenseBlock, parts: &[&Input]) -> DenseBlock {
    let mut bytes = BytesMut::with_capacity(first.bytes.len() * parts.len());
    let mut rows = 0;
    for part in parts {
        if let Input::Frame(block) | Input::Tensor(block) = part {
            bytes.extend_from_slice(&block.bytes);
            rows += block.rows();
        }
    }
    let mut shape = first.shape.clone();
    if let Some(extent) = shape.first_mut() {
        *extent = rows;
    }
    DenseBlock {
        dtype: first.dtype,
        shape,
        bytes: bytes.freeze(),
        columns: first.columns.clone(),
    }
}

/// The rows `start..start + rows` of a block, without copying; `None` when the block has fewer.
pub(crate) fn slice_rows(block: &DenseBlock, start: usize, rows: usize) -> Option<DenseBlock> {
    let all = block.rows();
    if block.shape.is_empty() || start.checked_add(rows)? > all {
        return None;
    }
    let row_bytes = block.bytes.len().checked_div(all).unwrap_or(0);
    let bytes: Bytes = block
        .bytes
        .slice(start * row_bytes..(start + rows) * row_bytes);
    let mut shape = block.shape.clone();
    shape[0] = rows;
    Some(DenseBlock {
        dtype: block.dtype,
        shape,
        bytes,
        columns: block.columns.clone(),
    })
}

/// The same as a copy: the block that they are part of is not kept for them.
pub(crate) fn copy_rows(block: &DenseBlock, start: usize, rows: usize) -> Option<DenseBlock> {
    let mut part = slice_rows(block, start, rows)?;
    part.bytes = Bytes::copy_from_slice(&part.bytes);
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::DType;

    fn frame(values: &[f64], columns: usize) -> Input {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = vec![values.len() / columns, columns];
        let names: Vec<String> = (0..columns).map(|i| format!("c{i}")).collect();
        let block = DenseBlock::new(DType::Float64, shape, bytes.into()).unwrap();
        Input::Frame(block.with_columns(names.into()))
    }

    #[test]
    fn frames_of_one_layout_join_in_order_and_slice_back() {
        let (a, b) = (frame(&[1.0, 2.0], 2), frame(&[3.0, 4.0, 5.0, 6.0], 2));
        let Some(Input::Frame(joined)) = Input::concat(&[&a, &b]) else {
            panic!("frames of one layout join");
        };
        assert_eq!(joined.shape, vec![3, 2]);
        let Input::Frame(second) = &b else { panic!() };
        assert_eq!(slice_rows(&joined, 1, 2).unwrap(), *second);
        assert!(slice_rows(&joined, 2, 2).is_none());
    }

    #[test]
    fn copied_rows_keep_nothing_of_the_others() {
        let Some(Input::Frame(part)) = frame(&[1.0, 2.0, 3.0, 4.0], 2).copy_rows(1, 1) else {
            panic!("there is a second row");
        };
        assert_eq!((part.bytes.len(), part.shape), (16, vec![1, 2]));
        let texts = arrow_array::StringArray::from_iter_values(["a".repeat(1 << 20), "b".into()]);
        let batch = RecordBatch::try_from_iter([("t", std::sync::Arc::new(texts) as _)]).unwrap();
        let part = Input::Batch(batch.clone()).copy_rows(1, 1).unwrap();
        assert_eq!(part.rows(), 1);
        assert!(part.size() < 4096, "{}", part.size());
        assert!(Input::Batch(batch).copy_rows(1, 2).is_none());
    }

    #[test]
    fn frames_of_other_widths_do_not_join() {
        let (a, b) = (frame(&[1.0, 2.0], 2), frame(&[3.0], 1));
        assert!(Input::concat(&[&a, &b]).is_none());
    }
}
