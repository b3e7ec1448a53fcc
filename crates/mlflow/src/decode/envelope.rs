//! The outer object of MLflow's JSON protocol: which payload form it holds.
//!
//! Values stay raw slices of the body; nothing is parsed twice but their delimiters.

use serde::{Deserialize, Deserializer};
use sonic_rs::LazyValue;

/// The keys of the protocol; all others are ignored, as MLflow's server does.
#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    dataframe_split: Option<LazyValue<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    dataframe_records: Option<LazyValue<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    instances: Option<LazyValue<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    inputs: Option<LazyValue<'a>>,
    /// Params for the call, where the model declares any.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) params: Option<LazyValue<'a>>,
    // Any of these makes the body an unwrapped LLM payload, which Python reads.
    #[serde(borrow, default, deserialize_with = "present")]
    messages: Option<LazyValue<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    prompt: Option<LazyValue<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    input: Option<LazyValue<'a>>,
}

/// The one payload of an envelope.
pub(crate) enum Payload<'a> {
    Split(LazyValue<'a>),
    Records(LazyValue<'a>),
    Instances(LazyValue<'a>),
    Inputs(LazyValue<'a>),
}

impl<'a> Envelope<'a> {
    /// The envelope of a body that is one JSON object without a repeated key of the protocol.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        // Checked here: raw values are handed on as text.
        let text = std::str::from_utf8(body).ok()?;
        if !is_object(body) || has_negative_zero(body) {
            return None;
        }
        sonic_rs::from_str(text).ok()
    }

    /// The payload, when there is exactly one and no key of an LLM payload.
    pub(crate) fn payload(self) -> Option<Payload<'a>> {
        if self.messages.is_some() || self.prompt.is_some() || self.input.is_some() {
            return None;
        }
        match (
            self.dataframe_split,
            self.dataframe_records,
            self.instances,
            self.inputs,
        ) {
            (Some(value), None, None, None) => Some(Payload::Split(value)),
            (None, Some(value), None, None) => Some(Payload::Records(value)),
            (None, None, Some(value), None) => Some(Payload::Instances(value)),
            (None, None, None, Some(value)) => Some(Payload::Inputs(value)),
            _ => None,
        }
    }
}

/// Whether the first character opens an object: a derived reader would take a list for one, field by field.
pub(crate) fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

/// Whether a number may be minus zero, whose sign the JSON reader does not keep. Texts that look like it count too.
fn has_negative_zero(json: &[u8]) -> bool {
    memchr::memmem::find_iter(json, b"-0").any(|start| {
        let rest = &json[start + 2..];
        let end = rest.iter().find(|byte| !matches!(byte, b'0' | b'.'));
        !end.is_some_and(u8::is_ascii_digit)
    })
}

/// Keeps "the key is there and holds null" apart from "the key is absent".
fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<LazyValue<'a>>, D::Error> {
    LazyValue::deserialize(deserializer).map(Some)
}
