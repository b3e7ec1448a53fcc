//! `/openapi.json`: one OpenAPI 3.1 page of everything that can be asked of a served model.
//!
//! Each route is a function that makes its path item; a new one is added to [`paths`].

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::payload::Payloads;
use super::types;
use crate::contract::Strictness;
use crate::model::{DataType, Model, Schema};

/// What a page is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its name in routes.
    pub name: &'a str,
    /// Its version in routes.
    pub version: &'a str,
    /// How payloads are cast.
    pub strictness: Strictness,
}

/// The page of a served model.
pub fn openapi(subject: Subject<'_>) -> Bytes {
    let payloads = Payloads::of(subject.model, subject.strictness == Strictness::Strict);
    let page = Page { subject, payloads };
    let document = json!({
        "openapi": "3.1.0",
        "info": page.info(),
        "servers": [{"url": "/"}],
        "paths": page.paths(),
        "components": {"schemas": page.schemas()},
    });
    document.to_string().into()
}

pub(super) struct Page<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) payloads: Payloads,
}

impl Page<'_> {
    fn info(&self) -> Value {
        let model = self.subject.model;
        let flavors: Vec<&str> = model
            .flavors
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let logged = model.mlflow_version.as_deref().unwrap_or("unknown version");
        json!({
            "title": self.subject.name,
            "version": self.subject.version,
            "description": format!(
                "An MLflow model (flavors: {}; saved by MLflow {logged}), served by Sluis {} with --strictness {}.",
                flavors.join(", "), env!("CARGO_PKG_VERSION"), self.subject.strictness
            ),
        })
    }

    fn paths(&self) -> Value {
        let mut paths = vec![
            ("/invocations".to_owned(), self.invocations()),
            ("/score".to_owned(), self.score()),
        ];
        paths.extend(server_paths());
        paths.extend(self.tensorflow_paths());
        paths.extend(self.open_inference_paths());
        paths.into_iter().collect::<Map<String, Value>>().into()
    }

    /// The places where routes of other servers have this model: its name, and its name and version.
    pub(super) fn places(&self, prefix: &str) -> [String; 2] {
        let (name, version) = (escaped(self.subject.name), escaped(self.subject.version));
        [
            format!("{prefix}/models/{name}"),
            format!("{prefix}/models/{name}/versions/{version}"),
        ]
    }

    fn invocations(&self) -> Value {
        let mut content = json!({JSON: {"schema": reference("Request")}});
        let examples = self.examples();
        if !examples.is_empty() {
            content[JSON]["examples"] = Value::Object(examples);
        }
        if self.is_frame() {
            content["text/csv"] = json!({"schema": {"type": "string"}});
            if let Some(example) = self.csv() {
                content["text/csv"]["example"] = json!(example);
            }
            content["application/vnd.apache.parquet"] = json!({});
            content["application/vnd.apache.arrow.stream"] = json!({});
        }
        let answers = json!({
            JSON: {"schema": reference("Predictions")},
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.arrow.stream": {},
        });
        post(
            "Scores rows: MLflow's protocol. The form of the answer follows the Accept header.",
            &content,
            &answers,
            "Error",
        )
    }

    /// One body for each payload form, whole as it is sent.
    fn examples(&self) -> Map<String, Value> {
        let mut examples = Map::new();
        if let Some(body) = &self.payloads.unwrapped {
            examples.insert("stored".to_owned(), json!({"value": body}));
        }
        for form in &self.payloads.forms {
            if let Some(example) = &form.example {
                let body = self.with_params(json!({form.key: example}));
                examples.insert(form.key.to_owned(), json!({"value": body}));
            }
        }
        examples
    }

    fn with_params(&self, mut body: Value) -> Value {
        if let Some((_, example)) = &self.payloads.params {
            body["params"] = example.clone();
        }
        body
    }

    fn score(&self) -> Value {
        let mut content = json!({JSON: {"schema": reference("AzureRequest")}});
        if let Some(example) = self.azure_example() {
            content[JSON]["example"] = self.with_params(json!({"input_data": example}));
        }
        let answers = json!({JSON: {"schema": self.predictions()}});
        let error = match self.subject.strictness {
            Strictness::Azure => "AzureError",
            Strictness::Mlflow | Strictness::Strict => "Error",
        };
        post(
            "Scores rows: Azure's protocol. The predictions stand alone in the answer.",
            &content,
            &answers,
            error,
        )
    }

    fn azure_example(&self) -> Option<Value> {
        let split = self
            .payloads
            .forms
            .iter()
            .find(|form| form.key == "dataframe_split");
        let form =
            split.or_else(|| self.payloads.forms.iter().find(|form| form.key == "inputs"))?;
        let mut example = form.example.clone()?;
        // Azure's own decoder of frames wants names.
        if form.key == "dataframe_split" && example.get("columns").is_none() {
            let first = example
                .get("data")
                .and_then(|rows| rows.get(0))
                .and_then(Value::as_array);
            let width = first.map_or(0, Vec::len);
            example["columns"] = (0..width).map(|column| json!(column)).collect();
        }
        Some(example)
    }

    fn is_frame(&self) -> bool {
        let signature = self.subject.model.signature.as_ref();
        let inputs = signature.and_then(|signature| signature.inputs.as_ref());
        let columns = !matches!(inputs, Some(Schema::Tensors(_)));
        columns && !self.subject.model.is_signature_from_type_hint
    }

    /// The example's rows as CSV, where every column is of a type that is read from it.
    fn csv(&self) -> Option<String> {
        let signature = self.subject.model.signature.as_ref()?;
        let Some(Schema::Columns(columns)) = &signature.inputs else {
            return None;
        };
        let unread =
            |ty: &DataType| !ty.is_scalar() || matches!(ty, DataType::Binary | DataType::Datetime);
        if columns.iter().any(|column| unread(&column.ty)) {
            return None;
        }
        let rows = &self.payloads.rows;
        let header: Vec<String> = rows.first()?.keys().map(|name| csv_text(name)).collect();
        let mut text = header.join(",");
        for row in rows {
            let cells: Option<Vec<String>> = row.values().map(csv_cell).collect();
            text.push('\n');
            text.push_str(&cells?.join(","));
        }
        text.push('\n');
        Some(text)
    }

    fn schemas(&self) -> Value {
        let mut schemas = json!({
            "Request": self.request(),
            "AzureRequest": self.azure_request(),
            "Predictions": {
                "type": "object",
                "required": ["predictions"],
                "properties": {"predictions": self.predictions()},
            },
            "Error": {
                "type": "object",
                "required": ["error_code", "message"],
                "properties": {
                    "error_code": {"type": "string", "examples": ["BAD_REQUEST", "INVALID_PARAMETER_VALUE"]},
                    "message": {"type": "string"},
                    "sqlstate": {"type": "string"},
                    "error_class": {"type": "string"},
                },
            },
            "AzureError": {
                "type": "object",
                "required": ["message"],
                "properties": {"message": {"type": "string"}},
            },
            "PlainError": {
                "type": "object",
                "required": ["error"],
                "properties": {"error": {"type": "string"}},
            },
        });
        if let Some((schema, _)) = &self.payloads.params {
            schemas["Params"] = schema.clone();
        }
        schemas
    }

    fn request(&self) -> Value {
        let params = self.payloads.params.is_some();
        let forms = self
            .payloads
            .forms
            .iter()
            .map(|form| keyed(form.key, &form.schema, params));
        let mut forms: Vec<Value> = forms.collect();
        if self.payloads.unwrapped.is_some() {
            forms.push(json!({"type": "object"}));
        }
        json!({ "anyOf": forms })
    }

    fn azure_request(&self) -> Value {
        let forms = self
            .payloads
            .forms
            .iter()
            .filter(|form| matches!(form.key, "dataframe_split" | "inputs"));
        let schemas: Vec<&Value> = forms.map(|form| &form.schema).collect();
        keyed(
            "input_data",
            &json!({ "anyOf": schemas }),
            self.payloads.params.is_some(),
        )
    }

    /// The predictions, as the signature has them; it is not enforced on them.
    fn predictions(&self) -> Value {
        let signature = self.subject.model.signature.as_ref();
        match signature.and_then(|signature| signature.outputs.as_ref()) {
            None => json!({}),
            Some(Schema::Tensors(tensors)) => match tensors.as_slice() {
                [tensor] if tensor.name.is_none() => {
                    types::tensor_schema(&tensor.dtype, &tensor.shape)
                }
                _ => json!({}),
            },
            Some(Schema::Columns(columns)) => match columns.as_slice() {
                [column] if column.name.is_none() => {
                    json!({"type": "array", "items": types::schema(&column.ty)})
                }
                columns => {
                    let properties: Map<String, Value> = columns
                        .iter()
                        .filter_map(|column| {
                            Some((column.name.clone()?, types::schema(&column.ty)))
                        })
                        .collect();
                    let row = json!({"type": "object", "properties": properties});
                    json!({"type": "array", "items": row})
                }
            },
        }
    }
}

