//! The sample of a model: the value that stands for its input in documents, and by which Azure's scoring decodes it.
//!
//! From the saved example where there is one that fits, else from the signature. Knows no document's layout.

use serde_json::{Map, Value, json};

use crate::model::{ColumnSpec, DataType, Model, ParamSpec, Schema, TensorSpec};

/// What Azure writes where a text stands for itself.
const TEXT: &str = "sample string";

/// The sample of an input or output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sample {
    /// A frame of these columns, with the example's rows where it has some.
    Frame {
        columns: Vec<Value>,
        index: Vec<Value>,
        rows: Vec<Value>,
    },
    /// One tensor.
    Array { dtype: String, shape: Vec<usize> },
    /// Tensors by name.
    Arrays(Vec<(String, String, Vec<usize>)>),
    /// A value of Python's own types.
    Plain(Value),
    /// Nothing is known.
    Unknown,
}

impl Sample {
    /// The sample of a model's input, as Azure chooses it.
    pub(crate) fn of_input(model: &Model) -> Self {
        let schema = model
            .signature
            .as_ref()
            .and_then(|signature| signature.inputs.as_ref());
        match schema {
            None => example_frame(model).unwrap_or(Sample::Unknown),
            Some(Schema::Tensors(tensors)) => of_tensors(tensors),
            Some(Schema::Columns(columns)) if takes_text(model) => of_text(columns),
            Some(Schema::Columns(columns)) => {
                example_frame(model).unwrap_or_else(|| empty_frame(columns))
            }
        }
    }

    /// The sample of a model's output: Azure describes it by the signature alone.
    pub(crate) fn of_output(model: &Model) -> Self {
        let signature = model.signature.as_ref();
        match signature.and_then(|signature| signature.outputs.as_ref()) {
            None => Sample::Unknown,
            Some(Schema::Tensors(tensors)) => of_tensors(tensors),
            Some(Schema::Columns(columns)) => empty_frame(columns),
        }
    }
}

/// The params of a model and the values that stand for them.
pub(crate) fn of_params(params: &[ParamSpec]) -> Map<String, Value> {
    params
        .iter()
        .map(|param| (param.name.clone(), of_param(param)))
        .collect()
}

fn of_param(param: &ParamSpec) -> Value {
    if !param.default.is_null() {
        return param.default.clone();
    }
    let item = placeholder(&param.ty);
    if param.shape.is_some() {
        json!([item])
    } else {
        item
    }
}

fn placeholder(ty: &DataType) -> Value {
    match ty {
        DataType::Boolean => json!(true),
        DataType::Integer | DataType::Long => json!(42),
        DataType::Float | DataType::Double => json!(0.15),
        _ => json!(TEXT),
    }
}

/// Whether the model's flavor is one whose column signature describes texts rather than frames.
fn takes_text(model: &Model) -> bool {
    model.flavors.iter().any(|(name, _)| name == "transformers")
}

fn of_text(columns: &[ColumnSpec]) -> Sample {
    if columns.iter().any(|column| column.name.is_none()) {
        return Sample::Plain(
            columns
                .iter()
                .map(|column| placeholder(&column.ty))
                .collect(),
        );
    }
    let entries = columns.iter().map(|column| {
        let name = column.name.clone().unwrap_or_default();
        (name, placeholder(&column.ty))
    });
    Sample::Plain(Value::Object(entries.collect()))
}

fn empty_frame(columns: &[ColumnSpec]) -> Sample {
    let names = columns
        .iter()
        .enumerate()
        .map(|(position, column)| match &column.name {
            None => json!(position),
            Some(name) if column.numbered => {
                serde_json::from_str(name).unwrap_or_else(|_| json!(name))
            }
            Some(name) => json!(name),
        });
    Sample::Frame {
        columns: names.collect(),
        index: Vec::new(),
        rows: Vec::new(),
    }
}

