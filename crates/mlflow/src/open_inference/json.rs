//! Requests as bodies of MLflow's JSON protocol, for what only Python or MLflow's JSON rules decide.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::data::{Data, Half};
use super::datatype::Datatype;
use super::frame::Frame;
use super::prepare::written;
use super::request::{InferRequest, Tensor};
use crate::block::DType;
use crate::encode::json;
use crate::json::Scanner;
use crate::model::{ColumnSpec, DataType, Signature};
use crate::refusal::Refusal;

/// The declared params that the request's parameters name, as a JSON object; `None` where it names none.
pub(crate) fn params(request: &InferRequest, signature: Option<&Signature>) -> Option<Vec<u8>> {
    let declared = signature?.params.as_ref()?;
    let given: Vec<_> = declared
        .iter()
        .filter_map(|param| Some((&param.name, request.parameters.get(&param.name)?)))
        .collect();
    if given.is_empty() {
        return None;
    }
    let mut out = vec![b'{'];
    for (index, (name, value)) in given.into_iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        json::text(name, &mut out);
        out.extend_from_slice(b": ");
        out.extend_from_slice(&written(value));
    }
    out.push(b'}');
    Some(out)
}

/// A body with one payload.
pub(crate) fn envelope(key: &str, value: &[u8], params: Option<&[u8]>) -> Bytes {
    let mut out = Vec::with_capacity(value.len() + 64);
    out.extend_from_slice(format!("{{\"{key}\": ").as_bytes());
    out.extend_from_slice(value);
    if let Some(params) = params {
        out.extend_from_slice(b", \"params\": ");
        out.extend_from_slice(params);
    }
    out.push(b'}');
    out.into()
}

/// One input as an array, several by name.
pub(crate) fn inputs(tensors: &[Tensor], params: Option<&[u8]>) -> Result<Bytes, Refusal> {
    let [tensor] = tensors else {
        return named(tensors, params);
    };
    let mut out = Vec::new();
    nested(tensor, &mut out)?;
    Ok(envelope("inputs", &out, params))
}

/// Every input by its name.
pub(crate) fn named(tensors: &[Tensor], params: Option<&[u8]>) -> Result<Bytes, Refusal> {
    let mut out = vec![b'{'];
    for (index, tensor) in tensors.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        json::text(&tensor.name, &mut out);
        out.extend_from_slice(b": ");
        nested(tensor, &mut out)?;
    }
    out.push(b'}');
    Ok(envelope("inputs", &out, params))
}

/// For a model with a type hint, which takes a list: of values for one input, of objects for several.
pub(crate) fn by_hint(tensors: &[Tensor], params: Option<&[u8]>) -> Result<Bytes, Refusal> {
    if let [_] = tensors {
        return inputs(tensors, params);
    }
    let rows = tensors.first().map_or(0, Tensor::rows);
    if let Some(other) = tensors.iter().find(|tensor| tensor.rows() != rows) {
        return Err(Refusal::schema(format!(
            "The inputs differ in rows: '{}' has {rows}, '{}' has {}.",
            tensors[0].name,
            other.name,
            other.rows()
        )));
    }
    let cells = cells(tensors, &[])?;
    let mut out = Vec::new();
    json::listed(0..rows, &mut out, |row, out| {
        out.push(b'{');
        for (index, (tensor, cell)) in tensors.iter().zip(&cells).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            json::text(&tensor.name, out);
            out.extend_from_slice(b": ");
            cell(row, out);
        }
        out.push(b'}');
    });
    Ok(envelope("inputs", &out, params))
}

/// The frame in split orientation.
pub(crate) fn split(frame: &Frame, columns: &[ColumnSpec]) -> Result<Vec<u8>, Refusal> {
    let mut out = b"{\"columns\": ".to_vec();
    match frame {
        Frame::Columns(tensors) => {
            json::listed(tensors, &mut out, |tensor, out| {
                json::text(&tensor.name, out)
            });
            out.extend_from_slice(b", \"data\": ");
            let cells = cells(tensors, columns)?;
            json::listed(0..frame.rows(), &mut out, |row, out| {
                json::listed(&cells, out, |cell, out| cell(row, out));
            });
        }
        Frame::Matrix(matrix) => {
            json::listed(columns, &mut out, |column, out| {
                json::text(column.name.as_deref().unwrap_or_default(), out);
            });
            out.extend_from_slice(b", \"data\": ");
            nested(matrix, &mut out)?;
        }
    }
    out.push(b'}');
    Ok(out)
}

type Cell<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

