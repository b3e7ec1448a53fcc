//! The element types of the protocol.

use arrow_schema::DataType as ArrowType;

use crate::block::DType;
use crate::model::DataType;

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// True or false, one byte.
    Bool,
    /// Signed, 8 bits.
    Int8,
    /// Signed, 16 bits.
    Int16,
    /// Signed, 32 bits.
    Int32,
    /// Signed, 64 bits.
    Int64,
    /// Unsigned, 8 bits.
    Uint8,
    /// Unsigned, 16 bits.
    Uint16,
    /// Unsigned, 32 bits.
    Uint32,
    /// Unsigned, 64 bits.
    Uint64,
    /// IEEE 754 half precision.
    Fp16,
    /// IEEE 754 single precision.
    Fp32,
    /// IEEE 754 double precision.
    Fp64,
    /// Texts, or any bytes.
    Bytes,
}

impl Datatype {
    const ALL: [(Datatype, &'static str); 13] = [
        (Datatype::Bool, "BOOL"),
        (Datatype::Int8, "INT8"),
        (Datatype::Int16, "INT16"),
        (Datatype::Int32, "INT32"),
        (Datatype::Int64, "INT64"),
        (Datatype::Uint8, "UINT8"),
        (Datatype::Uint16, "UINT16"),
        (Datatype::Uint32, "UINT32"),
        (Datatype::Uint64, "UINT64"),
        (Datatype::Fp16, "FP16"),
        (Datatype::Fp32, "FP32"),
        (Datatype::Fp64, "FP64"),
        (Datatype::Bytes, "BYTES"),
    ];

    /// The protocol's name.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(datatype, _)| *datatype == self);
        found.map_or("BYTES", |(_, name)| name)
    }

    /// The type of that name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(datatype, _)| *datatype)
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
        names.join(", ")
    }

    /// Bytes per element; `None` where elements have lengths of their own.
    pub(crate) fn size(self) -> Option<usize> {
        match self {
            Datatype::Fp16 => Some(2),
            Datatype::Bytes => None,
            other => other.block().map(DType::size),
        }
    }

    /// The block type; none for half precision and for bytes.
    pub(crate) fn block(self) -> Option<DType> {
        Some(match self {
            Datatype::Bool => DType::Bool,
            Datatype::Int8 => DType::Int8,
            Datatype::Int16 => DType::Int16,
            Datatype::Int32 => DType::Int32,
            Datatype::Int64 => DType::Int64,
            Datatype::Uint8 => DType::UInt8,
            Datatype::Uint16 => DType::UInt16,
            Datatype::Uint32 => DType::UInt32,
            Datatype::Uint64 => DType::UInt64,
            Datatype::Fp32 => DType::Float32,
            Datatype::Fp64 => DType::Float64,
            Datatype::Fp16 | Datatype::Bytes => return None,
        })
    }

    /// The type of a block's elements.
    pub(crate) fn of_block(dtype: DType) -> Self {
        match dtype {
            DType::Bool => Datatype::Bool,
            DType::Int8 => Datatype::Int8,
            DType::Int16 => Datatype::Int16,
            DType::Int32 => Datatype::Int32,
            DType::Int64 => Datatype::Int64,
            DType::UInt8 => Datatype::Uint8,
            DType::UInt16 => Datatype::Uint16,
            DType::UInt32 => Datatype::Uint32,
            DType::UInt64 => Datatype::Uint64,
            DType::Float32 => Datatype::Fp32,
            DType::Float64 => Datatype::Fp64,
            DType::Text(_) => Datatype::Bytes,
        }
    }

    /// The Arrow type of a column of such elements; bytes may be text.
    pub(crate) fn arrow(self) -> ArrowType {
        match self {
            Datatype::Fp16 => ArrowType::Float16,
            Datatype::Bytes => ArrowType::Binary,
            Datatype::Bool => ArrowType::Boolean,
            Datatype::Int8 => ArrowType::Int8,
            Datatype::Int16 => ArrowType::Int16,
            Datatype::Int32 => ArrowType::Int32,
            Datatype::Int64 => ArrowType::Int64,
            Datatype::Uint8 => ArrowType::UInt8,
            Datatype::Uint16 => ArrowType::UInt16,
            Datatype::Uint32 => ArrowType::UInt32,
            Datatype::Uint64 => ArrowType::UInt64,
            Datatype::Fp32 => ArrowType::Float32,
            Datatype::Fp64 => ArrowType::Float64,
        }
    }

    /// The type that a column of a signature is sent as.
    pub(crate) fn of_column(ty: &DataType) -> Self {
        match ty {
            DataType::Boolean => Datatype::Bool,
            DataType::Integer => Datatype::Int32,
            DataType::Long => Datatype::Int64,
            DataType::Float => Datatype::Fp32,
            DataType::Double => Datatype::Fp64,
            _ => Datatype::Bytes,
        }
    }

    /// The type that a tensor of a signature is sent as.
    pub(crate) fn of_numpy(name: &str) -> Self {
        match DType::from_name(name) {
            Some(dtype) => Self::of_block(dtype),
            None if name == "float16" => Datatype::Fp16,
            None => Datatype::Bytes,
        }
    }
}
