//! Inference responses: JSON, or JSON followed by the bytes of tensors.

use arrow_array::{Array, BinaryArray};
use bytes::Bytes;

use super::data::Data;
use super::describe::outputs_of;
use super::outputs;
use super::request::{InferRequest, RequestedOutput, Tensor};
use crate::answer::Answer;
use crate::encode::{EncodeError, json};
use crate::model::Signature;

/// What a response has beside the answer.
#[derive(Clone, Debug)]
pub struct Responder {
    model_name: String,
    model_version: String,
    id: Option<String>,
    wanted: Vec<RequestedOutput>,
    binary: bool,
    declared: Vec<String>,
}

/// The body of a response.
#[derive(Debug)]
pub struct InferResponse {
    /// JSON, and the bytes of tensors behind it.
    pub body: Bytes,
    /// How much of it is JSON, where there are bytes behind it.
    pub json_length: Option<usize>,
}

impl Responder {
    /// The responder to a request for a model of this name, version and signature.
    pub fn to(
        request: &InferRequest,
        model_name: &str,
        model_version: &str,
        signature: Option<&Signature>,
    ) -> Self {
        Self {
            model_name: model_name.to_owned(),
            model_version: model_version.to_owned(),
            id: request.id.clone(),
            wanted: request.outputs.clone(),
            binary: request.binary_output,
            declared: outputs_of(signature)
                .into_iter()
                .map(|output| output.name)
                .collect(),
        }
    }

    /// The response that holds an answer.
    pub fn respond(&self, answer: Answer) -> Result<InferResponse, EncodeError> {
        let tensors = self.chosen(outputs::tensors(answer, &self.declared)?)?;
        let mut head = b"{\"model_name\": ".to_vec();
        let mut tail = Vec::new();
        let mut any_binary = false;
        json::text(&self.model_name, &mut head);
        head.extend_from_slice(b", \"model_version\": ");
        json::text(&self.model_version, &mut head);
        if let Some(id) = &self.id {
            head.extend_from_slice(b", \"id\": ");
            json::text(id, &mut head);
        }
        head.extend_from_slice(b", \"outputs\": [");
        for (index, (tensor, binary)) in tensors.iter().enumerate() {
            if index > 0 {
                head.extend_from_slice(b", ");
            }
            write(tensor, *binary, &mut head, &mut tail);
            any_binary |= *binary;
        }
        head.extend_from_slice(b"]}");
        let json_length = any_binary.then_some(head.len());
        head.append(&mut tail);
        Ok(InferResponse {
            body: head.into(),
            json_length,
        })
    }

    /// The outputs that are wanted, in the order in which they were asked for, each with the wish for bytes.
    fn chosen(&self, mut tensors: Vec<Tensor>) -> Result<Vec<(Tensor, bool)>, EncodeError> {
        if self.wanted.is_empty() {
            let all = tensors.into_iter().map(|tensor| (tensor, self.binary));
            return Ok(all.collect());
        }
        let known: Vec<String> = tensors.iter().map(|tensor| tensor.name.clone()).collect();
        let mut chosen = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            let found = tensors.iter().position(|tensor| tensor.name == wanted.name);
            let Some(found) = found else {
                return Err(EncodeError::UnknownOutput {
                    name: wanted.name.chars().take(100).collect(),
                    known,
                });
            };
            chosen.push((tensors.remove(found), wanted.binary.unwrap_or(self.binary)));
        }
        Ok(chosen)
    }
}

fn write(tensor: &Tensor, binary: bool, head: &mut Vec<u8>, tail: &mut Vec<u8>) {
    head.extend_from_slice(b"{\"name\": ");
    json::text(&tensor.name, head);
    head.extend_from_slice(b", \"datatype\": \"");
    head.extend_from_slice(tensor.datatype.name().as_bytes());
    head.extend_from_slice(b"\", \"shape\": ");
    json::listed(&tensor.shape, head, |extent, out| {
        json::integer(*extent, out)
    });
    if binary {
        let before = tail.len();
        match &tensor.data {
            Data::Fixed(bytes) => tail.extend_from_slice(bytes),
            Data::Bytes(elements) => lengths_and_bytes(elements, tail),
        }
        let size = tail.len() - before;
        head.extend_from_slice(b", \"parameters\": {\"binary_data_size\": ");
        json::integer(size, head);
        head.extend_from_slice(b"}}");
        return;
    }
    head.extend_from_slice(b", \"data\": ");
    match &tensor.data {
        Data::Fixed(bytes) => {
            if let (Some(dtype), Some(size)) = (tensor.datatype.block(), tensor.datatype.size()) {
                json::listed(bytes.chunks_exact(size), head, |element, out| {
                    json::scalar(dtype, element, out);
                });
            }
        }
        Data::Bytes(elements) => {
            json::listed(0..elements.len(), head, |index, out| {
                json::text(&String::from_utf8_lossy(elements.value(index)), out);
            });
        }
    }
    head.push(b'}');
}

fn lengths_and_bytes(elements: &BinaryArray, out: &mut Vec<u8>) {
    for element in elements.iter().flatten() {
        // Elements are below 2 GiB: Arrow's offsets have 32 bits.
        out.extend_from_slice(&(element.len() as u32).to_le_bytes());
        out.extend_from_slice(element);
    }
}
