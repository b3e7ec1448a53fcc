//! What an input contract decodes payloads into.
//!
//! Layouts are plain data: no parsing, no payloads.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType as ArrowType, Field, Schema as ArrowSchema, SchemaRef};

use crate::block::DType;

/// The form that decoded payloads take.
#[derive(Clone, Debug)]
pub enum Layout {
    /// A frame of named columns.
    Columns(ColumnLayout),
    /// One unnamed tensor.
    Tensor(TensorLayout),
    /// Several tensors by name, in signature order.
    Tensors(Vec<(String, TensorLayout)>),
    /// Nothing is decoded in Rust: every payload goes to Python as it came.
    Python(PythonReason),
}

/// Why payloads of a model go to Python as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PythonReason {
    /// The model has no input signature, so types follow from each payload as pandas infers them.
    NoSignature,
    /// The signature comes from Python type hints, which only Python can check.
    TypeHint,
    /// Columns or tensors without names.
    UnnamedColumns,
    /// A column that may be absent.
    OptionalColumn {
        /// Its name.
        name: String,
    },
    /// A column of a type that is not a plain scalar.
    ColumnType {
        /// Its name.
        name: String,
        /// Its type, as MLflow writes it.
        ty: String,
    },
    /// Two columns share a name.
    RepeatedColumn {
        /// The name.
        name: String,
    },
    /// A tensor of a type that no dense block holds, or of rank 0.
    Tensor {
        /// Its numpy type name.
        dtype: String,
    },
}

impl fmt::Display for PythonReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PythonReason::NoSignature => formatter.write_str("the model has no input signature"),
            PythonReason::TypeHint => {
                formatter.write_str("the signature comes from Python type hints")
            }
            PythonReason::UnnamedColumns => {
                formatter.write_str("the signature's columns have no names")
            }
            PythonReason::OptionalColumn { name } => {
                write!(formatter, "column '{name}' is optional")
            }
            PythonReason::ColumnType { name, ty } => {
                write!(formatter, "column '{name}' is of type {ty}")
            }
            PythonReason::RepeatedColumn { name } => {
                write!(formatter, "two columns are named '{name}'")
            }
            PythonReason::Tensor { dtype } => write!(formatter, "a tensor is of type {dtype}"),
        }
    }
}

/// The scalar types that Rust decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// `boolean`
    Boolean,
    /// `integer`, 32 bits
    Integer,
    /// `long`, 64 bits
    Long,
    /// `float`, 32 bits
    Float,
    /// `double`, 64 bits
    Double,
    /// `string`
    Text,
}

impl CellKind {
    /// The block type, for the kinds that a dense block holds.
    pub fn dtype(self) -> Option<DType> {
        match self {
            CellKind::Boolean => Some(DType::Bool),
            CellKind::Integer => Some(DType::Int32),
            CellKind::Long => Some(DType::Int64),
            CellKind::Float => Some(DType::Float32),
            CellKind::Double => Some(DType::Float64),
            CellKind::Text => None,
        }
    }

    fn arrow(self) -> ArrowType {
        match self {
            CellKind::Boolean => ArrowType::Boolean,
            CellKind::Integer => ArrowType::Int32,
            CellKind::Long => ArrowType::Int64,
            CellKind::Float => ArrowType::Float32,
            CellKind::Double => ArrowType::Float64,
            CellKind::Text => ArrowType::Utf8,
        }
    }
}

/// Named, required columns of scalar types, in signature order.
#[derive(Clone, Debug)]
pub struct ColumnLayout {
    /// Column names.
    pub names: Arc<[String]>,
    /// Column types, as many as names.
    pub kinds: Vec<CellKind>,
    /// The block type, when all columns share one.
    pub dense: Option<DType>,
    /// The Arrow schema of a frame of several types.
    pub schema: SchemaRef,
    positions: HashMap<String, usize>,
}

impl ColumnLayout {
    /// The layout of these columns; refused when there are none or two share a name.
    pub(crate) fn new(columns: Vec<(String, CellKind)>) -> Result<Self, PythonReason> {
        let mut positions = HashMap::with_capacity(columns.len());
        for (position, (name, _)) in columns.iter().enumerate() {
            if positions.insert(name.clone(), position).is_some() {
                return Err(PythonReason::RepeatedColumn { name: name.clone() });
            }
        }
        let (names, kinds): (Vec<String>, Vec<CellKind>) = columns.into_iter().unzip();
        let first = kinds.first().ok_or(PythonReason::NoSignature)?;
        let dense = first
            .dtype()
            .filter(|_| kinds.iter().all(|kind| kind == first));
        let fields: Vec<Field> = names
            .iter()
            .zip(&kinds)
            .map(|(name, kind)| Field::new(name, kind.arrow(), false))
            .collect();
        Ok(Self {
            names: names.into(),
            dense,
            schema: Arc::new(ArrowSchema::new(fields)),
            kinds,
            positions,
        })
    }

    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Whether any column is text.
    pub(crate) fn has_text(&self) -> bool {
        self.kinds.contains(&CellKind::Text)
    }

    /// Whether all types are those that pandas infers by itself from Python scalars.
    pub(crate) fn survives_inference(&self) -> bool {
        self.kinds
            .iter()
            .all(|kind| matches!(kind, CellKind::Boolean | CellKind::Long | CellKind::Double))
    }
}

/// One tensor: its type, and the extent of each dimension, `None` where it varies.
#[derive(Clone, Debug)]
pub struct TensorLayout {
    /// Element type.
    pub dtype: DType,
    /// Extents.
    pub shape: Vec<Option<usize>>,
}

impl TensorLayout {
    pub(crate) fn new(dtype: &str, shape: &[i64]) -> Result<Self, PythonReason> {
        let refuse = || PythonReason::Tensor {
            dtype: dtype.to_owned(),
        };
        if shape.is_empty() {
            return Err(refuse());
        }
        Ok(Self {
            dtype: DType::from_name(dtype).ok_or_else(refuse)?,
            shape: shape
                .iter()
                .map(|extent| usize::try_from(*extent).ok())
                .collect(),
        })
    }
}
