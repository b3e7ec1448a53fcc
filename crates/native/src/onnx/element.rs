//! What a graph's inputs and outputs hold, under numpy's names.

use ort::value::{TensorElementType, ValueType};
use sluis_mlflow::DType;

/// The type of an input or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Numbers or truth values.
    Block(DType),
    /// Texts.
    Text,
    /// By row, numbers by a key: what classifiers of scikit-learn's converter answer.
    Maps,
}

impl Element {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "str" => Some(Element::Text),
            "maps" => Some(Element::Maps),
            name => DType::from_name(name).map(Element::Block),
        }
    }

    /// The type as the library tells it, where there is a name for it.
    pub(super) fn of(kind: &ValueType) -> Option<Self> {
        let ValueType::Tensor { ty, .. } = kind else {
            let ValueType::Sequence(inner) = kind else {
                return None;
            };
            return match **inner {
                ValueType::Map {
                    key: TensorElementType::Int64 | TensorElementType::String,
                    value: TensorElementType::Float32,
                } => Some(Element::Maps),
                _ => None,
            };
        };
        Some(Element::Block(match ty {
            TensorElementType::String => return Some(Element::Text),
            TensorElementType::Bool => DType::Bool,
            TensorElementType::Int8 => DType::Int8,
            TensorElementType::Int16 => DType::Int16,
            TensorElementType::Int32 => DType::Int32,
            TensorElementType::Int64 => DType::Int64,
            TensorElementType::Uint8 => DType::UInt8,
            TensorElementType::Uint16 => DType::UInt16,
            TensorElementType::Uint32 => DType::UInt32,
            TensorElementType::Uint64 => DType::UInt64,
            TensorElementType::Float32 => DType::Float32,
            TensorElementType::Float64 => DType::Float64,
            _ => return None,
        }))
    }
}