pub(super) const JSON: &str = "application/json";

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn keyed(key: &str, schema: &Value, params: bool) -> Value {
    let mut object = json!({"type": "object", "required": [key], "properties": {key: schema}});
    if params {
        object["properties"]["params"] = reference("Params");
    }
    object
}

/// Routes that tell of the server and never ask the model.
fn server_paths() -> Vec<(String, Value)> {
    let ready = "Whether the model is ready to be asked.";
    let metrics = "application/openmetrics-text";
    let items = [
        ("/ping", yes(ready)),
        ("/health", yes(ready)),
        ("/", text("Likewise, for Azure's probes.", "text/html")),
        (
            "/version",
            get(
                "The MLflow version in the model's environment.",
                &json!({JSON: {}}),
            ),
        ),
        (
            "/metrics",
            text("Metrics of the server, OpenMetrics text.", metrics),
        ),
        ("/openapi.json", object("This page.")),
        ("/swagger.json", swagger()),
    ];
    items
        .into_iter()
        .map(|(path, item)| (path.to_owned(), item))
        .collect()
}

fn get(summary: &str, content: &Value) -> Value {
    let answer = json!({"description": summary, "content": content});
    json!({"get": {"summary": summary, "responses": {"200": answer}}})
}

/// A route whose status is all of its answer.
pub(super) fn yes(summary: &str) -> Value {
    json!({"get": {"summary": summary, "responses": {"200": {"description": "Yes."}}}})
}

