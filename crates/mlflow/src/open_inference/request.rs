//! An inference request: its JSON, and the tensors in it or behind it.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value as Json};

use super::data::{self, Data};
use super::datatype::Datatype;
use crate::json::{JsonError, Scanner, Token};
use crate::refusal::Refusal;

/// Inputs of one request.
const MAX_INPUTS: usize = 10_000;

/// Dimensions of a tensor, as many as numpy has.
const MAX_RANK: usize = 64;

/// What the other extents of a tensor without elements may multiply to: lists of them are written out.
const MAX_EMPTY: usize = 1 << 16;

/// A request that was read: types and counts fit each other; what the model says to them is not known yet.
#[derive(Debug)]
pub struct InferRequest {
    /// The caller's id, to be given back.
    pub id: Option<String>,
    /// The outputs that are wanted; all, where none is named.
    pub outputs: Vec<RequestedOutput>,
    /// Whether outputs that do not say so themselves are wanted as bytes behind the JSON.
    pub binary_output: bool,
    pub(crate) parameters: Map<String, Json>,
    pub(crate) inputs: Vec<Tensor>,
}

/// An output that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedOutput {
    /// Its name.
    pub name: String,
    /// Whether it is wanted as bytes behind the JSON; by the request's own wish where nothing is said.
    pub binary: Option<bool>,
}

/// A tensor of a request.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) datatype: Datatype,
    pub(crate) data: Data,
}

/// An input as the JSON has it.
#[derive(Default)]
struct Entry<'a> {
    name: Option<Cow<'a, str>>,
    shape: Option<Vec<usize>>,
    datatype: Option<Cow<'a, str>>,
    parameters: Map<String, Json>,
    data: Option<&'a [u8]>,
}

impl InferRequest {
    /// Reads a body; `json_length` is how much of it is JSON, all of it where the header does not say.
    pub fn read(body: &Bytes, json_length: Option<usize>) -> Result<Self, Refusal> {
        let length = json_length.unwrap_or(body.len());
        let Some(json) = body.get(..length) else {
            return Err(Refusal::parse(format!(
                "The header Inference-Header-Content-Length says {length} bytes of JSON, but the body has {} bytes.",
                body.len()
            )));
        };
        let (mut request, entries) = envelope(json)?;
        let mut binary = body.slice(length..);
        for (index, entry) in entries.into_iter().enumerate() {
            request.inputs.push(tensor(index, entry, &mut binary)?);
        }
        if !binary.is_empty() {
            return Err(Refusal::parse(format!(
                "{} bytes are left behind the tensors of the request.",
                binary.len()
            )));
        }
        if request.inputs.is_empty() {
            return Err(Refusal::parse(
                "The request has no 'inputs': a list of objects with 'name', 'shape', 'datatype' and 'data'.",
            ));
        }
        let mut names: Vec<&str> = request
            .inputs
            .iter()
            .map(|input| input.name.as_str())
            .collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Refusal::parse(format!(
                "Two inputs are named '{}'.",
                pair[0]
            )));
        }
        Ok(request)
    }

    /// A parameter of the request that is a text.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Json::as_str)
    }
}

fn envelope(json: &[u8]) -> Result<(InferRequest, Vec<Entry<'_>>), Refusal> {
    let mut request = InferRequest {
        id: None,
        outputs: Vec::new(),
        binary_output: false,
        parameters: Map::new(),
        inputs: Vec::new(),
    };
    let mut entries = Vec::new();
    let mut scanner = Scanner::new(json);
    let read = scanner.object(|scanner, key| {
        match key.as_ref() {
            "id" => match scanner.token()? {
                Token::Text(id) => request.id = Some(id.into_owned()),
                Token::Null => request.id = None,
                _ => return scanner.error("a text for 'id'"),
            },
            "parameters" => request.parameters = parameters(scanner)?,
            "inputs" => scanner.list(|scanner| {
                if entries.len() == MAX_INPUTS {
                    return scanner.error("at most 10,000 inputs");
                }
                entries.push(entry(scanner)?);
                Ok(())
            })?,
            "outputs" => match scanner.peek() {
                Some(b'n') => drop(scanner.token()?),
                _ => scanner.list(|scanner| {
                    request.outputs.push(requested(scanner)?);
                    Ok(())
                })?,
            },
            _ => drop(scanner.skip()?),
        }
        Ok(())
    });
    read.and_then(|()| scanner.end())
        .map_err(|problem| crate::decode::broken(&problem))?;
    request.binary_output = flag(&request.parameters, "binary_data_output")
        .map_err(Refusal::parse)?
        .unwrap_or(false);
    Ok((request, entries))
}

fn parameters(scanner: &mut Scanner<'_>) -> Result<Map<String, Json>, JsonError> {
    let at = scanner.at();
    let text = scanner.skip()?;
    match serde_json::from_slice(text) {
        Ok(Json::Object(parameters)) => Ok(parameters),
        Ok(Json::Null) => Ok(Map::new()),
        _ => Err(JsonError {
            at,
            expected: "an object for 'parameters'",
        }),
    }
}

