//! Where decoded cells go: one row-major block when all columns share a type, else one builder per column.
//!
//! Knows columns by their position in the contract; the shapes of payloads are the readers' matter.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, NullArray,
    RecordBatch,
};
use arrow_schema::SchemaRef;
use serde::de::{DeserializeSeed, Deserializer, Error};

use super::cell::{Cell, CellSeed, TextSeed, into_bytes};
use crate::block::DenseBlock;
use crate::contract::CellKind;
use crate::input::Input;

/// Takes the cells of rows, one row after the other, the cells of a row in any order.
///
/// Obligation of the reader: every column exactly once per row, then `end_row`.
pub(crate) trait FrameSink {
    /// Reads one value into `column` of the current row.
    fn cell<'de, D: Deserializer<'de>>(
        &mut self,
        column: usize,
        deserializer: D,
    ) -> Result<(), D::Error>;
    /// Ends the current row.
    fn end_row(&mut self);
    /// The rows as an input; `None` when there are none, or when they do not fit the layout.
    fn finish(self) -> Option<Input>;
}

/// A sink for columns of one type.
pub(crate) struct DenseSink<T> {
    names: Arc<[String]>,
    values: Vec<T>,
    start: usize,
}

impl<T: Cell> DenseSink<T> {
    pub(crate) fn new(names: Arc<[String]>) -> Self {
        let values = vec![T::default(); names.len()];
        Self {
            names,
            values,
            start: 0,
        }
    }
}

impl<T: Cell> FrameSink for DenseSink<T> {
    fn cell<'de, D: Deserializer<'de>>(
        &mut self,
        column: usize,
        deserializer: D,
    ) -> Result<(), D::Error> {
        self.values[self.start + column] = CellSeed(PhantomData).deserialize(deserializer)?;
        Ok(())
    }

    fn end_row(&mut self) {
        self.start = self.values.len();
        self.values
            .resize(self.start + self.names.len(), T::default());
    }

    fn finish(self) -> Option<Input> {
        let mut values = self.values;
        values.truncate(self.start);
        dense_frame(values, self.names)
    }
}

/// Cells row by row as a frame; `None` when there is no row.
pub(crate) fn dense_frame<T: Cell>(cells: Vec<T>, names: Arc<[String]>) -> Option<Input> {
    let width = names.len();
    let rows = cells.len().checked_div(width).filter(|rows| *rows > 0)?;
    let block = DenseBlock::new(T::DTYPE, vec![rows, width], into_bytes(cells)).ok()?;
    Some(Input::Frame(block.with_columns(names)))
}

/// A sink for columns of several types.
pub(crate) struct MixedSink {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
}

enum Column {
    Boolean(Vec<bool>),
    Integer(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Text(StringBuilder),
    /// A type whose values need a cast.
    Cast,
}

impl MixedSink {
    pub(crate) fn new(schema: SchemaRef, kinds: &[CellKind]) -> Self {
        let columns = kinds.iter().map(|kind| Column::of(*kind)).collect();
        Self {
            schema,
            columns,
            rows: 0,
        }
    }
}

impl FrameSink for MixedSink {
    fn cell<'de, D: Deserializer<'de>>(
        &mut self,
        column: usize,
        deserializer: D,
    ) -> Result<(), D::Error> {
        match &mut self.columns[column] {
            Column::Boolean(values) => {
                values.push(CellSeed(PhantomData).deserialize(deserializer)?)
            }
            Column::Integer(values) => {
                values.push(CellSeed(PhantomData).deserialize(deserializer)?)
            }
            Column::Long(values) => values.push(CellSeed(PhantomData).deserialize(deserializer)?),
            Column::Float(values) => values.push(CellSeed(PhantomData).deserialize(deserializer)?),
            Column::Double(values) => values.push(CellSeed(PhantomData).deserialize(deserializer)?),
            Column::Text(values) => TextSeed(values).deserialize(deserializer)?,
            Column::Cast => return Err(D::Error::custom("a type whose values need a cast")),
        }
        Ok(())
    }

    fn end_row(&mut self) {
        self.rows += 1;
    }

    fn finish(self) -> Option<Input> {
        if self.rows == 0 {
            return None;
        }
        let arrays = self.columns.into_iter().map(Column::finish).collect();
        RecordBatch::try_new(self.schema, arrays)
            .ok()
            .map(Input::Batch)
    }
}

impl Column {
    fn of(kind: CellKind) -> Self {
        match kind {
            CellKind::Boolean => Column::Boolean(Vec::new()),
            CellKind::Integer => Column::Integer(Vec::new()),
            CellKind::Long => Column::Long(Vec::new()),
            CellKind::Float => Column::Float(Vec::new()),
            CellKind::Double => Column::Double(Vec::new()),
            CellKind::Text => Column::Text(StringBuilder::new()),
            CellKind::Binary | CellKind::Datetime => Column::Cast,
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Column::Boolean(values) => Arc::new(BooleanArray::from(values)),
            Column::Integer(values) => Arc::new(Int32Array::from(values)),
            Column::Long(values) => Arc::new(Int64Array::from(values)),
            Column::Float(values) => Arc::new(Float32Array::from(values)),
            Column::Double(values) => Arc::new(Float64Array::from(values)),
            Column::Text(mut values) => Arc::new(values.finish()),
            Column::Cast => Arc::new(NullArray::new(0)),
        }
    }
}
