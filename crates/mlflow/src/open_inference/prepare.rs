//! What a request asks of the model: typed inputs where the contract decides, else MLflow's own payload.

use bytes::Bytes;
use serde_json::Value as Json;
use sonic_rs::LazyValue;

use super::frame::Frame;
use super::json;
use super::request::{InferRequest, Tensor};
use crate::block::DenseBlock;
use crate::contract::{Contract, Layout, PythonReason};
use crate::decode::Decoded;
use crate::input::Input;
use crate::model::{ColumnSpec, Schema, Signature};
use crate::refusal::Refusal;
use crate::work::{ModelCall, RawRequest};

/// A request in the words of the contract.
#[derive(Debug)]
pub enum Prepared {
    /// Decoded and enforced.
    Call(ModelCall),
    /// A body of MLflow's JSON protocol that means the same: for [`Contract::decode_json`], or for Python.
    Json(Bytes),
    /// A payload that only the model's own MLflow reads.
    Raw(RawRequest),
}

/// The content type of MLflow 1.x for a frame in split orientation.
const SPLIT_1X: &str = "application/json; format=pandas-split";

impl Contract {
    /// Puts a request under the contract. Tensors are typed, so MLflow's strict table judges them; columns that have no
    /// type in the protocol (dates, binary, nested) go as MLflow's JSON, where texts stand for them.
    pub fn from_open_inference(
        &self,
        request: InferRequest,
        signature: Option<&Signature>,
    ) -> Result<Prepared, Refusal> {
        let params = json::params(&request, signature);
        let params = params.as_deref();
        match signature.and_then(|signature| signature.inputs.as_ref()) {
            _ if matches!(self.layout, Layout::Python(PythonReason::TypeHint)) => {
                json::by_hint(&request.inputs, params).map(Prepared::Json)
            }
            Some(Schema::Columns(columns)) => self.infer_columns(request, columns, params),
            Some(Schema::Tensors(_)) => self.infer_tensors(&request, params),
            None if request.parameter("content_type") == Some("pd") => {
                self.split(&Frame::of(request.inputs, &[])?, &[], params)
            }
            None => json::inputs(&request.inputs, params).map(Prepared::Json),
        }
    }

    fn infer_columns(
        &self,
        request: InferRequest,
        columns: &[ColumnSpec],
        params: Option<&[u8]>,
    ) -> Result<Prepared, Refusal> {
        let unnamed = columns.iter().all(|column| column.name.is_none());
        if unnamed && request.inputs.len() == 1 {
            // Numbered columns: the array itself.
            return json::inputs(&request.inputs, params).map(Prepared::Json);
        }
        let frame = Frame::of(request.inputs, columns)?;
        if let Some(decoded) = self.enforced(&frame, columns) {
            match self.with_given(decoded, params) {
                Decoded::Call(call) => return Ok(Prepared::Call(call)),
                Decoded::Refused(refusal) => return Err(refusal),
                Decoded::AsItCame => {}
            }
        }
        self.split(&frame, columns, params)
    }

    fn enforced(&self, frame: &Frame, columns: &[ColumnSpec]) -> Option<Decoded> {
        let Layout::Columns(layout) = &self.layout else {
            return None;
        };
        if let Frame::Matrix(matrix) = frame
            && let Some(block) = matrix.block()
            && layout.dense == Some(block.dtype)
            && block.rows() > 0
        {
            let block = block.with_columns(layout.names.clone());
            return Some(Decoded::Call(Input::Frame(block).into()));
        }
        let batch = frame.batch(columns)?;
        Some(self.enforce_batch(&batch))
    }

    fn split(
        &self,
        frame: &Frame,
        columns: &[ColumnSpec],
        params: Option<&[u8]>,
    ) -> Result<Prepared, Refusal> {
        let split = json::split(frame, columns)?;
        if self.speaks_1x() {
            return Ok(Prepared::Raw(RawRequest::invocation(
                SPLIT_1X,
                split.into(),
            )));
        }
        Ok(Prepared::Json(json::envelope(
            "dataframe_split",
            &split,
            params,
        )))
    }

    fn infer_tensors(
        &self,
        request: &InferRequest,
        params: Option<&[u8]>,
    ) -> Result<Prepared, Refusal> {
        let declared: &[(String, crate::contract::TensorLayout)] = match &self.layout {
            Layout::Tensors(declared) => declared,
            _ => &[],
        };
        let texts = match &self.layout {
            Layout::Tensor(layout) => layout.is_text(),
            Layout::Tensors(layouts) => layouts.iter().any(|(_, layout)| layout.is_text()),
            _ => false,
        };
        let typed = match &self.layout {
            Layout::Tensor(_) | Layout::Tensors(_) if !texts => {
                let taken = |tensor: &&Tensor| {
                    declared.is_empty() || declared.iter().any(|(name, _)| *name == tensor.name)
                };
                typed(request.inputs.iter().filter(taken))?
            }
            _ => None,
        };
        if let Some(tensors) = typed
            && tensors.iter().all(|(_, block)| !block.shape.contains(&0))
        {
            match self.with_given(self.enforce_tensors(tensors), params) {
                Decoded::Call(call) => return Ok(Prepared::Call(call)),
                Decoded::Refused(refusal) => return Err(refusal),
                Decoded::AsItCame => {}
            }
        }
        let named = self.names_tensors(request);
        if named {
            json::named(&request.inputs, params).map(Prepared::Json)
        } else {
            json::inputs(&request.inputs, params).map(Prepared::Json)
        }
    }

    /// An enforced call with the params that the request gives, a JSON object.
    fn with_given(&self, decoded: Decoded, params: Option<&[u8]>) -> Decoded {
        match (decoded, params) {
            (Decoded::Call(call), Some(params)) => {
                match sonic_rs::from_slice::<LazyValue<'_>>(params) {
                    Ok(params) => match self.with_params(call.input, Some(&params)) {
                        Decoded::Call(with) => Decoded::Call(ModelCall {
                            lossy: call.lossy,
                            ..with
                        }),
                        other => other,
                    },
                    Err(_) => Decoded::AsItCame,
                }
            }
            (decoded, _) => decoded,
        }
    }

    /// Whether the model takes tensors by name, as far as the layout tells; else by their number.
    fn names_tensors(&self, request: &InferRequest) -> bool {
        match &self.layout {
            Layout::Tensors(_) => true,
            Layout::Tensor(_) => false,
            _ => request.inputs.len() > 1,
        }
    }
}

/// The tensors as blocks; refuses those of a type that no numeric tensor has.
fn typed<'a>(
    tensors: impl Iterator<Item = &'a Tensor>,
) -> Result<Option<Vec<(String, DenseBlock)>>, Refusal> {
    let mut blocks = Vec::new();
    for tensor in tensors {
        let Some(block) = tensor.block() else {
            return Err(Refusal::schema(format!(
                "dtype of input '{}' does not match: it came as {}, which is none of the types that the signature declares.",
                tensor.name,
                tensor.datatype.name()
            )));
        };
        blocks.push((tensor.name.clone(), block));
    }
    Ok(Some(blocks))
}

/// A parameter of the request as JSON.
pub(crate) fn written(value: &Json) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