fn flag(parameters: &Map<String, Json>, name: &str) -> Result<Option<bool>, String> {
    match parameters.get(name) {
        None => Ok(None),
        Some(Json::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(format!("The parameter '{name}' must be true or false.")),
    }
}

fn entry<'a>(scanner: &mut Scanner<'a>) -> Result<Entry<'a>, JsonError> {
    let mut entry = Entry::default();
    scanner.object(|scanner, key| {
        match key.as_ref() {
            "name" => entry.name = Some(text(scanner, "a text for 'name'")?),
            "datatype" => entry.datatype = Some(text(scanner, "a text for 'datatype'")?),
            "shape" => entry.shape = Some(shape(scanner)?),
            "parameters" => entry.parameters = parameters(scanner)?,
            "data" => entry.data = Some(scanner.skip()?),
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok(entry)
}

fn text<'a>(scanner: &mut Scanner<'a>, expected: &'static str) -> Result<Cow<'a, str>, JsonError> {
    match scanner.peek() {
        Some(b'"') => scanner.text(),
        _ => scanner.error(expected),
    }
}

fn shape(scanner: &mut Scanner<'_>) -> Result<Vec<usize>, JsonError> {
    let mut shape = Vec::new();
    scanner.list(|scanner| {
        let extent = match scanner.token()? {
            Token::Number(digits) => digits.parse().ok(),
            _ => None,
        };
        match extent {
            Some(extent) if shape.len() < MAX_RANK => shape.push(extent),
            Some(_) => return scanner.error("a shape of at most 64 dimensions"),
            None => return scanner.error("a shape of numbers from 0"),
        }
        Ok(())
    })?;
    Ok(shape)
}

fn requested(scanner: &mut Scanner<'_>) -> Result<RequestedOutput, JsonError> {
    let at = scanner.at();
    let entry = entry(scanner)?;
    let problem = |expected| JsonError { at, expected };
    if entry.parameters.contains_key("classification") {
        return Err(problem(
            "an output without 'classification', which is not supported",
        ));
    }
    if entry.parameters.contains_key("shared_memory_region") {
        return Err(problem(
            "an output without shared memory, which is not supported",
        ));
    }
    Ok(RequestedOutput {
        name: entry
            .name
            .map(Cow::into_owned)
            .ok_or(problem("an output with a 'name'"))?,
        binary: flag(&entry.parameters, "binary_data")
            .map_err(|_| problem("true or false for 'binary_data'"))?,
    })
}

/// The elements that a shape has.
fn count(shape: &[usize]) -> Option<usize> {
    let mut extents = shape.iter().filter(|extent| **extent > 0);
    let count = extents.try_fold(1_usize, |count, extent| count.checked_mul(*extent))?;
    if shape.contains(&0) {
        return (count <= MAX_EMPTY).then_some(0);
    }
    Some(count)
}

fn tensor(index: usize, entry: Entry<'_>, binary: &mut Bytes) -> Result<Tensor, Refusal> {
    let Some(name) = entry.name else {
        return Err(Refusal::parse(format!(
            "Input {} has no 'name'.",
            index + 1
        )));
    };
    let name = name.into_owned();
    let refuse = |text: String| Refusal::parse(format!("Input '{name}': {text}."));
    let Some(datatype) = entry.datatype else {
        return Err(refuse("there is no 'datatype'".to_owned()));
    };
    let datatype = Datatype::of(&datatype)
        .ok_or_else(|| refuse(format!("unknown datatype; there are {}", Datatype::names())))?;
    let Some(shape) = entry.shape else {
        return Err(refuse("there is no 'shape'".to_owned()));
    };
    let count = count(&shape).ok_or_else(|| refuse("the shape is too large".to_owned()))?;
    if entry.parameters.contains_key("shared_memory_region") {
        return Err(refuse(
            "shared memory is not supported; send the data itself".to_owned(),
        ));
    }
    let base64 = entry.parameters.get("content_type").and_then(Json::as_str) == Some("base64");
    let data = match (entry.parameters.get("binary_data_size"), entry.data) {
        (Some(size), None) => {
            let size = size
                .as_u64()
                .and_then(|size| usize::try_from(size).ok())
                .ok_or_else(|| refuse("'binary_data_size' must be a number of bytes".to_owned()))?;
            if size > binary.len() {
                return Err(refuse(format!(
                    "'binary_data_size' is {size}, but {} bytes are left in the body",
                    binary.len()
                )));
            }
            data::from_bytes(datatype, count, binary.split_to(size)).map_err(refuse)?
        }
        (None, Some(json)) => data::from_json(datatype, count, json, base64).map_err(refuse)?,
        (Some(_), Some(_)) => {
            return Err(refuse(
                "both 'data' and 'binary_data_size' are there".to_owned(),
            ));
        }
        (None, None) => {
            return Err(refuse(
                "there is no 'data' (nor the parameter 'binary_data_size' of the binary tensor extension)".to_owned(),
            ));
        }
    };
    Ok(Tensor {
        name,
        shape,
        datatype,
        data,
    })
}
