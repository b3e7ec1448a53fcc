//! The payload forms that a model takes: of each the schema, and an example that scores.
//!
//! Examples come from the model's stored one where it has rows, else from the signature. Knows no routes.

use serde_json::{Map, Value, json};

use super::types;
use crate::model::{ColumnSpec, DataType, Model, ParamSpec, Schema, TensorSpec};

/// A payload under one key of MLflow's protocol.
pub(crate) struct Form {
    /// `dataframe_split`, `dataframe_records`, `instances`, `inputs`.
    pub(crate) key: &'static str,
    /// What stands under the key.
    pub(crate) schema: Value,
    /// A value for it.
    pub(crate) example: Option<Value>,
}

impl Form {
    fn new(key: &'static str, schema: Value, example: Option<Value>) -> Self {
        Self {
            key,
            schema,
            example,
        }
    }
}

/// Everything that a caller may send as JSON.
pub(crate) struct Payloads {
    pub(crate) forms: Vec<Form>,
    /// The stored example where it has none of the forms' keys: a whole body.
    pub(crate) unwrapped: Option<Value>,
    /// Schema and example of `params`, where the model declares some.
    pub(crate) params: Option<(Value, Value)>,
    /// The rows of the examples, where the payload is a frame of named columns.
    pub(crate) rows: Vec<Map<String, Value>>,
}

impl Payloads {
    pub(crate) fn of(model: &Model, closed: bool) -> Self {
        let signature = model.signature.as_ref();
        let stored = Stored::of(model);
        let inputs = signature.and_then(|signature| signature.inputs.as_ref());
        let mut rows = Vec::new();
        let forms = match inputs {
            Some(Schema::Columns(columns)) if model.is_signature_from_type_hint => {
                of_hint(columns, &stored)
            }
            Some(Schema::Columns(columns))
                if columns.iter().any(|column| column.name.is_none()) =>
            {
                of_unnamed(columns, &stored)
            }
            Some(Schema::Columns(columns)) => {
                rows = stored.rows().unwrap_or_else(|| vec![row_of(columns)]);
                of_columns(columns, &rows, closed)
            }
            Some(Schema::Tensors(tensors)) => of_tensors(tensors, &stored),
            None => of_nothing(&stored),
        };
        let params = signature
            .and_then(|signature| signature.params.as_deref())
            .filter(|params| !params.is_empty())
            .map(|params| (params_schema(params, closed), params_example(params)));
        Self {
            forms,
            unwrapped: stored.unwrapped(),
            params,
            rows,
        }
    }
}

/// The body that the model's stored example is sent as.
struct Stored(Option<Map<String, Value>>);

/// Rows of the stored example that a page shows at most.
const MAX_ROWS: usize = 5;

impl Stored {
    fn of(model: &Model) -> Self {
        let body = model
            .example_request()
            .and_then(|request| serde_json::from_slice(&request.body).ok());
        Self(body)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.0.as_ref()?.get(key)
    }

    /// Its first rows by column name, where it is a split frame.
    fn rows(&self) -> Option<Vec<Map<String, Value>>> {
        let split = self.get("dataframe_split")?;
        let columns = split.get("columns")?.as_array()?;
        let names: Vec<String> = columns.iter().map(name_text).collect();
        let rows = split.get("data")?.as_array()?.iter().take(MAX_ROWS);
        let rows: Option<Vec<Map<String, Value>>> = rows
            .map(|row| {
                Some(
                    names
                        .iter()
                        .cloned()
                        .zip(row.as_array()?.iter().cloned())
                        .collect(),
                )
            })
            .collect();
        rows.filter(|rows| !rows.is_empty())
    }

    fn unwrapped(&self) -> Option<Value> {
        let known = [
            "dataframe_split",
            "dataframe_records",
            "instances",
            "inputs",
        ];
        let body = self.0.as_ref()?;
        let plain = !known.iter().any(|key| body.contains_key(*key));
        plain.then(|| Value::Object(body.clone()))
    }
}

