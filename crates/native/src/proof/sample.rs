//! The sample file: sets of rows, and what Python answered to each set, if it did.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow_ipc::reader::StreamReader;
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use serde::Deserialize;
use sluis_mlflow::{Answer, DType, DenseBlock, Input};

use crate::container::{Array, Container};
use crate::error::{Flaw, ProgramError};

/// The layout of inputs, as the contract of the model has it.
#[derive(Clone, Debug)]
pub enum Layout {
    /// Frames of one type.
    Dense {
        /// The type.
        dtype: DType,
        /// Column names; none for a tensor.
        columns: Option<Arc<[String]>>,
    },
    /// Frames of several types.
    Batch(SchemaRef),
    /// Tensors of any shape; by name, where they have names.
    Tensors,
}

#[derive(Deserialize)]
struct Head {
    sets: Vec<Set>,
}

#[derive(Deserialize)]
pub(super) struct Set {
    pub(super) rows: usize,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default)]
    tensors: Vec<TensorHead>,
    pub(super) answer: Option<AnswerHead>,
}

#[derive(Deserialize)]
struct TensorHead {
    name: Option<String>,
    dtype: String,
    shape: Vec<usize>,
    body: Array,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Column {
    Numbers(Array),
    Integers(Array),
    Texts(Array),
}

#[derive(Deserialize)]
pub(super) struct AnswerHead {
    form: Form,
    dtype: Option<String>,
    shape: Option<Vec<usize>>,
    columns: Option<Vec<String>>,
    body: Array,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Dense,
    Json,
    Table,
}

pub(super) struct Sample<'a> {
    pub(super) sets: Vec<Set>,
    container: Container<'a>,
}

