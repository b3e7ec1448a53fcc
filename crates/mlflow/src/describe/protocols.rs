//! The path items of other servers' protocols: TensorFlow Serving's and the Open Inference Protocol's.

use serde_json::{Value, json};

use super::openapi::{JSON, Page, object, post, yes};
use crate::model::{DataType, Schema};

impl Page<'_> {
    pub(super) fn tensorflow_paths(&self) -> Vec<(String, Value)> {
        let mut paths = Vec::new();
        for place in self.places("/v1") {
            paths.push((format!("{place}:predict"), self.tensorflow()));
            let metadata = object("The model's signature, as TensorFlow Serving tells it.");
            paths.push((format!("{place}/metadata"), metadata));
            paths.push((
                place,
                object("The model's state, as TensorFlow Serving tells it."),
            ));
        }
        paths
    }

    pub(super) fn open_inference_paths(&self) -> Vec<(String, Value)> {
        let ready = "Whether the model is ready to be asked.";
        let server = object("The server, in the Open Inference Protocol.");
        let mut paths = vec![
            ("/v2".to_owned(), server),
            (
                "/v2/health/live".to_owned(),
                yes("Whether the server is up."),
            ),
            ("/v2/health/ready".to_owned(), yes(ready)),
        ];
        for place in self.places("/v2") {
            paths.push((format!("{place}/infer"), self.open_inference()));
            paths.push((format!("{place}/ready"), yes(ready)));
            let metadata =
                object("The model's inputs and outputs, in the Open Inference Protocol.");
            paths.push((place, metadata));
        }
        paths
    }

    fn tensorflow(&self) -> Value {
        let mut content = json!({JSON: {"schema": {"type": "object", "properties": {
            "instances": {"type": "array", "description": "Rows."},
            "inputs": {"description": "Columns, or tensors."},
            "signature_name": {"type": "string"},
        }}}});
        let form = |key: &str| {
            let form = self.payloads.forms.iter().find(|form| form.key == key);
            form.and_then(|form| form.example.clone())
                .map(|example| json!({key: example}))
        };
        let example = form("instances").or_else(|| form("inputs"));
        if let Some(example) = example.filter(|_| self.answers_in_rows()) {
            content[JSON]["example"] = example;
        }
        let answers = json!({JSON: {"schema": {"type": "object", "properties": {
            "predictions": {}, "outputs": {},
        }}}});
        post(
            "Scores rows: TensorFlow Serving's protocol.",
            &content,
            &answers,
            "PlainError",
        )
    }

    fn open_inference(&self) -> Value {
        let tensor = json!({"type": "object", "required": ["name", "shape", "datatype"], "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "data": {"type": "array"},
        }});
        let tensors = |key: &str| {
            json!({"type": "object", "required": [key], "properties": {
                key: {"type": "array", "items": tensor},
            }})
        };
        let mut content = json!({JSON: {"schema": tensors("inputs")}});
        let inputs = self.open_inference_example();
        if let Some(inputs) = inputs.filter(|_| self.answers_in_rows()) {
            content[JSON]["example"] = json!({ "inputs": inputs });
        }
        content["application/octet-stream"] = json!({});
        let answers = json!({JSON: {"schema": tensors("outputs")}});
        post(
            "Scores rows: the Open Inference Protocol, version 2.",
            &content,
            &answers,
            "PlainError",
        )
    }

    /// A tensor of one column for each column of scalars that the protocol has a type for.
    fn open_inference_example(&self) -> Option<Value> {
        let columns = match &self.subject.model.signature.as_ref()?.inputs {
            Some(Schema::Columns(columns)) => columns,
            _ => return None,
        };
        let rows = &self.payloads.rows;
        let tensors = columns.iter().map(|column| {
            let name = column.name.as_ref()?;
            let datatype = match column.ty {
                DataType::Boolean => "BOOL",
                DataType::Integer => "INT32",
                DataType::Long => "INT64",
                DataType::Float => "FP32",
                DataType::Double => "FP64",
                DataType::String => "BYTES",
                _ => return None,
            };
            let cells: Option<Vec<&Value>> = rows
                .iter()
                .map(|row| row.get(name).filter(|cell| !cell.is_null()))
                .collect();
            Some(json!({"name": name, "shape": [rows.len(), 1], "datatype": datatype, "data": cells?}))
        });
        let tensors: Option<Vec<Value>> = tensors.collect();
        tensors.filter(|_| !rows.is_empty()).map(Value::Array)
    }

    /// Whether the signature promises predictions that every protocol has a form for.
    fn answers_in_rows(&self) -> bool {
        let signature = self.subject.model.signature.as_ref();
        match signature.and_then(|signature| signature.outputs.as_ref()) {
            None => false,
            Some(Schema::Tensors(_)) => true,
            Some(Schema::Columns(columns)) => columns.iter().all(|column| column.ty.is_scalar()),
        }
    }
}
