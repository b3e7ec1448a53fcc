//! Tensors as the columns of a frame: one input per column, or one input for all of them.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, make_array};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{Field, Schema};

use super::data::Data;
use super::datatype::Datatype;
use super::request::Tensor;
use crate::block::DenseBlock;
use crate::model::{ColumnSpec, DataType};
use crate::refusal::Refusal;

/// The columns of a request.
#[derive(Debug)]
pub(crate) enum Frame {
    /// One input for each column: the first extent counts rows, further ones belong to a row.
    Columns(Vec<Tensor>),
    /// One input of rows and columns, whose columns are those of the signature in order.
    Matrix(Tensor),
}

impl Tensor {
    /// The tensor as a block, where it is one of numbers that a block holds.
    pub(crate) fn block(&self) -> Option<DenseBlock> {
        match &self.data {
            Data::Fixed(bytes) => {
                DenseBlock::new(self.datatype.block()?, self.shape.clone(), bytes.clone()).ok()
            }
            Data::Bytes(_) => None,
        }
    }

    /// The extent of the first dimension.
    pub(crate) fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The extents of one row; `[n, 1]` is a column of `n` single values.
    pub(crate) fn row_shape(&self) -> &[usize] {
        match self.shape.get(1..) {
            Some([1]) | None => &[],
            Some(inner) => inner,
        }
    }
}

impl Frame {
    /// The frame of a request for these columns; without columns every input is one.
    pub(crate) fn of(mut inputs: Vec<Tensor>, columns: &[ColumnSpec]) -> Result<Self, Refusal> {
        if let [input] = inputs.as_slice()
            && let [_, width] = input.shape[..]
            && !columns.is_empty()
            && (columns.iter()).all(|column| column.name.as_deref() != Some(&input.name))
        {
            if width != columns.len() {
                return Err(Refusal::schema(format!(
                    "Input '{}' is none of the model's columns, and as a matrix of all of them it has {width} columns where \
                     the signature has {}: {}.",
                    input.name,
                    columns.len(),
                    names(columns)
                )));
            }
            return Ok(Frame::Matrix(inputs.swap_remove(0)));
        }
        let rows = inputs.first().map_or(0, Tensor::rows);
        for input in &inputs {
            if input.shape.is_empty() {
                return Err(Refusal::schema(format!(
                    "Input '{}' has no dimensions; a column has the shape [rows] or [rows, 1].",
                    input.name
                )));
            }
            if input.rows() != rows {
                return Err(Refusal::schema(format!(
                    "The inputs differ in rows: '{}' has {rows}, '{}' has {}.",
                    inputs[0].name,
                    input.name,
                    input.rows()
                )));
            }
        }
        Ok(Frame::Columns(inputs))
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Frame::Columns(columns) => columns.first().map_or(0, Tensor::rows),
            Frame::Matrix(matrix) => matrix.rows(),
        }
    }

    /// The frame as typed columns; `None` where a column has no type of its own in the protocol, or no single values.
    pub(crate) fn batch(&self, specs: &[ColumnSpec]) -> Option<RecordBatch> {
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        match self {
            Frame::Columns(columns) => {
                for column in columns {
                    if !column.row_shape().is_empty() {
                        return None;
                    }
                    let spec = specs
                        .iter()
                        .find(|spec| spec.name.as_deref() == Some(&column.name));
                    let array = array(column.datatype, &column.data, spec)?;
                    fields.push(Field::new(&column.name, array.data_type().clone(), false));
                    arrays.push(array);
                }
            }
            Frame::Matrix(matrix) => {
                for (index, spec) in specs.iter().enumerate() {
                    let data = matrix.column(index);
                    let array = array(matrix.datatype, &data, Some(spec))?;
                    let name = spec.name.clone().unwrap_or_else(|| index.to_string());
                    fields.push(Field::new(name, array.data_type().clone(), false));
                    arrays.push(array);
                }
            }
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).ok()
    }
}

fn names(columns: &[ColumnSpec]) -> String {
    let names: Vec<&str> = columns
        .iter()
        .take(20)
        .map(|column| column.name.as_deref().unwrap_or("(unnamed)"))
        .collect();
    names.join(", ")
}

impl Tensor {
    /// One column of a matrix.
    pub(crate) fn column(&self, index: usize) -> Data {
        let width = self.shape.get(1).copied().unwrap_or(1);
        match (&self.data, self.datatype.size()) {
            (Data::Fixed(bytes), Some(1)) => strided::<1>(bytes, index, width),
            (Data::Fixed(bytes), Some(2)) => strided::<2>(bytes, index, width),
            (Data::Fixed(bytes), Some(4)) => strided::<4>(bytes, index, width),
            (Data::Fixed(bytes), _) => strided::<8>(bytes, index, width),
            (Data::Bytes(elements), _) => {
                let column = elements.iter().skip(index).step_by(width.max(1));
                Data::Bytes(column.collect())
            }
        }
    }
}

fn strided<const SIZE: usize>(bytes: &[u8], index: usize, width: usize) -> Data {
    let (cells, _) = bytes.as_chunks::<SIZE>();
    let mut column = Vec::with_capacity(bytes.len() / width.max(1));
    for cell in cells.iter().skip(index).step_by(width.max(1)) {
        column.extend_from_slice(cell);
    }
    Data::Fixed(column.into())
}

/// The column of a frame; `None` where texts stand for what the protocol has no type for, or are no texts.
fn array(datatype: Datatype, data: &Data, spec: Option<&ColumnSpec>) -> Option<ArrayRef> {
    match data {
        Data::Bytes(elements) => match spec.map(|spec| &spec.ty) {
            Some(DataType::Binary) => Some(Arc::new(elements.clone())),
            Some(DataType::Datetime) => None,
            Some(ty) if !ty.is_scalar() => None,
            _ => match Data::first_that_is_no_text(elements) {
                None => StringArray::try_from_binary(elements.clone())
                    .ok()
                    .map(|texts| Arc::new(texts) as ArrayRef),
                Some(_) => None,
            },
        },
        Data::Fixed(bytes) if datatype == Datatype::Bool => {
            let values = bytes.iter().map(|byte| Some(*byte != 0));
            Some(Arc::new(values.collect::<BooleanArray>()))
        }
        Data::Fixed(bytes) => {
            let rows = bytes.len() / datatype.size()?;
            let data = ArrayData::builder(datatype.arrow())
                .len(rows)
                .add_buffer(Buffer::from(bytes.clone()))
                .align_buffers(true)
                .build();
            data.ok().map(make_array)
        }
    }
}
