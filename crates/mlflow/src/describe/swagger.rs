//! The documents of `/swagger.json` in the three versions that Azure's inference server gives, and in its shapes: tools
//! that move from there read them (the type of the output from `format`, for one).

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::sample::{self, Element, Sample};
use crate::model::Model;

/// A version of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwaggerVersion {
    /// Swagger 2.0
    V2,
    /// OpenAPI 3.0.3
    V3,
    /// OpenAPI 3.1.0
    V31,
}

/// A version that there is no document of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Swagger version [{0}] is not valid. Supported versions: [2, 3, 3.1].")]
pub struct UnknownVersion(String);

impl SwaggerVersion {
    /// The version that a query names; the first one without a name.
    pub fn of(name: Option<&str>) -> Result<Self, UnknownVersion> {
        match name {
            None | Some("2" | "2.0") => Ok(SwaggerVersion::V2),
            Some("3" | "3.0") => Ok(SwaggerVersion::V3),
            Some("3.1") => Ok(SwaggerVersion::V31),
            Some(other) => Err(UnknownVersion(other.chars().take(60).collect())),
        }
    }
}

/// The documents of a model.
#[derive(Clone, Debug)]
pub struct Swagger {
    v2: Bytes,
    v3: Bytes,
    v31: Bytes,
}

impl Swagger {
    /// The documents of `model`.
    pub fn of(model: &Model) -> Self {
        let schemas = json!({
            "ServiceInput": service_input(model),
            "ServiceOutput": service_output(model),
            "ErrorResponse": {"type": "object", "properties": {"message": {"type": "string"}}},
        });
        let bytes = |document: Value| Bytes::from(document.to_string());
        Self {
            v2: bytes(document_2(&schemas)),
            v3: bytes(document_3("3.0.3", &schemas)),
            v31: bytes(document_3("3.1.0", &schemas)),
        }
    }

    /// The document of a version.
    pub fn document(&self, version: SwaggerVersion) -> Bytes {
        match version {
            SwaggerVersion::V2 => self.v2.clone(),
            SwaggerVersion::V3 => self.v3.clone(),
            SwaggerVersion::V31 => self.v31.clone(),
        }
    }
}

fn service_input(model: &Model) -> Value {
    let (data_schema, data_example) = described(&Sample::of_input(model));
    let params = model
        .signature
        .as_ref()
        .and_then(|signature| signature.params.as_ref())
        .map(|params| Value::Object(sample::of_params(params)))
        .filter(|params| params.as_object().is_some_and(|params| !params.is_empty()));
    let (params_schema, params_example) = match params {
        None => (json!({"type": "object"}), json!({})),
        Some(params) => (of_value(&params), params),
    };
    json!({
        "type": "object",
        "properties": {"input_data": data_schema, "params": params_schema},
        "example": {"input_data": data_example, "params": params_example},
    })
}

fn service_output(model: &Model) -> Value {
    let sample = Sample::of_output(model);
    let (mut schema, example) = match sample {
        Sample::Frame { .. } => (
            json!({"type": "array", "items": {"type": "object"}}),
            json!([]),
        ),
        other => described(&other),
    };
    // The format stands last, behind the example.
    let format = match schema.as_object_mut() {
        Some(schema) => schema.shift_remove("format"),
        None => None,
    };
    schema["example"] = example;
    match sample_format(&schema, format) {
        Some(format) => schema["format"] = format,
        None => return schema,
    }
    schema
}

fn sample_format(schema: &Value, format: Option<Value>) -> Option<Value> {
    let rows = schema["items"] == json!({"type": "object"});
    format.or_else(|| rows.then(|| json!("pandas.DataFrame:records")))
}

