//! Enforced columns as the input that the model gets.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType as ArrowType, Field, Schema};
use bytemuck::NoUninit;
use bytes::Bytes;

use crate::block::{DType, DenseBlock};
use crate::input::{Input, NUMBERED_COLUMNS};

/// The input of these columns, which have `rows` rows each: a dense block where all share a type that it holds, else a
/// batch. Without `names` the columns are numbered. `None` where arrays and rows do not fit each other.
pub(crate) fn assemble(
    names: Option<Arc<[String]>>,
    columns: Vec<(Field, ArrayRef)>,
    rows: usize,
) -> Option<Input> {
    let arrays: Vec<&ArrayRef> = columns.iter().map(|(_, array)| array).collect();
    let plain = columns.iter().all(|(field, _)| field.metadata().is_empty());
    if plain && let Some(block) = block_of(&arrays, rows) {
        return Some(Input::Frame(match names {
            Some(names) => block.with_columns(names),
            None => block,
        }));
    }
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let mut schema = Schema::new(fields);
    if names.is_none() {
        let (key, value) = NUMBERED_COLUMNS;
        schema.metadata = [(key.to_owned(), value.to_owned())].into();
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(schema), arrays, &options)
        .ok()
        .map(Input::Batch)
}

/// The rows of columns that share one type of a dense block and miss nothing.
pub(crate) fn block_of(columns: &[&ArrayRef], rows: usize) -> Option<DenseBlock> {
    let first = columns.first()?;
    let fits = |column: &&ArrayRef| {
        column.data_type() == first.data_type() && column.null_count() == 0 && column.len() == rows
    };
    if !columns.iter().all(fits) {
        return None;
    }
    let (dtype, bytes) = match first.data_type() {
        ArrowType::Boolean => (DType::Bool, booleans(columns, rows)),
        ArrowType::Int32 => (
            DType::Int32,
            rows_of(
                &values(columns, |column| {
                    column.as_primitive::<Int32Type>().values().as_ref()
                }),
                rows,
            ),
        ),
        ArrowType::Int64 => (
            DType::Int64,
            rows_of(
                &values(columns, |column| {
                    column.as_primitive::<Int64Type>().values().as_ref()
                }),
                rows,
            ),
        ),
        ArrowType::Float32 => (
            DType::Float32,
            rows_of(
                &values(columns, |column| {
                    column.as_primitive::<Float32Type>().values().as_ref()
                }),
                rows,
            ),
        ),
        ArrowType::Float64 => (
            DType::Float64,
            rows_of(
                &values(columns, |column| {
                    column.as_primitive::<Float64Type>().values().as_ref()
                }),
                rows,
            ),
        ),
        _ => return None,
    };
    DenseBlock::new(dtype, vec![rows, columns.len()], bytes).ok()
}

fn values<'a, T>(columns: &[&'a ArrayRef], read: impl Fn(&'a ArrayRef) -> &'a [T]) -> Vec<&'a [T]> {
    columns.iter().map(|column| read(column)).collect()
}

fn rows_of<T: NoUninit>(columns: &[&[T]], rows: usize) -> Bytes {
    let mut cells = Vec::with_capacity(columns.len() * rows);
    for row in 0..rows {
        cells.extend(columns.iter().map(|column| column[row]));
    }
    Bytes::copy_from_slice(bytemuck::cast_slice(&cells))
}

fn booleans(columns: &[&ArrayRef], rows: usize) -> Bytes {
    let columns: Vec<_> = columns.iter().map(|column| column.as_boolean()).collect();
    let mut cells = Vec::with_capacity(columns.len() * rows);
    for row in 0..rows {
        cells.extend(columns.iter().map(|column| u8::from(column.value(row))));
    }
    cells.into()
}
