//! Signatures as data, and how MLflow writes their types.

use std::fmt;

use serde_json::Value;

/// What a model takes and gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signature {
    /// The inputs.
    pub inputs: Option<Schema>,
    /// The outputs; informative.
    pub outputs: Option<Schema>,
    /// The params of a call.
    pub params: Option<Vec<ParamSpec>>,
}

/// Columns or tensors, never both.
#[derive(Clone, Debug, PartialEq)]
pub enum Schema {
    /// The columns of a frame.
    Columns(Vec<ColumnSpec>),
    /// Tensors: one without a name, or several with.
    Tensors(Vec<TensorSpec>),
}

/// A column of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSpec {
    /// Its name; names that are numbers in the file are given as text.
    pub name: Option<String>,
    /// Whether its name is a number in the file, or anything else than text.
    pub numbered: bool,
    /// Its type.
    pub ty: DataType,
    /// Whether it must be there; an optional column may be absent as a whole.
    pub required: bool,
}

/// MLflow's types.
#[derive(Clone, Debug, PartialEq)]
pub enum DataType {
    /// true or false
    Boolean,
    /// 32-bit integer
    Integer,
    /// 64-bit integer
    Long,
    /// 32-bit float
    Float,
    /// 64-bit float
    Double,
    /// text
    String,
    /// bytes
    Binary,
    /// a moment, in nanoseconds, without a zone
    Datetime,
    /// a list
    Array(Box<DataType>),
    /// an object with known properties
    Object(Vec<Property>),
    /// an object with any text keys
    Map(Box<DataType>),
    /// anything
    Any,
    /// a Spark ML vector
    SparkMlVector,
}

/// A property of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
    /// Whether it must be there.
    pub required: bool,
}

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Its name.
    pub name: Option<String>,
    /// numpy's name of its element type.
    pub dtype: String,
    /// Its extents; -1 where one varies.
    pub shape: Vec<i64>,
}

/// A param of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
    /// What it is when the call leaves it out.
    pub default: Value,
    /// `[-1]` for a list, none for a single value.
    pub shape: Option<Vec<i64>>,
}

impl DataType {
    /// The scalar type of that name.
    pub(crate) fn scalar(name: &str) -> Option<Self> {
        Some(match name {
            "boolean" => DataType::Boolean,
            "integer" => DataType::Integer,
            "long" => DataType::Long,
            "float" => DataType::Float,
            "double" => DataType::Double,
            "string" => DataType::String,
            "binary" => DataType::Binary,
            "datetime" => DataType::Datetime,
            _ => return None,
        })
    }

    /// Whether values of this type are single values.
    pub fn is_scalar(&self) -> bool {
        use DataType::{Any, Array, Map, Object, SparkMlVector};
        !matches!(self, Any | Array(_) | Map(_) | Object(_) | SparkMlVector)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Boolean => formatter.write_str("boolean"),
            DataType::Integer => formatter.write_str("integer"),
            DataType::Long => formatter.write_str("long"),
            DataType::Float => formatter.write_str("float"),
            DataType::Double => formatter.write_str("double"),
            DataType::String => formatter.write_str("string"),
            DataType::Binary => formatter.write_str("binary"),
            DataType::Datetime => formatter.write_str("datetime"),
            DataType::Array(items) => write!(formatter, "Array({items})"),
            DataType::Map(values) => write!(formatter, "Map(str -> {values})"),
            DataType::Any => formatter.write_str("Any"),
            DataType::SparkMlVector => formatter.write_str("SparkML vector"),
            DataType::Object(properties) => {
                formatter.write_str("{")?;
                for (index, property) in properties.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    let need = if property.required {
                        "required"
                    } else {
                        "optional"
                    };
                    write!(
                        formatter,
                        "{comma}{}: {} ({need})",
                        property.name, property.ty
                    )?;
                }
                formatter.write_str("}")
            }
        }
    }
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extents: Vec<String> = self.shape.iter().map(i64::to_string).collect();
        let trailing = if extents.len() == 1 { "," } else { "" };
        write!(
            formatter,
            "Tensor('{}', ({}{trailing}))",
            self.dtype,
            extents.join(", ")
        )
    }
}