/// Schema and example of a sample.
fn described(sample: &Sample) -> (Value, Value) {
    match sample {
        Sample::Unknown => (json!({"type": "object"}), json!({})),
        Sample::Plain(value) => (of_value(value), value.clone()),
        Sample::Array { dtype, shape } => (of_array(dtype, shape), sample::zeros(dtype, shape)),
        Sample::Arrays(arrays) => {
            let (mut properties, mut example) = (Map::new(), Map::new());
            for (name, dtype, shape) in arrays {
                properties.insert(name.clone(), of_array(dtype, shape));
                example.insert(name.clone(), sample::zeros(dtype, shape));
            }
            let required: Vec<&String> = properties.keys().collect();
            let schema = json!({"type": "object", "required": required, "properties": properties});
            (schema, Value::Object(example))
        }
        Sample::Frame {
            columns,
            index,
            rows,
        } => {
            let schema = json!({
                "type": "object",
                "required": ["columns", "index", "data"],
                "properties": {
                    "columns": of_list(columns),
                    "index": of_list(index),
                    "data": of_list(rows),
                },
                "format": "pandas.DataFrame:split",
            });
            let example = json!({"columns": columns, "index": index, "data": rows});
            (schema, example)
        }
    }
}

fn of_array(dtype: &str, shape: &[usize]) -> Value {
    let mut schema = match Element::of(dtype) {
        Element::Integer => json!({"type": "integer", "format": dtype}),
        Element::Float if dtype == "float64" => json!({"type": "number", "format": "double"}),
        Element::Float => json!({"type": "number", "format": "float"}),
        Element::Boolean => json!({"type": "boolean"}),
        Element::Text => json!({"type": "string"}),
        Element::Binary => json!({"type": "string", "format": "binary"}),
        Element::Other => json!({"type": "object"}),
    };
    for _ in shape {
        schema = json!({"type": "array", "items": schema});
    }
    if !shape.is_empty() {
        schema["format"] = json!("numpy.ndarray");
    }
    schema
}

/// A list is described by its last item.
fn of_list(items: &[Value]) -> Value {
    let items = items
        .last()
        .map_or_else(|| json!({"type": "object"}), of_value);
    json!({"type": "array", "items": items})
}

