//! Status and metadata of the served model, in the JSON that TensorFlow Serving makes of its protocol buffers.

use serde_json::{Map, Value, json};
use sluis_mlflow::model::{DataType, Schema};

use crate::identity::Identity;
use crate::served::Served;

/// The state of the one version that is served.
pub(crate) fn status(served: &Served) -> String {
    let (state, code, message) = if served.scoring.is_up() {
        ("AVAILABLE", "OK", "")
    } else {
        (
            "LOADING",
            "UNAVAILABLE",
            "no instance of the model is up; one is being started",
        )
    };
    let status = json!({
        "model_version_status": [{
            "version": served.identity.version,
            "state": state,
            "status": {"error_code": code, "error_message": message},
        }]
    });
    status.to_string()
}

/// Name, version, and the signature as a signature definition.
pub(crate) fn metadata(identity: &Identity) -> String {
    let signature = identity.signature.as_ref();
    let inputs = signature.and_then(|signature| signature.inputs.as_ref());
    let outputs = signature.and_then(|signature| signature.outputs.as_ref());
    let metadata = json!({
        "model_spec": {"name": identity.name, "signature_name": "", "version": identity.version},
        "metadata": {"signature_def": {"signature_def": {"serving_default": {
            "inputs": tensors(inputs, "inputs"),
            "outputs": tensors(outputs, "outputs"),
            "method_name": "tensorflow/serving/predict",
        }}}}
    });
    metadata.to_string()
}

/// The tensors of a schema by name; `unnamed` is the name of one without.
fn tensors(schema: Option<&Schema>, unnamed: &str) -> Map<String, Value> {
    let mut tensors = Map::new();
    match schema {
        None => {}
        Some(Schema::Columns(columns)) => {
            for (index, column) in columns.iter().enumerate() {
                let name = match &column.name {
                    Some(name) => name.clone(),
                    None if columns.len() == 1 => unnamed.to_owned(),
                    None => index.to_string(),
                };
                tensors.insert(name.clone(), tensor(&name, column_type(&column.ty), &[-1]));
            }
        }
        Some(Schema::Tensors(specs)) => {
            for spec in specs {
                let name = spec.name.clone().unwrap_or_else(|| unnamed.to_owned());
                tensors.insert(
                    name.clone(),
                    tensor(&name, tensor_type(&spec.dtype), &spec.shape),
                );
            }
        }
    }
    tensors
}

fn tensor(name: &str, dtype: &str, shape: &[i64]) -> Value {
    let extents: Vec<Value> = shape
        .iter()
        .map(|extent| json!({"size": extent.to_string(), "name": ""}))
        .collect();
    json!({
        "dtype": dtype,
        "tensor_shape": {"dim": extents, "unknown_rank": false},
        "name": format!("{name}:0"),
    })
}

fn column_type(ty: &DataType) -> &'static str {
    match ty {
        DataType::Boolean => "DT_BOOL",
        DataType::Integer => "DT_INT32",
        DataType::Long => "DT_INT64",
        DataType::Float => "DT_FLOAT",
        DataType::Double => "DT_DOUBLE",
        DataType::String | DataType::Binary | DataType::Datetime => "DT_STRING",
        _ => "DT_VARIANT",
    }
}

fn tensor_type(numpy: &str) -> &'static str {
    match numpy {
        "bool" => "DT_BOOL",
        "int8" => "DT_INT8",
        "int16" => "DT_INT16",
        "int32" => "DT_INT32",
        "int64" => "DT_INT64",
        "uint8" => "DT_UINT8",
        "uint16" => "DT_UINT16",
        "uint32" => "DT_UINT32",
        "uint64" => "DT_UINT64",
        "float16" => "DT_HALF",
        "float32" => "DT_FLOAT",
        "float64" => "DT_DOUBLE",
        "str" | "bytes" | "object" => "DT_STRING",
        _ => "DT_VARIANT",
    }
}