impl<'a> Sample<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, ProgramError> {
        let (head, container) = Container::read::<Head>(bytes)?;
        Ok(Self {
            sets: head.sets,
            container,
        })
    }

    /// The rows of a set as the program is asked.
    pub(super) fn input(&self, set: &Set, layout: &Layout) -> Result<Input, Flaw> {
        match layout {
            Layout::Dense { dtype, columns } => {
                let mut cells = Vec::with_capacity(set.columns.len());
                for column in &set.columns {
                    let column = self.cells(column, *dtype)?;
                    if column.len() != set.rows {
                        return Err("a column of the sample is of another length");
                    }
                    cells.push(column);
                }
                let mut bytes = Vec::new();
                for row in 0..set.rows {
                    for column in &cells {
                        bytes.extend_from_slice(&column[row][..dtype.size()]);
                    }
                }
                let shape = vec![set.rows, cells.len()];
                let block = DenseBlock::new(*dtype, shape, bytes.into())
                    .map_err(|_| "the sample does not fit")?;
                Ok(match columns {
                    Some(columns) => Input::Frame(block.with_columns(columns.clone())),
                    None => Input::Tensor(block),
                })
            }
            Layout::Batch(schema) => self.batch(set, schema).map(Input::Batch),
            Layout::Tensors => self.tensors(set),
        }
    }

    fn tensors(&self, set: &Set) -> Result<Input, Flaw> {
        let mut named = Vec::with_capacity(set.tensors.len());
        for head in &set.tensors {
            let body = Bytes::copy_from_slice(self.container.u8s(head.body)?);
            let count: usize = head.shape.iter().product();
            let dtype = match head.dtype.as_str() {
                "str" => Some(DType::Text((body.len() / (4 * count.max(1))) as u32)),
                name => DType::from_name(name),
            };
            let dtype = dtype.ok_or("a tensor of the sample is of another type")?;
            let block = DenseBlock::new(dtype, head.shape.clone(), body)
                .map_err(|_| "a tensor of the sample does not fit")?;
            match &head.name {
                Some(name) => named.push((name.clone(), block)),
                None => return Ok(Input::Tensor(block)),
            }
        }
        Ok(Input::Tensors(named))
    }

    /// The cells of a column as little-endian bytes of that type; integers and doubles fill the first of eight.
    fn cells(&self, column: &Column, dtype: DType) -> Result<Vec<[u8; 8]>, Flaw> {
        Ok(match (column, dtype) {
            (Column::Numbers(array), DType::Float64) => self
                .container
                .f64s(*array)?
                .into_iter()
                .map(f64::to_le_bytes)
                .collect(),
            (Column::Numbers(array), DType::Float32) => {
                let pad = |value: f64| {
                    let [a, b, c, d] = (value as f32).to_le_bytes();
                    [a, b, c, d, 0, 0, 0, 0]
                };
                self.container.f64s(*array)?.into_iter().map(pad).collect()
            }
            (Column::Integers(array), DType::Int64 | DType::Int32 | DType::Bool) => self
                .container
                .i64s(*array)?
                .into_iter()
                .map(i64::to_le_bytes)
                .collect(),
            _ => return Err("a column of the sample is of another type"),
        })
    }

    fn batch(&self, set: &Set, schema: &SchemaRef) -> Result<RecordBatch, Flaw> {
        use arrow_schema::DataType as Type;
        if schema.fields().len() != set.columns.len() {
            return Err("the sample has other columns");
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(set.columns.len());
        for (field, column) in schema.fields().iter().zip(&set.columns) {
            arrays.push(match (column, field.data_type()) {
                (Column::Numbers(array), Type::Float64) => {
                    Arc::new(Float64Array::from(self.container.f64s(*array)?))
                }
                (Column::Numbers(array), Type::Float32) => {
                    let values = self.container.f64s(*array)?.into_iter();
                    Arc::new(
                        values
                            .map(|value| Some(value as f32))
                            .collect::<Float32Array>(),
                    )
                }
                (Column::Integers(array), Type::Int64) => {
                    Arc::new(Int64Array::from(self.container.i64s(*array)?))
                }
                (Column::Integers(array), Type::Int32) => {
                    let values = self.container.i64s(*array)?.into_iter();
                    Arc::new(
                        values
                            .map(|value| Some(value as i32))
                            .collect::<Int32Array>(),
                    )
                }
                (Column::Integers(array), Type::Boolean) => {
                    let values = self.container.i64s(*array)?.into_iter();
                    Arc::new(
                        values
                            .map(|value| Some(value != 0))
                            .collect::<BooleanArray>(),
                    )
                }
                (Column::Texts(array), Type::Utf8) => {
                    Arc::new(StringArray::from(self.container.texts(*array)?))
                }
                _ => return Err("a column of the sample is of another type"),
            });
        }
        let schema: Arc<Schema> = schema.clone();
        RecordBatch::try_new(schema, arrays).map_err(|_| "the sample does not fit")
    }

    /// What Python answered.
    pub(super) fn answer(&self, head: &AnswerHead) -> Result<Answer, Flaw> {
        let body = Bytes::copy_from_slice(self.container.u8s(head.body)?);
        match head.form {
            Form::Json => Ok(Answer::Json(body)),
            Form::Table => {
                let mut batches = StreamReader::try_new(body.as_ref(), None)
                    .map_err(|_| "a table of the sample cannot be read")?;
                match (batches.next(), batches.next()) {
                    (Some(Ok(batch)), None) => Ok(Answer::Batch(batch)),
                    _ => Err("a table of the sample cannot be read"),
                }
            }
            Form::Dense => {
                let dtype = head.dtype.as_deref().and_then(DType::from_name);
                let (Some(dtype), Some(shape)) = (dtype, &head.shape) else {
                    return Err("an answer of the sample has no type");
                };
                let block = DenseBlock::new(dtype, shape.clone(), body)
                    .map_err(|_| "an answer of the sample does not fit")?;
                Ok(Answer::Dense(match &head.columns {
                    Some(columns) => block.with_columns(columns.clone().into()),
                    None => block,
                }))
            }
        }
    }
}

/// How many values an input has.
pub(super) fn numbers(input: &Input) -> usize {
    let values = |block: &DenseBlock| block.shape.iter().product();
    match input {
        Input::Frame(block) | Input::Tensor(block) => values(block),
        Input::Batch(batch) => batch.num_rows() * batch.num_columns(),
        Input::Tensors(tensors) => tensors.iter().map(|(_, block)| values(block)).sum(),
    }
}
