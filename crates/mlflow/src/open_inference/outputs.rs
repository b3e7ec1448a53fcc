//! Answers as named, typed tensors.
//!
//! An array is one output, a frame one per column, an object of lists one per key. What is no rectangular array of one
//! type (nested objects, ragged lists, missing texts) has no form here.

use arrow_array::builder::BinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryArray, RecordBatch};
use arrow_schema::DataType as ArrowType;
use bytes::Bytes;

use super::data::Data;
use super::datatype::Datatype;
use super::describe::OUTPUT;
use super::request::Tensor;
use crate::answer::Answer;
use crate::block::DenseBlock;
use crate::encode::EncodeError;
use crate::encode::predictions::{Predictions, columns_of};
use crate::json::Tree;

/// The tensors of an answer; `declared` are the names of the signature's outputs, which name what has no name itself.
pub(crate) fn tensors(answer: Answer, declared: &[String]) -> Result<Vec<Tensor>, EncodeError> {
    let unnamed = match declared {
        [name] => name.as_str(),
        _ => OUTPUT,
    };
    match Predictions::of(answer)? {
        Predictions::Array(block) => Ok(vec![of_block(unnamed, block)]),
        Predictions::Frame(batch) => of_frame(&batch),
        Predictions::Tree(Tree::List(items)) => match columns_of(items) {
            Ok(columns) => columns
                .into_iter()
                .map(|(name, values)| of_value(&name, Tree::List(values)))
                .collect(),
            Err(items) => Ok(vec![of_value(unnamed, Tree::List(items))?]),
        },
        Predictions::Tree(Tree::Object(entries)) if !entries.is_empty() => entries
            .into_iter()
            .map(|(name, value)| of_value(&name, value))
            .collect(),
        Predictions::Tree(value) => Ok(vec![of_value(unnamed, value)?]),
    }
}

fn no_form(found: String) -> EncodeError {
    EncodeError::NoForm {
        dialect: "the Open Inference Protocol",
        found,
        remedy: "Ask at /invocations, whose JSON holds it.",
    }
}

fn of_block(name: &str, block: DenseBlock) -> Tensor {
    let shape = if block.shape.is_empty() {
        vec![1]
    } else {
        block.shape
    };
    Tensor {
        name: name.to_owned(),
        shape,
        datatype: Datatype::of_block(block.dtype),
        data: Data::Fixed(block.bytes),
    }
}

fn of_frame(batch: &RecordBatch) -> Result<Vec<Tensor>, EncodeError> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .map(|(field, array)| {
            let (datatype, data) = of_array(array).ok_or_else(|| {
                no_form(format!(
                    "its column '{}' is of type {} or misses values",
                    field.name(),
                    field.data_type()
                ))
            })?;
            Ok(Tensor {
                name: field.name().clone(),
                shape: vec![batch.num_rows()],
                datatype,
                data,
            })
        })
        .collect()
}

fn of_array(array: &dyn Array) -> Option<(Datatype, Data)> {
    if array.null_count() > 0 {
        return None;
    }
    let fixed = |datatype: Datatype| {
        let data = array.to_data();
        let size = datatype.size()?;
        let bytes = data.buffers().first()?.as_slice();
        let bytes = bytes.get(data.offset() * size..(data.offset() + data.len()) * size)?;
        Some((datatype, Data::Fixed(Bytes::copy_from_slice(bytes))))
    };
    match array.data_type() {
        ArrowType::Boolean => {
            let values = array.as_boolean();
            let bytes: Vec<u8> = (0..values.len())
                .map(|row| u8::from(values.value(row)))
                .collect();
            Some((Datatype::Bool, Data::Fixed(bytes.into())))
        }
        ArrowType::Int8 => fixed(Datatype::Int8),
        ArrowType::Int16 => fixed(Datatype::Int16),
        ArrowType::Int32 => fixed(Datatype::Int32),
        ArrowType::Int64 => fixed(Datatype::Int64),
        ArrowType::UInt8 => fixed(Datatype::Uint8),
        ArrowType::UInt16 => fixed(Datatype::Uint16),
        ArrowType::UInt32 => fixed(Datatype::Uint32),
        ArrowType::UInt64 => fixed(Datatype::Uint64),
        ArrowType::Float32 => fixed(Datatype::Fp32),
        ArrowType::Float64 => fixed(Datatype::Fp64),
        ArrowType::Utf8 => Some(texts(array.as_string::<i32>().iter())),
        ArrowType::LargeUtf8 => Some(texts(array.as_string::<i64>().iter())),
        _ => None,
    }
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> (Datatype, Data) {
    let values = values.map(|value| Some(value.unwrap_or_default().as_bytes()));
    (
        Datatype::Bytes,
        Data::Bytes(values.collect::<BinaryArray>()),
    )
}

/// What all elements of a value have in common so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Boolean,
    Integer,
    /// An integer above those of 64 bits with a sign.
    Unsigned,
    Fraction,
    Text,
}

