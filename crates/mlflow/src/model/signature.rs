//! Signatures from the JSON texts in `MLmodel`, in every form since MLflow 1.9.
//!
//! Tolerant where MLflow's own versions differ: `optional` of 2.4 and 2.5 means `required: false`; params of 2.6 write
//! `dtype` for `type`; unknown keys are ignored.

use serde_json::{Map, Value};

use super::error::SignatureError;
use super::types::{ColumnSpec, DataType, ParamSpec, Property, Schema, Signature, TensorSpec};

/// Nested types deeper than this are refused.
const MAX_DEPTH: usize = 64;

/// The signature of the three texts; each may be absent.
pub(crate) fn read(
    inputs: Option<&str>,
    outputs: Option<&str>,
    params: Option<&str>,
) -> Result<Signature, SignatureError> {
    Ok(Signature {
        inputs: inputs.map(|text| schema("inputs", text)).transpose()?,
        outputs: outputs.map(|text| schema("outputs", text)).transpose()?,
        params: params.map(param_specs).transpose()?,
    })
}

fn entries(part: &'static str, text: &str) -> Result<Vec<Value>, SignatureError> {
    let value: Value = serde_json::from_str(text).map_err(|problem| SignatureError::Json {
        part,
        problem: problem.to_string(),
    })?;
    match value {
        Value::Array(entries) => Ok(entries),
        _ => Err(SignatureError::Entry {
            place: part.to_owned(),
            expected: "a list",
        }),
    }
}

fn schema(part: &'static str, text: &str) -> Result<Schema, SignatureError> {
    let entries = entries(part, text)?;
    let (mut columns, mut tensors) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let name = entry.get("name").and_then(name_text);
        let place = place(part, index, name.as_deref());
        let object = as_object(entry, &place)?;
        if object.get("type").and_then(Value::as_str) == Some("tensor") {
            tensors.push(tensor(object, name, &place)?);
        } else {
            columns.push(column(object, name, &place)?);
        }
    }
    match (columns.is_empty(), tensors.is_empty()) {
        (false, false) => Err(SignatureError::Mixed { part }),
        (_, true) => Ok(Schema::Columns(columns)),
        (true, false) => Ok(Schema::Tensors(tensors)),
    }
}

fn place(part: &str, index: usize, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{part}, entry {} '{name}'", index + 1),
        None => format!("{part}, entry {}", index + 1),
    }
}

/// Names may be numbers.
fn name_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn as_object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, SignatureError> {
    value.as_object().ok_or_else(|| SignatureError::Entry {
        place: place.to_owned(),
        expected: "an object",
    })
}

fn column(
    object: &Map<String, Value>,
    name: Option<String>,
    place: &str,
) -> Result<ColumnSpec, SignatureError> {
    let ty = data_type(object, place, 0)?;
    // A column without `required` is required when it is scalar and optional when it is not: MLflow's own reading.
    let required = required(object).unwrap_or(ty.is_scalar());
    let numbered = name.is_some() && !object.get("name").is_some_and(Value::is_string);
    Ok(ColumnSpec {
        name,
        numbered,
        ty,
        required,
    })
}

fn required(object: &Map<String, Value>) -> Option<bool> {
    let optional = object.get("optional").and_then(Value::as_bool);
    object
        .get("required")
        .and_then(Value::as_bool)
        .or(optional.map(|optional| !optional))
}

fn data_type(
    object: &Map<String, Value>,
    place: &str,
    depth: usize,
) -> Result<DataType, SignatureError> {
    if depth > MAX_DEPTH {
        return Err(SignatureError::Entry {
            place: place.to_owned(),
            expected: "nested less deeply",
        });
    }
    let expected_type = || SignatureError::Entry {
        place: place.to_owned(),
        expected: "an object with a 'type'",
    };
    let name = object
        .get("type")
        .or_else(|| object.get("dtype"))
        .and_then(Value::as_str)
        .ok_or_else(expected_type)?;
    let nested = |key: &'static str| {
        let inner = object.get(key).ok_or(SignatureError::Entry {
            place: place.to_owned(),
            expected: if key == "items" {
                "an array with 'items'"
            } else {
                "a map with 'values'"
            },
        })?;
        data_type(as_object(inner, place)?, place, depth + 1).map(Box::new)
    };
    match name {
        "array" => nested("items").map(DataType::Array),
        "map" => nested("values").map(DataType::Map),
        "object" => properties(object, place, depth).map(DataType::Object),
        "any" => Ok(DataType::Any),
        "sparkml_vector" => Ok(DataType::SparkMlVector),
        other => DataType::scalar(other).ok_or_else(|| SignatureError::UnknownType {
            place: place.to_owned(),
            found: other.chars().take(60).collect(),
        }),
    }
}

