//! MLflow's types as JSON Schema (2020-12, the dialect of OpenAPI 3.1), and for each a value that passes.

use serde_json::{Map, Value, json};

use super::sample::Element;
use crate::model::{DataType, Property};

/// What a value of the type looks like in JSON.
pub(crate) fn schema(ty: &DataType) -> Value {
    match ty {
        DataType::Boolean => json!({"type": "boolean"}),
        DataType::Integer => json!({
            "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX,
        }),
        DataType::Long => json!({"type": "integer", "format": "int64"}),
        // null is a missing value.
        DataType::Float => json!({"type": ["number", "null"], "format": "float"}),
        DataType::Double => json!({"type": ["number", "null"], "format": "double"}),
        DataType::String => json!({"type": "string"}),
        DataType::Binary => json!({"type": "string", "contentEncoding": "base64"}),
        DataType::Datetime => json!({
            "type": "string",
            "description": "A date, or a date and a time, in ISO 8601 form.",
        }),
        DataType::Array(items) => json!({"type": "array", "items": schema(items)}),
        DataType::Map(values) => {
            json!({"type": "object", "additionalProperties": schema(values)})
        }
        DataType::Object(properties) => object(properties),
        DataType::SparkMlVector => json!({"type": "array", "items": {"type": "number"}}),
        DataType::Any => json!({}),
    }
}

fn object(properties: &[Property]) -> Value {
    let all: Map<String, Value> = properties
        .iter()
        .map(|property| (property.name.clone(), schema(&property.ty)))
        .collect();
    let required: Vec<&String> = properties
        .iter()
        .filter(|property| property.required)
        .map(|property| &property.name)
        .collect();
    json!({"type": "object", "required": required, "properties": all})
}

/// A value of the type.
pub(crate) fn example(ty: &DataType) -> Value {
    match ty {
        DataType::Boolean => json!(true),
        DataType::Integer | DataType::Long => json!(1),
        DataType::Float | DataType::Double => json!(1.5),
        DataType::String | DataType::Any => json!("text"),
        DataType::Binary => json!("Ynl0ZXM="),
        DataType::Datetime => json!("2024-01-31T12:30:00"),
        DataType::Array(items) => json!([example(items)]),
        DataType::Map(values) => json!({"key": example(values)}),
        DataType::Object(properties) => properties
            .iter()
            .map(|property| (property.name.clone(), example(&property.ty)))
            .collect::<Map<String, Value>>()
            .into(),
        DataType::SparkMlVector => json!([1.5]),
    }
}

/// A tensor as nested lists: the extents that are fixed are demanded.
pub(crate) fn tensor_schema(dtype: &str, shape: &[i64]) -> Value {
    let element = match Element::of(dtype) {
        Element::Integer if dtype.starts_with('u') => json!({"type": "integer", "minimum": 0}),
        Element::Integer => json!({"type": "integer"}),
        Element::Float => json!({"type": ["number", "null"]}),
        Element::Boolean => json!({"type": "boolean"}),
        Element::Text | Element::Binary => json!({"type": "string"}),
        Element::Other => json!({}),
    };
    shape.iter().rev().fold(element, |items, extent| {
        let mut list = json!({"type": "array", "items": items});
        if *extent >= 0 {
            list["minItems"] = json!(extent);
            list["maxItems"] = json!(extent);
        }
        list
    })
}

/// Elements of an example at most: a page is for reading.
const MAX_ELEMENTS: usize = 4096;

/// A tensor whose varying extents are 1; `None` where it would be too large for a page.
pub(crate) fn tensor_example(dtype: &str, shape: &[i64]) -> Option<Value> {
    let element = match Element::of(dtype) {
        Element::Integer => json!(1),
        Element::Float => json!(1.5),
        Element::Boolean => json!(true),
        Element::Other if dtype.starts_with("datetime64") => json!("2024-01-31T12:30:00"),
        Element::Text | Element::Binary | Element::Other => json!("text"),
    };
    let extents: Vec<usize> = shape
        .iter()
        .map(|extent| usize::try_from(*extent).unwrap_or(1))
        .collect();
    let elements = extents
        .iter()
        .try_fold(1_usize, |count, extent| count.checked_mul(*extent));
    elements.filter(|elements| *elements <= MAX_ELEMENTS)?;
    Some(
        extents
            .iter()
            .rev()
            .fold(element, |inner, extent| Value::Array(vec![inner; *extent])),
    )
}