/// The saved example, where it is a frame in split form.
fn example_frame(model: &Model) -> Option<Sample> {
    if model.example.as_ref()?.kind.as_deref() != Some("dataframe") {
        return None;
    }
    let example: Value = serde_json::from_slice(&model.example_file()?).ok()?;
    let list = |key: &str| example.get(key).and_then(Value::as_array).cloned();
    let mut rows = list("data")?;
    rows.iter_mut().for_each(shorten);
    let index = list("index").unwrap_or_else(|| (0..rows.len()).map(|row| json!(row)).collect());
    Some(Sample::Frame {
        columns: list("columns")?,
        index,
        rows,
    })
}

/// Numbers to ten decimals, as pandas writes frames into documents.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Number(number) if number.is_f64() => {
            let short = number
                .as_f64()
                .and_then(|number| format!("{number:.10}").parse().ok());
            if let Some(short) = short.and_then(serde_json::Number::from_f64) {
                *number = short;
            }
        }
        _ => {}
    }
}

fn of_tensors(tensors: &[TensorSpec]) -> Sample {
    let mut named = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let Some(shape) = one_row(&tensor.shape) else {
            return Sample::Unknown;
        };
        if let ([_], None) = (tensors, &tensor.name) {
            return Sample::Array {
                dtype: tensor.dtype.clone(),
                shape,
            };
        }
        let name = tensor.name.clone().unwrap_or_default();
        named.push((name, tensor.dtype.clone(), shape));
    }
    Sample::Arrays(named)
}

/// The shape with one row; `None` where an inner extent varies, of which no array of zeros can be made.
pub(crate) fn one_row(shape: &[i64]) -> Option<Vec<usize>> {
    shape
        .iter()
        .enumerate()
        .map(|(axis, extent)| match (axis, *extent) {
            (0, -1) => Some(1),
            (_, extent) => usize::try_from(extent).ok(),
        })
        .collect()
}

/// Elements of an array that a document shows at most: a batch of one large image, and not a shape gone wrong.
const MAX_SHOWN: usize = 1 << 20;

/// An array of zeros as Azure writes it in documents: numbers, and texts for what JSON has no number for. Empty where it
/// would hold more than [`MAX_SHOWN`] elements.
pub(crate) fn zeros(dtype: &str, shape: &[usize]) -> Value {
    let elements = shape
        .iter()
        .try_fold(1_usize, |count, extent| count.checked_mul(*extent));
    match elements {
        Some(elements) if elements <= MAX_SHOWN && shape.len() <= MAX_RANK => {
            nested(&zero(dtype), shape)
        }
        _ => json!([]),
    }
}

/// Dimensions that a document shows: numpy's own limit.
const MAX_RANK: usize = 64;

fn nested(zero: &Value, shape: &[usize]) -> Value {
    match shape.split_first() {
        None => zero.clone(),
        Some((extent, inner)) => vec![nested(zero, inner); *extent].into(),
    }
}

fn zero(dtype: &str) -> Value {
    match Element::of(dtype) {
        Element::Integer => json!(0),
        Element::Float => json!(0.0),
        Element::Boolean => json!("False"),
        Element::Text | Element::Binary => json!(""),
        Element::Other => json!("0"),
    }
}

/// What kind of values a tensor holds, by numpy's name of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Integer,
    Float,
    Boolean,
    Text,
    Binary,
    Other,
}

impl Element {
    pub(crate) fn of(dtype: &str) -> Self {
        let name = dtype.trim_start_matches(['<', '>', '=', '|']);
        match name {
            "bool" => Element::Boolean,
            "str" => Element::Text,
            "bytes" => Element::Binary,
            _ if name.starts_with("int") || name.starts_with("uint") => Element::Integer,
            _ if name.starts_with("float") => Element::Float,
            _ if name.starts_with('U') => Element::Text,
            _ if name.starts_with('S') => Element::Binary,
            _ => Element::Other,
        }
    }
}