fn of_value(value: &Value) -> Value {
    match value {
        Value::Null => json!({"type": "object"}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number", "format": "double"}),
        Value::Number(_) => json!({"type": "integer", "format": "int64"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => of_list(items),
        Value::Object(entries) => {
            let required: Vec<&String> = entries.keys().collect();
            let properties: Map<String, Value> = entries
                .iter()
                .map(|(name, value)| (name.clone(), of_value(value)))
                .collect();
            json!({"type": "object", "required": required, "properties": properties})
        }
    }
}

const HEALTH: &str = "Simple health check endpoint to ensure the service is up at any given point.";
const HEALTHY: &str =
    "If service is up and running, this response will be returned with the content 'Healthy'";
const SCORE: &str = "Run web service's model and get the prediction output";
const INPUT: &str = "The input payload for executing the real-time machine learning service.";
const OUTPUT: &str =
    "The service processed the input correctly and provided a result prediction, if applicable.";
const FAILED: &str = "The service failed to execute due to an error.";
const SWAGGER: &str = "Get the Swagger specification.";
const SWAGGER_GIVEN: &str = "The Swagger specification.";

fn info() -> Value {
    json!({
        "title": "ML service",
        "description": "API specification for the Azure Machine Learning service ML service",
        "version": "1.0",
    })
}

fn bearer() -> Value {
    json!({"Bearer": {
        "type": "apiKey", "name": "Authorization", "in": "header", "description": "For example: Bearer abc123",
    }})
}

fn document_2(schemas: &Value) -> Value {
    let failed = json!({"description": FAILED, "schema": {"$ref": "#/definitions/ErrorResponse"}});
    json!({
        "swagger": "2.0",
        "info": info(),
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": bearer(),
        "paths": {
            "/": {"get": {
                "operationId": "ServiceHealthCheck",
                "description": HEALTH,
                "responses": {
                    "200": {
                        "description": HEALTHY,
                        "schema": {"type": "string"},
                        "examples": {"application/json": "Healthy"},
                    },
                    "default": failed,
                },
            }},
            "/score": {"post": {
                "operationId": "RunMLService",
                "description": SCORE,
                "security": [{"Bearer": []}],
                "parameters": [{
                    "name": "serviceInputPayload",
                    "in": "body",
                    "description": INPUT,
                    "schema": {"$ref": "#/definitions/ServiceInput"},
                }],
                "responses": {
                    "200": {"description": OUTPUT, "schema": {"$ref": "#/definitions/ServiceOutput"}},
                    "default": failed,
                },
            }},
            "/swagger.json": {"get": {
                "operationId": "GetSwaggerSpec",
                "description": SWAGGER,
                "parameters": [
                    {"name": "version", "in": "query", "required": false, "type": "integer", "enum": [2, 3]},
                ],
                "responses": {
                    "200": {"description": SWAGGER_GIVEN, "schema": {"type": "string"}},
                    "default": failed,
                },
            }},
        },
        "definitions": schemas,
    })
}

fn document_3(version: &str, schemas: &Value) -> Value {
    let json_of = |name: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}});
    let text_of = |schema: Value| json!({"text/plain": {"schema": schema}});
    let failed = json!({"description": FAILED, "content": json_of("ErrorResponse")});
    json!({
        "openapi": version,
        "info": info(),
        "security": [{"Bearer": []}],
        "paths": {
            "/": {"get": {
                "operationId": "ServiceHealthCheck",
                "description": HEALTH,
                "responses": {
                    "200": {
                        "description": HEALTHY,
                        "content": text_of(json!({"type": "string", "example": "Healthy"})),
                    },
                    "default": failed,
                },
            }},
            "/score": {"post": {
                "operationId": "RunMLService",
                "description": SCORE,
                "security": [{"Bearer": []}],
                "requestBody": {"description": INPUT, "content": json_of("ServiceInput")},
                "responses": {
                    "200": {"description": OUTPUT, "content": json_of("ServiceOutput")},
                    "default": failed,
                },
            }},
            "/swagger.json": {"get": {
                "operationId": "GetSwaggerSpec",
                "description": SWAGGER,
                "parameters": [{
                    "name": "version",
                    "in": "query",
                    "required": false,
                    "schema": {"type": "integer", "enum": [2, 3]},
                }],
                "responses": {
                    "200": {"description": SWAGGER_GIVEN, "content": text_of(json!({"type": "string"}))},
                    "default": failed,
                },
            }},
        },
        "components": {"schemas": schemas, "securitySchemes": bearer()},
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Every recorded document, from the model it was recorded with.
    #[test]
    fn documents_are_those_that_were_recorded() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/azure/nocode");
        let mut compared = 0;
        for folder in std::fs::read_dir(corpus.join("cases")).unwrap() {
            let folder = folder.unwrap();
            let rows = std::fs::read_to_string(folder.path().join("cases.jsonl")).unwrap();
            for row in rows.lines() {
                let row: Value = serde_json::from_str(row).unwrap();
                let path = row["path"].as_str().unwrap_or_default();
                let Some(query) = path.strip_prefix("/swagger.json") else {
                    continue;
                };
                let version = SwaggerVersion::of(query.strip_prefix("?version="));
                let Ok(version) = version else {
                    let recorded: Value =
                        serde_json::from_str(row["response_body"].as_str().unwrap()).unwrap();
                    assert_eq!(
                        recorded["message"],
                        version.unwrap_err().to_string().as_str()
                    );
                    continue;
                };
                let model = Model::open(
                    corpus
                        .join("models")
                        .join(folder.file_name())
                        .to_str()
                        .unwrap(),
                )
                .unwrap();
                let document = Swagger::of(&model).document(version);
                let document: Value = serde_json::from_slice(&document).unwrap();
                let recorded: Value =
                    serde_json::from_str(row["response_body"].as_str().unwrap()).unwrap();
                assert_eq!(document, recorded, "{}", row["id"]);
                compared += 1;
            }
        }
        assert!(compared > 30, "{compared}");
    }
}
