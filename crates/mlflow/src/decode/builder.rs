//! Columns of several types while they are read, row by row.
//!
//! Which values become cells is the readers' matter.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, NullArray,
};

use crate::contract::CellKind;

/// The values of one column so far.
pub(crate) enum ColumnBuilder {
    Boolean(Vec<bool>),
    Integer(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Text(StringBuilder),
    /// A type whose values need a cast, which no quick reader makes.
    Cast,
}

impl ColumnBuilder {
    pub(crate) fn of(kind: CellKind) -> Self {
        match kind {
            CellKind::Boolean => Self::Boolean(Vec::new()),
            CellKind::Integer => Self::Integer(Vec::new()),
            CellKind::Long => Self::Long(Vec::new()),
            CellKind::Float => Self::Float(Vec::new()),
            CellKind::Double => Self::Double(Vec::new()),
            CellKind::Text => Self::Text(StringBuilder::new()),
            CellKind::Binary | CellKind::Datetime => Self::Cast,
        }
    }

    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            Self::Boolean(values) => Arc::new(BooleanArray::from(values)),
            Self::Integer(values) => Arc::new(Int32Array::from(values)),
            Self::Long(values) => Arc::new(Int64Array::from(values)),
            Self::Float(values) => Arc::new(Float32Array::from(values)),
            Self::Double(values) => Arc::new(Float64Array::from(values)),
            Self::Text(mut values) => Arc::new(values.finish()),
            Self::Cast => Arc::new(NullArray::new(0)),
        }
    }
}
