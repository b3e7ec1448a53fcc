//! The rows of an input, column by column, whatever form they came in.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray,
};
use arrow_schema::DataType;
use sluis_mlflow::{DType, DenseBlock, Input};

use crate::error::Declined;
use crate::head::InputKind;

/// Larger integers are not all doubles.
const EXACT: u64 = 1 << 53;

/// An input whose layout is that of the program.
pub(crate) enum Rows<'a> {
    Dense {
        block: &'a DenseBlock,
        width: usize,
    },
    Columns {
        columns: Vec<Column<'a>>,
        rows: usize,
    },
}

pub(crate) enum Column<'a> {
    Boolean(&'a BooleanArray),
    Integer(&'a Int32Array),
    Long(&'a Int64Array),
    Float(&'a Float32Array),
    Double(&'a Float64Array),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
}

impl<'a> Rows<'a> {
    /// The rows, unless they are of another layout than the program's inputs.
    pub(crate) fn of(input: &'a Input, kinds: &[InputKind]) -> Result<Self, Declined> {
        match input {
            Input::Frame(block) | Input::Tensor(block) => dense(block, kinds),
            Input::Batch(batch) => columns(batch, kinds),
            Input::Tensors(_) => Err(Declined("several tensors")),
        }
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Rows::Dense { block, .. } => block.rows(),
            Rows::Columns { rows, .. } => *rows,
        }
    }

    /// Writes the rows `start..start + rows` of some columns, row after row, as doubles.
    pub(crate) fn fill(
        &self,
        picked: &[usize],
        start: usize,
        rows: usize,
        out: &mut [f64],
    ) -> Result<(), Declined> {
        match self {
            Rows::Dense { block, width } => {
                fill_dense(block, *width, picked, start..start + rows, out)
            }
            Rows::Columns { columns, .. } => {
                let width = picked.len();
                for (place, column) in picked.iter().enumerate() {
                    let out = out.iter_mut().skip(place).step_by(width);
                    columns[*column].fill(start, out.take(rows))?;
                }
                Ok(())
            }
        }
    }

    /// The text of a cell; the column is one of text.
    pub(crate) fn text(&self, row: usize, column: usize) -> Option<&'a str> {
        let Rows::Columns { columns, .. } = self else {
            return None;
        };
        match columns.get(column)? {
            Column::Text(array) => array.is_valid(row).then(|| array.value(row)),
            Column::LargeText(array) => array.is_valid(row).then(|| array.value(row)),
            _ => None,
        }
    }
}

fn dense<'a>(block: &'a DenseBlock, kinds: &[InputKind]) -> Result<Rows<'a>, Declined> {
    let [_, width] = block.shape[..] else {
        return Err(Declined("an input of another rank"));
    };
    let dtype = match kinds.first() {
        Some(InputKind::Boolean) => DType::Bool,
        Some(InputKind::Integer) => DType::Int32,
        Some(InputKind::Long) => DType::Int64,
        Some(InputKind::Float) => DType::Float32,
        Some(InputKind::Double) => DType::Float64,
        Some(InputKind::String) | None => return Err(Declined("an input of another type")),
    };
    if width != kinds.len() || block.dtype != dtype || kinds.iter().any(|kind| *kind != kinds[0]) {
        return Err(Declined("an input of another layout"));
    }
    Ok(Rows::Dense { block, width })
}

fn columns<'a>(batch: &'a RecordBatch, kinds: &[InputKind]) -> Result<Rows<'a>, Declined> {
    if batch.num_columns() != kinds.len() {
        return Err(Declined("an input of another layout"));
    }
    let mut columns = Vec::with_capacity(kinds.len());
    for (array, kind) in batch.columns().iter().zip(kinds) {
        if array.null_count() > 0 {
            return Err(Declined("a missing value that is no NaN"));
        }
        columns.push(match (array.data_type(), kind) {
            (DataType::Boolean, InputKind::Boolean) => Column::Boolean(array.as_boolean()),
            (DataType::Int32, InputKind::Integer) => {
                Column::Integer(array.as_primitive::<Int32Type>())
            }
            (DataType::Int64, InputKind::Long) => Column::Long(array.as_primitive::<Int64Type>()),
            (DataType::Float32, InputKind::Float) => {
                Column::Float(array.as_primitive::<Float32Type>())
            }
            (DataType::Float64, InputKind::Double) => {
                Column::Double(array.as_primitive::<Float64Type>())
            }
            (DataType::Utf8, InputKind::String) => Column::Text(array.as_string()),
            (DataType::LargeUtf8, InputKind::String) => Column::LargeText(array.as_string()),
            _ => return Err(Declined("a column of another type")),
        });
    }
    let rows = batch.num_rows();
    Ok(Rows::Columns { columns, rows })
}

fn fill_dense(
    block: &DenseBlock,
    width: usize,
    picked: &[usize],
    rows: std::ops::Range<usize>,
    out: &mut [f64],
) -> Result<(), Declined> {
    let size = block.dtype.size() * width;
    let bytes = &block.bytes[rows.start * size..rows.end * size];
    match block.dtype {
        DType::Float64 => gather::<8>(bytes, width, picked, out, |cell| {
            Ok(f64::from_le_bytes(cell))
        }),
        DType::Float32 => gather::<4>(bytes, width, picked, out, |cell| {
            Ok(f32::from_le_bytes(cell).into())
        }),
        DType::Int64 => gather::<8>(bytes, width, picked, out, |cell| {
            long(i64::from_le_bytes(cell))
        }),
        DType::Int32 => gather::<4>(bytes, width, picked, out, |cell| {
            Ok(i32::from_le_bytes(cell).into())
        }),
        DType::Bool => gather::<1>(bytes, width, picked, out, |cell| {
            Ok(if cell[0] == 0 { 0.0 } else { 1.0 })
        }),
        _ => Err(Declined("an input of another type")),
    }
}

fn gather<const SIZE: usize>(
    bytes: &[u8],
    width: usize,
    picked: &[usize],
    out: &mut [f64],
    read: impl Fn([u8; SIZE]) -> Result<f64, Declined>,
) -> Result<(), Declined> {
    let (cells, _) = bytes.as_chunks::<SIZE>();
    if picked.len() == width
        && picked
            .iter()
            .enumerate()
            .all(|(place, column)| place == *column)
    {
        for (out, cell) in out.iter_mut().zip(cells) {
            *out = read(*cell)?;
        }
        return Ok(());
    }
    for (out, row) in out
        .chunks_exact_mut(picked.len())
        .zip(cells.chunks_exact(width))
    {
        for (out, column) in out.iter_mut().zip(picked) {
            *out = read(row[*column])?;
        }
    }
    Ok(())
}

fn long(value: i64) -> Result<f64, Declined> {
    if value.unsigned_abs() > EXACT {
        return Err(Declined("an integer beyond 2^53"));
    }
    Ok(value as f64)
}

impl Column<'_> {
    fn fill<'o>(
        &self,
        start: usize,
        out: impl Iterator<Item = &'o mut f64>,
    ) -> Result<(), Declined> {
        for (row, out) in (start..).zip(out) {
            *out = match self {
                Column::Boolean(array) => f64::from(u8::from(array.value(row))),
                Column::Integer(array) => array.value(row).into(),
                Column::Long(array) => long(array.value(row))?,
                Column::Float(array) => array.value(row).into(),
                Column::Double(array) => array.value(row),
                Column::Text(_) | Column::LargeText(_) => {
                    return Err(Declined("a text for a number"));
                }
            };
        }
        Ok(())
    }
}