fn name_text(name: &Value) -> String {
    name.as_str()
        .map_or_else(|| name.to_string(), str::to_owned)
}

fn row_of(columns: &[ColumnSpec]) -> Map<String, Value> {
    let cells = columns.iter().map(|column| {
        let name = column.name.clone().unwrap_or_default();
        (name, types::example(&column.ty))
    });
    cells.collect()
}

fn of_columns(columns: &[ColumnSpec], rows: &[Map<String, Value>], closed: bool) -> Vec<Form> {
    let named = |column: &ColumnSpec| column.name.clone().unwrap_or_default();
    let properties: Map<String, Value> = columns
        .iter()
        .map(|column| (named(column), types::schema(&column.ty)))
        .collect();
    let lists: Map<String, Value> = properties
        .iter()
        .map(|(name, cell)| (name.clone(), json!({"type": "array", "items": cell})))
        .collect();
    let required: Vec<String> = columns
        .iter()
        .filter(|column| column.required)
        .map(named)
        .collect();
    let object = |properties: Map<String, Value>| {
        let mut schema = json!({"type": "object", "required": required, "properties": properties});
        if closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    };
    let records = json!({"type": "array", "items": object(properties)});
    let names: Vec<&String> = rows
        .first()
        .map(|row| row.keys().collect())
        .unwrap_or_default();
    let data: Vec<Vec<&Value>> = rows.iter().map(|row| row.values().collect()).collect();
    let by_column: Map<String, Value> = names
        .iter()
        .map(|name| {
            let cells: Vec<&Value> = rows.iter().filter_map(|row| row.get(*name)).collect();
            ((*name).clone(), json!(cells))
        })
        .collect();
    let split = json!({"columns": names, "data": data});
    let split_frame = split_schema(columns, &required);
    let mut forms = vec![
        Form::new("dataframe_split", split_frame, Some(split)),
        Form::new("dataframe_records", records.clone(), Some(json!(rows))),
    ];
    // In the other two, lists and objects within cells are taken for dimensions.
    if columns.iter().all(|column| column.ty.is_scalar()) {
        let lists = object(lists);
        forms.push(Form::new("instances", records, Some(json!(rows))));
        forms.push(Form::new("inputs", lists, Some(Value::Object(by_column))));
    }
    forms
}

