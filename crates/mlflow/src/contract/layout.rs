//! What an input contract decodes payloads into.
//!
//! Layouts are plain data: no parsing, no payloads.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType as ArrowType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};

use crate::block::DType;

/// The form that decoded payloads take.
#[derive(Clone, Debug)]
pub enum Layout {
    /// A frame of columns.
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
    /// Several tensors, some without a name, or columns of which only some have one.
    UnnamedColumns,
    /// A column whose name is a number in the signature, which no text in a payload equals.
    NumberedColumn {
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
                formatter.write_str("some of the signature's inputs have no name")
            }
            PythonReason::NumberedColumn { name } => {
                write!(formatter, "the name of column {name} is a number")
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// `binary`
    Binary,
    /// `datetime`: a moment in nanoseconds, without a zone
    Datetime,
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
            CellKind::Text | CellKind::Binary | CellKind::Datetime => None,
        }
    }

    /// MLflow's name of the type, as signatures write it.
    pub fn name(self) -> &'static str {
        match self {
            CellKind::Boolean => "boolean",
            CellKind::Integer => "integer",
            CellKind::Long => "long",
            CellKind::Float => "float",
            CellKind::Double => "double",
            CellKind::Text => "string",
            CellKind::Binary => "binary",
            CellKind::Datetime => "datetime",
        }
    }

    /// numpy's name of the type, as MLflow's messages write it.
    pub(crate) fn numpy_name(self) -> &'static str {
        match self {
            CellKind::Boolean => "bool",
            CellKind::Integer => "int32",
            CellKind::Long => "int64",
            CellKind::Float => "float32",
            CellKind::Double => "float64",
            CellKind::Text => "<U0",
            CellKind::Binary => "|S0",
            CellKind::Datetime => "datetime64[ns]",
        }
    }

    /// The Arrow type of a column in a frame of several types.
    pub fn arrow(self) -> ArrowType {
        match self {
            CellKind::Boolean => ArrowType::Boolean,
            CellKind::Integer => ArrowType::Int32,
            CellKind::Long => ArrowType::Int64,
            CellKind::Float => ArrowType::Float32,
            CellKind::Double => ArrowType::Float64,
            CellKind::Text => ArrowType::Utf8,
            CellKind::Binary => ArrowType::Binary,
            CellKind::Datetime => ArrowType::Timestamp(TimeUnit::Nanosecond, None),
        }
    }

    /// The field of such a column: only texts and moments may be missing.
    pub(crate) fn field(self, name: &str) -> Field {
        let nullable = matches!(self, CellKind::Text | CellKind::Datetime);
        Field::new(name, self.arrow(), nullable)
    }
}

/// One column of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name; its position as text where the signature names no columns.
    pub name: String,
    /// Its type.
    pub kind: CellKind,
    /// Whether it must be there. An optional column may be absent as a whole; then the model gets a frame without it.
    pub required: bool,
}

/// Columns of scalar types, in signature order.
#[derive(Clone, Debug)]
pub struct ColumnLayout {
    /// Column names.
    pub names: Arc<[String]>,
    /// Column types, as many as names.
    pub kinds: Vec<CellKind>,
    /// Whether each column must be there, as many as names.
    pub required: Vec<bool>,
    /// Whether the signature names its columns. If not, columns are matched by position and keep the names of the request.
    pub named: bool,
    /// The block type, when all columns share one.
    pub dense: Option<DType>,
    /// The Arrow schema of a frame of several types, with all columns.
    pub schema: SchemaRef,
    positions: HashMap<String, usize>,
}

impl ColumnLayout {
    /// The layout of these columns; refused when there are none or two share a name.
    pub(crate) fn new(columns: Vec<Column>, named: bool) -> Result<Self, PythonReason> {
        let mut positions = HashMap::with_capacity(columns.len());
        for (position, column) in columns.iter().enumerate() {
            if positions.insert(column.name.clone(), position).is_some() {
                let name = column.name.clone();
                return Err(PythonReason::RepeatedColumn { name });
            }
        }
        let kinds: Vec<CellKind> = columns.iter().map(|column| column.kind).collect();
        let first = kinds.first().ok_or(PythonReason::NoSignature)?;
        let dense = first
            .dtype()
            .filter(|_| kinds.iter().all(|kind| kind == first));
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| column.kind.field(&column.name))
            .collect();
        Ok(Self {
            required: columns.iter().map(|column| column.required).collect(),
            names: columns.into_iter().map(|column| column.name).collect(),
            named,
            dense,
            schema: Arc::new(ArrowSchema::new(fields)),
            kinds,
            positions,
        })
    }

    /// The position of a column; none where the signature names no columns.
    pub fn position(&self, name: &str) -> Option<usize> {
        if !self.named {
            return None;
        }
        self.positions.get(name).copied()
    }

    /// The layout of some of its columns, in the same order: those of `present`.
    ///
    /// Obligation of the caller: `present` has one entry per column.
    pub(crate) fn only(&self, present: &[bool]) -> Result<Self, PythonReason> {
        let columns = present.iter().enumerate().filter(|(_, present)| **present);
        let columns = columns.map(|(position, _)| self.column(position)).collect();
        Self::new(columns, self.named)
    }

    /// The layout under the names of a request, as many as columns.
    pub(crate) fn renamed<S: AsRef<str>>(&self, names: &[S]) -> Result<Self, PythonReason> {
        let columns = names.iter().enumerate().map(|(position, name)| Column {
            name: name.as_ref().to_owned(),
            ..self.column(position)
        });
        Self::new(columns.collect(), self.named)
    }

    fn column(&self, position: usize) -> Column {
        Column {
            name: self.names[position].clone(),
            kind: self.kinds[position],
            required: self.required[position],
        }
    }

    /// Whether every column is of a type that a clean payload holds as numbers and booleans.
    pub(crate) fn is_numeric(&self) -> bool {
        self.kinds.iter().all(|kind| kind.dtype().is_some())
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
    /// Whether its elements are texts, which no dialect but JSON writes.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.dtype, DType::Text(_))
    }

    pub(crate) fn new(dtype: &str, shape: &[i64]) -> Result<Self, PythonReason> {
        let refuse = || PythonReason::Tensor {
            dtype: dtype.to_owned(),
        };
        if shape.is_empty() {
            return Err(refuse());
        }
        let dtype = match dtype {
            "str" => Some(DType::Text(0)),
            name => DType::from_name(name),
        };
        Ok(Self {
            dtype: dtype.ok_or_else(refuse)?,
            shape: shape
                .iter()
                .map(|extent| usize::try_from(*extent).ok())
                .collect(),
        })
    }
}
