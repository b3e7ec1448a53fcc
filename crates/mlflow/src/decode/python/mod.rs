//! Payloads that are not clean, decided as Python would: read, put into a frame or an array, cast, enforced, or refused.
//!
//! The quick readers beside this module take what needs no cast, and give up at the first odd value; then this one reads
//! the body again, into an index over its text, and repeats what MLflow, pandas and numpy do with it. It is slower, and it
//! knows the answer to nearly everything; what it does not know is left to Python.

mod envelope;
mod finish;
mod frame;
mod inputs;
mod nested;
mod report;
mod scalar_rows;
mod strict;
mod tensor_frame;
mod tensors;
#[cfg(test)]
mod tests;

use super::Decoded;
use crate::contract::{Contract, Layout, Strictness};
use crate::json::{Document, ReadError};
use crate::refusal::Refusal;

/// Shorter bodies make no large frame.
const SMALL_BODY: usize = 16 << 10;

/// Why a payload gives no input.
#[derive(Debug)]
pub(super) enum Stop {
    /// MLflow refuses it.
    Refused(Refusal),
    /// Only Python knows.
    Undecided,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl Contract {
    /// What MLflow's server does with a body that the quick readers did not take.
    pub(super) fn decode_as_python(&self, body: &[u8]) -> Decoded {
        if matches!(self.layout, Layout::Python(_)) || !self.versions.known_server() {
            return Decoded::AsItCame;
        }
        match self.decide(body) {
            Ok(decoded) => decoded,
            Err(Stop::Refused(refusal)) => Decoded::Refused(refusal),
            Err(Stop::Undecided) => Decoded::AsItCame,
        }
    }

    /// What becomes of a body that Python decides: it may make no frame of holes, larger than memory, and strict checking looks
    /// at each value.
    pub(super) fn left_to_python(&self, body: &[u8]) -> Decoded {
        let strict = self.strictness == Strictness::Strict;
        if !strict && body.len() < SMALL_BODY {
            return Decoded::AsItCame;
        }
        self.refused(body, strict)
            .map_or(Decoded::AsItCame, Decoded::Refused)
    }

    fn refused(&self, body: &[u8], strict: bool) -> Option<Refusal> {
        let document = Document::read(envelope::text(body).ok()?).ok()?;
        let envelope = envelope::Envelope::of(document.root(), &self.layout).ok()?;
        let rows = match envelope.form {
            envelope::Form::Split => frame::member(envelope.data, "data"),
            _ => Some(envelope.data),
        };
        if let Some(Err(Stop::Refused(refusal))) = rows.map(frame::bounded_rows) {
            return Some(refusal);
        }
        if strict {
            self.refused_strictly(&envelope)
        } else {
            None
        }
    }

    fn decide(&self, body: &[u8]) -> Result<Decoded, Stop> {
        let text = envelope::text(body)?;
        let document = Document::read(text).map_err(|error| match error {
            ReadError::Syntax { .. } => Stop::Refused(envelope::malformed(&error.to_string())),
            ReadError::Unreadable => Stop::Undecided,
        })?;
        let envelope = envelope::Envelope::of(document.root(), &self.layout)?;
        let input = match &self.layout {
            Layout::Columns(layout) => self.under_columns(layout, &envelope)?,
            Layout::Tensor(layout) => self.under_tensor(layout, &envelope)?,
            Layout::Tensors(layouts) => self.under_tensors(layouts, &envelope)?,
            Layout::Python(_) => return Err(Stop::Undecided),
        };
        finish::call(self, input, envelope.params)
    }
}