fn text(summary: &str, kind: &str) -> Value {
    get(summary, &json!({kind: {"schema": {"type": "string"}}}))
}

pub(super) fn object(summary: &str) -> Value {
    get(summary, &json!({JSON: {"schema": {"type": "object"}}}))
}

pub(super) fn post(summary: &str, content: &Value, answers: &Value, error: &str) -> Value {
    let failed = |description: &str| json!({"description": description, "content": {JSON: {"schema": reference(error)}}});
    json!({"post": {
        "summary": summary,
        "requestBody": {"required": true, "content": content},
        "responses": {
            "200": {"description": "The predictions.", "content": answers},
            "400": failed("The payload does not fit the model, or the model raised on it."),
            "413": failed("The body is too large."),
            "415": {"description": "The content type is none of those above."},
            "429": failed("Too many requests are waiting; try again after Retry-After."),
            "500": failed("The model's process failed, or its answer cannot be written."),
            "503": failed("The model cannot be asked now."),
            "504": {"description": "There was no answer in time."},
        },
    }})
}

fn swagger() -> Value {
    let mut item = object("Azure's Swagger document of the model.");
    item["get"]["parameters"] = json!([{
        "name": "version",
        "in": "query",
        "required": false,
        "schema": {"type": "string", "enum": ["2", "3", "3.1"], "default": "2"},
    }]);
    item
}

/// A name in a path: braces would read as a parameter, other characters as the path's own.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                text.push(char::from(byte));
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn csv_text(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn csv_cell(cell: &Value) -> Option<String> {
    match cell {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(csv_text(text)),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}
