//! Payload bytes to typed inputs, under an input contract.
//!
//! A decoder answers in one of three ways: the [`Input`] that the model gets; the [`Refusal`] that MLflow would give, with
//! the places of what is wrong; or [`Decoded::AsItCame`]: the payload is one that Rust does not decide, and goes to Python
//! unchanged. What Rust decides means exactly what MLflow makes of it.
//!
//! Clean JSON is read straight into typed cells; [`python`] decides what those readers give up.

mod arrow;
mod azure;
mod builder;
mod cell;
mod columnar;
mod columns;
mod csv;
mod decimal;
mod direct;
mod envelope;
mod frame;
#[cfg(test)]
mod laws;
mod numbers;
mod parquet;
mod python;
mod rows;
mod sink;
mod tensor;
mod tensorflow;
#[cfg(test)]
mod tests;

pub use azure::{AzureDecoded, AzureError, from_input_data};
pub(crate) use cell::{Cell, into_bytes};
use envelope::{Envelope, Payload};
use sonic_rs::LazyValue;
pub use tensorflow::PredictRequest;
pub(crate) use tensorflow::broken;

use crate::contract::{CheckedParams, Contract, Layout, Strictness};
use crate::enforce::shown;
use crate::input::Input;
use crate::json::{MAX_JSON_DEPTH, too_deep};
use crate::lossy::{Lossy, LossyCast};
use crate::refusal::Refusal;
use crate::work::{CallOptions, ModelCall};

/// What became of a payload.
#[derive(Debug)]
pub enum Decoded {
    /// Rust decoded and enforced it.
    Call(ModelCall),
    /// Rust knows that MLflow refuses it.
    Refused(Refusal),
    /// Python decides.
    AsItCame,
}

impl Contract {
    /// Decodes the body of an `application/json` request to MLflow's scoring protocol.
    pub fn decode_json(&self, body: &[u8]) -> Decoded {
        match self.decide_json(body) {
            Decoded::AsItCame => self.left_to_python(body),
            decided => decided,
        }
    }

    fn decide_json(&self, body: &[u8]) -> Decoded {
        if let Some(decoded) = self.decode_plain(body, &direct::MLFLOW) {
            return decoded;
        }
        // The readers below follow nested lists by recursion.
        if too_deep(body) {
            return Decoded::Refused(Refusal::parse(format!(
                "Invalid input. The JSON is nested deeper than {MAX_JSON_DEPTH} levels."
            )));
        }
        // The quick readers do not tell what a large integer loses.
        if self.counts_losses() {
            return self.decode_as_python(body);
        }
        match self.try_json(body) {
            Some(Decoded::AsItCame) | None => self.decode_as_python(body),
            Some(decoded) => decoded,
        }
    }

    /// A payload of plain numbers and nothing else.
    fn decode_plain(&self, body: &[u8], keys: &direct::Keys) -> Option<Decoded> {
        if self.speaks_1x() || (self.counts_losses() && !direct::is_exact(&self.layout)) {
            return None;
        }
        let (input, left_out) = direct::read(&self.layout, body, keys)?;
        if !left_out.is_empty() && self.strictness != Strictness::Mlflow {
            return None;
        }
        let mut decoded = self.with_params(input, None);
        if let Decoded::Call(call) = &mut decoded {
            call.lossy.extend(left_out);
        }
        Some(decoded)
    }

    /// Whether every value that loses anything has to be told.
    fn counts_losses(&self) -> bool {
        self.strictness == Strictness::Strict && self.versions.known_server()
    }

    fn try_json(&self, body: &[u8]) -> Option<Decoded> {
        if matches!(self.layout, Layout::Python(_)) {
            return None;
        }
        let mut envelope = Envelope::read(body)?;
        let params = envelope.params.take();
        let input = self.try_payload(envelope.payload()?)?;
        Some(self.with_params(input, params.as_ref()))
    }

    /// The call of an enforced payload and its params: MLflow checks params last, so a problem of the data hides theirs.
    pub(crate) fn with_params(&self, input: Input, params: Option<&LazyValue<'_>>) -> Decoded {
        match self.params.check(params) {
            CheckedParams::Enforced { unknown, .. }
                if self.strictness == Strictness::Strict && !unknown.is_empty() =>
            {
                Decoded::Refused(self.params.unknown(&unknown))
            }
            CheckedParams::Enforced { params, unknown } => Decoded::Call(ModelCall {
                input,
                options: CallOptions {
                    params,
                    ..CallOptions::default()
                },
                lossy: unknown.iter().map(|name| unknown_param(name)).collect(),
            }),
            CheckedParams::Refused(refusal) => Decoded::Refused(refusal),
            CheckedParams::Undecided => Decoded::AsItCame,
        }
    }

    /// What the quick readers do about columns that the signature does not name: where this is reported or refused, they
    /// give up.
    fn extras_here(&self) -> rows::Extras {
        if self.versions.known_server() || self.strictness == Strictness::Strict {
            rows::Extras::Undecided
        } else {
            rows::Extras::Dropped
        }
    }

    fn try_payload(&self, payload: Payload<'_>) -> Option<Input> {
        if self.speaks_1x() && matches!(payload, Payload::Inputs(_) | Payload::Instances(_)) {
            return None;
        }
        match (&self.layout, payload) {
            (Layout::Columns(layout), Payload::Split(value)) => {
                frame::from_split(layout, &value, self.extras_here())
            }
            (Layout::Columns(layout), Payload::Records(value)) => {
                frame::from_records(layout, &value, self.extras_here())
            }
            (Layout::Columns(layout), Payload::Inputs(value) | Payload::Instances(value)) => {
                frame::from_inputs(layout, &value)
            }
            (Layout::Tensor(layout), Payload::Inputs(value) | Payload::Instances(value)) => {
                tensor::from_list(layout, &value).map(Input::Tensor)
            }
            (Layout::Tensors(layouts), Payload::Inputs(value)) => {
                tensor::from_object(layouts, &value)
            }
            _ => None,
        }
    }
}

/// A param that the signature does not name, which the model does not get.
fn unknown_param(name: &str) -> Lossy {
    Lossy {
        name: shown(name),
        cast: LossyCast::UnknownParam,
        count: 1,
    }
}