/// What writes the value of a row, for each column.
fn cells<'a>(tensors: &'a [Tensor], columns: &[ColumnSpec]) -> Result<Vec<Cell<'a>>, Refusal> {
    let cell = |tensor: &'a Tensor| -> Result<Cell<'a>, Refusal> {
        let spec = columns
            .iter()
            .find(|column| column.name.as_deref() == Some(&tensor.name));
        let form = Form::of(spec.map(|spec| &spec.ty));
        check(tensor, form)?;
        let shape = tensor.row_shape();
        let count = shape.iter().product::<usize>();
        Ok(match &tensor.data {
            Data::Bytes(elements) => Box::new(move |row, out| {
                let first = row * count;
                levels(shape, first, out, &|index, out| {
                    element(elements.value(index), form, out);
                });
            }),
            Data::Fixed(bytes) => Box::new(move |row, out| {
                let first = row * count;
                levels(shape, first, out, &|index, out| {
                    number(tensor.datatype, bytes, index, out);
                });
            }),
        })
    };
    tensors.iter().map(cell).collect()
}

/// How elements of bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Base64,
    /// JSON texts: lists and objects stand for themselves.
    Json,
}

impl Form {
    fn of(ty: Option<&DataType>) -> Self {
        match ty {
            Some(DataType::Binary) => Form::Base64,
            Some(ty) if !ty.is_scalar() => Form::Json,
            _ => Form::Text,
        }
    }
}

/// Refuses elements that the form cannot hold.
fn check(tensor: &Tensor, form: Form) -> Result<(), Refusal> {
    let Data::Bytes(elements) = &tensor.data else {
        return Ok(());
    };
    if form != Form::Base64
        && let Some(index) = Data::first_that_is_no_text(elements)
    {
        return Err(Refusal::schema(format!(
            "Element {} of input '{}' is no UTF-8 text, and the model takes no bytes there.",
            index + 1,
            tensor.name
        )));
    }
    if form == Form::Json
        && let Some((index, _)) = (elements.iter().enumerate())
            .find(|(_, element)| element.is_some_and(|element| !is_json(element)))
    {
        return Err(Refusal::schema(format!(
            "Element {} of input '{}' is not JSON: a nested column is sent as one JSON text per row.",
            index + 1,
            tensor.name
        )));
    }
    Ok(())
}

/// Texts that are no list and no object stand for themselves as texts.
fn is_json(element: &[u8]) -> bool {
    if !is_nested(element) {
        return true;
    }
    let mut scanner = Scanner::new(element);
    scanner.skip().and_then(|_| scanner.end()).is_ok()
}

fn is_nested(element: &[u8]) -> bool {
    matches!(element.trim_ascii_start().first(), Some(b'[' | b'{'))
}

fn element(bytes: &[u8], form: Form, out: &mut Vec<u8>) {
    match form {
        Form::Base64 => json::text(&STANDARD.encode(bytes), out),
        Form::Json if is_nested(bytes) || bytes == b"null" => out.extend_from_slice(bytes),
        Form::Json | Form::Text => json::text(&String::from_utf8_lossy(bytes), out),
    }
}

/// All elements as lists nested by the shape.
fn nested(tensor: &Tensor, out: &mut Vec<u8>) -> Result<(), Refusal> {
    check(tensor, Form::Text)?;
    levels(&tensor.shape, 0, out, &|index, out| match &tensor.data {
        Data::Bytes(elements) => element(elements.value(index), Form::Text, out),
        Data::Fixed(bytes) => number(tensor.datatype, bytes, index, out),
    });
    Ok(())
}

/// Writes lists nested by `shape`, whose elements begin at `first`.
fn levels(shape: &[usize], first: usize, out: &mut Vec<u8>, write: &dyn Fn(usize, &mut Vec<u8>)) {
    let [extent, inner @ ..] = shape else {
        write(first, out);
        return;
    };
    let stride = inner.iter().product::<usize>();
    json::listed(0..*extent, out, |index, out| {
        levels(inner, first + index * stride, out, write);
    });
}

/// One element of a fixed size.
fn number(datatype: Datatype, bytes: &[u8], index: usize, out: &mut Vec<u8>) {
    let size = datatype.size().unwrap_or(1);
    let Some(element) = bytes.get(index * size..(index + 1) * size) else {
        return;
    };
    match datatype.block() {
        Some(dtype) => json::scalar(dtype, element, out),
        None => {
            let half = element
                .first_chunk()
                .map(|bytes| Half::from_le_bytes(*bytes));
            let wide = half.unwrap_or_default().to_f32().to_le_bytes();
            json::scalar(DType::Float32, &wide, out);
        }
    }
}