/// A split frame. Columns may come in any order, so that cells are not told apart here.
fn split_schema(columns: &[ColumnSpec], required: &[String]) -> Value {
    let names: Vec<&String> = columns
        .iter()
        .filter_map(|column| column.name.as_ref())
        .collect();
    let mut kinds: Vec<Value> = Vec::new();
    for column in columns {
        let kind = types::schema(&column.ty);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    json!({
        "type": "object",
        "required": ["columns", "data"],
        "properties": {
            "columns": {
                "type": "array",
                "description": format!("The names of the columns, in the order of the cells. Required: {required:?}."),
                "items": {"type": "string", "examples": names},
                "minItems": required.len(),
            },
            "index": {"type": "array", "description": "A label for each row."},
            "data": {
                "type": "array",
                "items": {"type": "array", "items": {"anyOf": kinds}, "minItems": required.len()},
            },
        },
    })
}

fn of_unnamed(columns: &[ColumnSpec], stored: &Stored) -> Vec<Form> {
    let cells: Vec<Value> = columns
        .iter()
        .map(|column| types::schema(&column.ty))
        .collect();
    let row: Value = columns
        .iter()
        .map(|column| types::example(&column.ty))
        .collect();
    let rows = json!({
        "type": "array",
        "items": {"type": "array", "prefixItems": cells, "minItems": columns.len()},
    });
    let example = stored
        .get("dataframe_split")
        .cloned()
        .unwrap_or_else(|| json!({"data": [row]}));
    let split = json!({"type": "object", "required": ["data"], "properties": {"data": rows}});
    let mut forms = vec![Form::new("dataframe_split", split, Some(example))];
    if let [column] = columns {
        let schema = json!({"type": "array", "items": types::schema(&column.ty)});
        let example = stored
            .get("inputs")
            .cloned()
            .unwrap_or_else(|| json!([types::example(&column.ty)]));
        forms.push(Form::new("inputs", schema, Some(example)));
    }
    forms
}

/// A model whose signature follows from type hints takes a list of what the hint says.
fn of_hint(columns: &[ColumnSpec], stored: &Stored) -> Vec<Form> {
    let ty = columns.first().map_or(&DataType::Any, |column| &column.ty);
    let schema = json!({"type": "array", "items": types::schema(ty)});
    let example = stored.get("inputs").cloned();
    let example = example.unwrap_or_else(|| json!([types::example(ty)]));
    vec![Form::new("inputs", schema, Some(example))]
}

fn of_tensors(tensors: &[TensorSpec], stored: &Stored) -> Vec<Form> {
    let schema = |tensor: &TensorSpec| types::tensor_schema(&tensor.dtype, &tensor.shape);
    let example = |tensor: &TensorSpec| types::tensor_example(&tensor.dtype, &tensor.shape);
    let stored = stored.get("inputs").cloned();
    if let [tensor] = tensors
        && tensor.name.is_none()
    {
        let (schema, example) = (schema(tensor), stored.or_else(|| example(tensor)));
        return vec![
            Form::new("inputs", schema.clone(), example.clone()),
            Form::new("instances", schema, example),
        ];
    }
    let name = |tensor: &TensorSpec| tensor.name.clone().unwrap_or_default();
    let properties: Map<String, Value> = tensors
        .iter()
        .map(|tensor| (name(tensor), schema(tensor)))
        .collect();
    let required: Vec<&String> = properties.keys().collect();
    let whole = json!({"type": "object", "required": required, "properties": properties});
    let values: Option<Map<String, Value>> = tensors
        .iter()
        .map(|tensor| Some((name(tensor), example(tensor)?)))
        .collect();
    let example = stored.or_else(|| values.map(Value::Object));
    vec![Form::new("inputs", whole, example)]
}

/// Without a signature whatever reads as a frame or an array may be sent; only the stored example tells what scores.
fn of_nothing(stored: &Stored) -> Vec<Form> {
    let split = json!({
        "type": "object",
        "required": ["data"],
        "properties": {
            "columns": {"type": "array"},
            "index": {"type": "array"},
            "data": {"type": "array", "items": {"type": "array"}},
        },
    });
    let records = json!({"type": "array", "items": {"type": "object"}});
    let form = |key, schema| Form::new(key, schema, stored.get(key).cloned());
    vec![
        form("dataframe_split", split),
        form("dataframe_records", records),
        form("instances", json!({"type": "array"})),
        form("inputs", json!({})),
    ]
}

fn params_schema(params: &[ParamSpec], closed: bool) -> Value {
    let properties: Map<String, Value> = params
        .iter()
        .map(|param| {
            let item = types::schema(&param.ty);
            let mut schema = match param.shape {
                Some(_) => json!({"type": "array", "items": item}),
                None => item,
            };
            if param.default.is_null()
                && let Some(ty) = schema["type"].as_str()
            {
                schema["type"] = json!([ty, "null"]);
            }
            schema["default"] = param.default.clone();
            (param.name.clone(), schema)
        })
        .collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if closed {
        schema["additionalProperties"] = json!(false);
    }
    schema
}

/// The defaults, without those that are null.
fn params_example(params: &[ParamSpec]) -> Value {
    params
        .iter()
        .filter(|param| !param.default.is_null())
        .map(|param| (param.name.clone(), param.default.clone()))
        .collect::<Map<String, Value>>()
        .into()
}
