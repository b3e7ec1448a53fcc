//! Where decoded cells go: one row-major block when all columns share a type, else one builder per column.
//!
//! Knows columns by their position in the contract; the shapes of payloads are the readers' matter.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::de::{DeserializeSeed, Deserializer, Error};

use super::builder::ColumnBuilder;
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
    columns: Vec<ColumnBuilder>,
    rows: usize,
}

impl MixedSink {
    pub(crate) fn new(schema: SchemaRef, kinds: &[CellKind]) -> Self {
        let columns = kinds.iter().map(|kind| ColumnBuilder::of(*kind)).collect();
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
            ColumnBuilder::Boolean(values) => {
                values.push(CellSeed(PhantomData).deserialize(deserializer)?)
            }
            ColumnBuilder::Integer(values) => {
                values.push(CellSeed(PhantomData).deserialize(deserializer)?)
            }
            ColumnBuilder::Long(values) => {
                values.push(CellSeed(PhantomData).deserialize(deserializer)?)
            }
            ColumnBuilder::Float(values) => {
                values.push(CellSeed(PhantomData).deserialize(deserializer)?)
            }
            ColumnBuilder::Double(values) => {
                values.push(CellSeed(PhantomData).deserialize(deserializer)?)
            }
            ColumnBuilder::Text(values) => TextSeed(values).deserialize(deserializer)?,
            ColumnBuilder::Cast => return Err(D::Error::custom("a type whose values need a cast")),
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
        let arrays = self
            .columns
            .into_iter()
            .map(ColumnBuilder::finish)
            .collect();
        RecordBatch::try_new(self.schema, arrays)
            .ok()
            .map(Input::Batch)
    }
}