fn properties(
    object: &Map<String, Value>,
    place: &str,
    depth: usize,
) -> Result<Vec<Property>, SignatureError> {
    let Some(Value::Object(properties)) = object.get("properties") else {
        return Err(SignatureError::Entry {
            place: place.to_owned(),
            expected: "an object type with 'properties'",
        });
    };
    let read = properties.iter().map(|(name, value)| {
        let inner = as_object(value, place)?;
        Ok(Property {
            name: name.clone(),
            ty: data_type(inner, place, depth + 1)?,
            required: required(inner).unwrap_or(true),
        })
    });
    read.collect()
}

fn tensor(
    object: &Map<String, Value>,
    name: Option<String>,
    place: &str,
) -> Result<TensorSpec, SignatureError> {
    let problem = |expected| SignatureError::Entry {
        place: place.to_owned(),
        expected,
    };
    let spec = object
        .get("tensor-spec")
        .and_then(Value::as_object)
        .ok_or_else(|| problem("a tensor with a 'tensor-spec'"))?;
    let dtype = spec
        .get("dtype")
        .and_then(Value::as_str)
        .ok_or_else(|| problem("a tensor with a 'dtype'"))?;
    let shape = spec
        .get("shape")
        .and_then(Value::as_array)
        .and_then(|shape| {
            shape
                .iter()
                .map(Value::as_i64)
                .collect::<Option<Vec<i64>>>()
        })
        .ok_or_else(|| problem("a tensor with a 'shape' of integers"))?;
    Ok(TensorSpec {
        name,
        dtype: dtype.to_owned(),
        shape,
    })
}

fn param_specs(text: &str) -> Result<Vec<ParamSpec>, SignatureError> {
    let read = entries("params", text)?
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let name = entry.get("name").and_then(name_text);
            let place = place("params", index, name.as_deref());
            let object = as_object(&entry, &place)?;
            let shape = object.get("shape").and_then(Value::as_array);
            Ok(ParamSpec {
                ty: data_type(object, &place, 0)?,
                name: name.ok_or(SignatureError::Entry {
                    place,
                    expected: "a param with a 'name'",
                })?,
                default: object.get("default").cloned().unwrap_or(Value::Null),
                shape: shape.map(|shape| shape.iter().filter_map(Value::as_i64).collect()),
            })
        });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(text: &str) -> Result<Schema, SignatureError> {
        read(Some(text), None, None).map(|signature| signature.inputs.unwrap())
    }

    #[test]
    fn quirks_of_every_version_are_read() {
        let Schema::Columns(columns) = inputs(
            r#"[{"name": "a", "type": "double"}, {"name": 3, "type": "long", "optional": true},
                {"type": "array", "items": {"type": "string"}, "name": "l"},
                {"type": "object", "properties": {"k": {"type": "long"}, "o": {"type": "any", "required": false}}, "name": "d", "required": true},
                {"type": "map", "values": {"type": "double"}, "name": "m"}]"#,
        )
        .unwrap() else {
            panic!("columns")
        };
        let shown: Vec<String> = columns
            .iter()
            .map(|column| format!("{} {}", column.ty, column.required))
            .collect();
        assert_eq!(
            shown,
            [
                "double true",
                "long false",
                "Array(string) false",
                "{k: long (required), o: Any (optional)} true",
                "Map(str -> double) false"
            ]
        );
        assert_eq!(columns[1].name.as_deref(), Some("3"));
        let signature = read(
            None,
            None,
            Some(r#"[{"name": "n", "dtype": "long", "default": 1, "shape": [-1]}]"#),
        )
        .unwrap();
        assert_eq!(signature.params.unwrap()[0].shape, Some(vec![-1]));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let problem = |text: &str| inputs(text).unwrap_err().to_string();
        assert_eq!(
            problem(r#"[{"name": "a", "type": "decimal"}]"#),
            "signature inputs, entry 1 'a': unknown type 'decimal'"
        );
        assert!(problem("{").contains("signature inputs is not valid JSON"));
        assert!(problem(r#"[{"type": "tensor"}]"#).contains("tensor-spec"));
        assert!(problem(r#"[{"type": "tensor", "tensor-spec": {"dtype": "f", "shape": []}}, {"type": "long"}]"#).contains("mixes"));
        let deep = format!(
            "[{}{}{}]",
            r#"{"type": "array", "items": "#.repeat(100),
            r#"{"type": "long"}"#,
            "}".repeat(100)
        );
        assert!(problem(&deep).contains("nested"));
    }
}