fn of_value(name: &str, value: Tree) -> Result<Tensor, EncodeError> {
    let mut elements = Vec::new();
    let mut shape = Vec::new();
    let wrong = |found: &str| no_form(format!("its output '{name}' {found}"));
    match value {
        Tree::List(_) => flatten(value, 0, &mut shape, &mut elements).map_err(wrong)?,
        Tree::Object(_) => return Err(wrong("is an object, not a list")),
        value => {
            shape.push(1);
            elements.push(value);
        }
    }
    // No element says of which type an empty list is.
    let kind = kind(&elements).map_err(wrong)?.unwrap_or(Kind::Fraction);
    let (datatype, data) = packed(kind, &elements);
    Ok(Tensor {
        name: name.to_owned(),
        shape,
        datatype,
        data,
    })
}

/// Appends the elements of nested lists, and fills in their extents; the error says why they are no array.
fn flatten(
    value: Tree,
    depth: usize,
    shape: &mut Vec<usize>,
    elements: &mut Vec<Tree>,
) -> Result<(), &'static str> {
    const RAGGED: &str = "is a list of lists of different lengths, or of lists beside values";
    match value {
        Tree::List(items) => {
            match shape.get(depth) {
                None if elements.is_empty() => shape.push(items.len()),
                Some(extent) if *extent == items.len() => {}
                _ => return Err(RAGGED),
            }
            items
                .into_iter()
                .try_for_each(|item| flatten(item, depth + 1, shape, elements))
        }
        Tree::Object(_) => Err("holds objects"),
        value if depth == shape.len() => {
            elements.push(value);
            Ok(())
        }
        _ => Err(RAGGED),
    }
}

/// The kind that all elements are of; integers beside fractions are fractions, as in pandas.
fn kind(elements: &[Tree]) -> Result<Option<Kind>, &'static str> {
    let mut common: Option<Kind> = None;
    for element in elements {
        let found = match element {
            Tree::Bool(_) => Kind::Boolean,
            Tree::Int(_) => Kind::Integer,
            Tree::Digits(digits) if digits.parse::<u64>().is_ok() => Kind::Unsigned,
            Tree::Digits(_) => return Err("holds an integer beyond 64 bits"),
            Tree::Float(_) => Kind::Fraction,
            Tree::Text(_) => Kind::Text,
            Tree::Null => return Err("misses values, which no type here can"),
            Tree::List(_) | Tree::Object(_) => return Err("holds objects"),
        };
        common = Some(match (common, found) {
            (None, found) => found,
            (Some(known), found) if known == found => known,
            (Some(Kind::Integer | Kind::Unsigned), Kind::Fraction)
            | (Some(Kind::Fraction), Kind::Integer | Kind::Unsigned) => Kind::Fraction,
            (Some(Kind::Integer), Kind::Unsigned) | (Some(Kind::Unsigned), Kind::Integer)
                if elements
                    .iter()
                    .all(|value| !matches!(value, Tree::Int(value) if *value < 0)) =>
            {
                Kind::Unsigned
            }
            _ => return Err("mixes types"),
        });
    }
    Ok(common)
}

/// The elements of one kind.
fn packed(kind: Kind, elements: &[Tree]) -> (Datatype, Data) {
    if kind == Kind::Text {
        let mut builder = BinaryBuilder::new();
        for element in elements {
            if let Tree::Text(text) = element {
                builder.append_value(text);
            }
        }
        return (Datatype::Bytes, Data::Bytes(builder.finish()));
    }
    let mut bytes = Vec::with_capacity(elements.len() * 8);
    for element in elements {
        match (kind, element) {
            (_, Tree::Bool(value)) => bytes.push(u8::from(*value)),
            (Kind::Fraction, Tree::Int(value)) => {
                bytes.extend_from_slice(&(*value as f64).to_le_bytes());
            }
            (Kind::Fraction, Tree::Digits(digits)) => {
                let value: f64 = digits.parse().unwrap_or(f64::NAN);
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            (_, Tree::Int(value)) => bytes.extend_from_slice(&value.to_le_bytes()),
            (_, Tree::Digits(digits)) => {
                let value: u64 = digits.parse().unwrap_or_default();
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            (_, Tree::Float(value)) => bytes.extend_from_slice(&value.to_le_bytes()),
            _ => {}
        }
    }
    let datatype = match kind {
        Kind::Boolean => Datatype::Bool,
        Kind::Integer => Datatype::Int64,
        Kind::Unsigned => Datatype::Uint64,
        Kind::Fraction | Kind::Text => Datatype::Fp64,
    };
    (datatype, Data::Fixed(bytes.into()))
}
