//! The body as text, and the one payload of its outer object.

use super::Stop;
use crate::contract::Layout;
use crate::enforce::{Matched, nearest};
use crate::json::{Value, View};
use crate::refusal::Refusal;

/// The payload keys of the protocol, in the order in which messages list them.
const FIELDS: [&str; 4] = [
    "dataframe_split",
    "dataframe_records",
    "inputs",
    "instances",
];

/// Any of these makes a body an unwrapped LLM payload.
const LLM_KEYS: [&str; 3] = ["messages", "prompt", "input"];

const EXPECTED: &str = "The input must be a JSON dictionary with exactly one of the input fields {'dataframe_split', \
                        'dataframe_records', 'inputs', 'instances'}";

/// A payload form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Split,
    Records,
    Inputs,
    Instances,
}

/// The one payload of a body, and its params.
pub(super) struct Envelope<'d> {
    pub(super) form: Form,
    pub(super) data: Value<'d>,
    pub(super) params: Option<Value<'d>>,
}

/// The text of a body, in the encodings that Python's reader would find in it.
pub(super) fn text(body: &[u8]) -> Result<&str, Stop> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let wide = body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff");
    if wide || body.iter().take(4).any(|byte| *byte == 0) {
        return Err(Stop::Undecided);
    }
    std::str::from_utf8(body).map_err(|error| {
        let surrogates = |pair: &[u8]| matches!(pair, [0xed, 0xa0..=0xbf]);
        if body.windows(2).any(surrogates) {
            return Stop::Undecided;
        }
        Stop::Refused(malformed(&format!(
            "byte {} is not UTF-8",
            error.valid_up_to() + 1
        )))
    })
}

/// The refusal of a body that is no JSON.
pub(super) fn malformed(problem: &str) -> Refusal {
    Refusal::parse(format!(
        "Invalid input. Ensure that input is a valid JSON formatted string. Error: '{problem}'"
    ))
}

impl<'d> Envelope<'d> {
    /// The payload of a body's outermost value.
    pub(super) fn of(root: Value<'d>, layout: &Layout) -> Result<Self, Stop> {
        match root.view() {
            View::Object(_) => {}
            View::List(_) => {
                let message = format!("Invalid input. {EXPECTED}. Received a list.");
                return Err(Refusal::parse(message).into());
            }
            _ => {
                let class = root.python_class();
                let message = format!(
                    "Invalid input. {EXPECTED}. Received unexpected input type '<class '{class}'>."
                );
                return Err(Refusal::parse(message).into());
            }
        }
        let members = root.members();
        let find = |key: &str| {
            members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| *value)
        };
        if LLM_KEYS.iter().any(|key| find(key).is_some()) {
            let keys = members
                .iter()
                .map(|(key, _)| key.as_ref())
                .collect::<Vec<&str>>();
            return Err(unwrapped(layout, &keys));
        }
        let present: Vec<&str> = FIELDS
            .into_iter()
            .filter(|field| find(field).is_some())
            .collect();
        let ([field], Some(data)) = (
            present.as_slice(),
            present.first().and_then(|field| find(field)),
        ) else {
            let keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
            return Err(Refusal::parse(none_or_several(&present, &keys)).into());
        };
        let form = match *field {
            "dataframe_split" => Form::Split,
            "dataframe_records" => Form::Records,
            "inputs" => Form::Inputs,
            _ => Form::Instances,
        };
        Ok(Self {
            form,
            data,
            params: find("params"),
        })
    }
}

/// An unwrapped LLM payload: its keys are the columns, and one that is missing is refused, whatever the others hold.
fn unwrapped(layout: &Layout, keys: &[&str]) -> Stop {
    let Layout::Columns(layout) = layout else {
        return Stop::Undecided;
    };
    let labels: Vec<Option<&str>> = keys.iter().map(|key| Some(*key)).collect();
    match Matched::columns(layout, &labels) {
        Err(refusal) if layout.named => Stop::Refused(refusal),
        _ => Stop::Undecided,
    }
}

fn none_or_several(present: &[&str], keys: &[&str]) -> String {
    let listed: Vec<String> = present.iter().map(|field| format!("'{field}'")).collect();
    let mut message = format!(
        "{EXPECTED}. Received dictionary with input fields: [{}].",
        listed.join(", ")
    );
    if !present.is_empty() {
        message.push_str(" Send one of them.");
        return message;
    }
    let meant = keys
        .iter()
        .find_map(|key| nearest(key, FIELDS.into_iter()).map(|meant| (meant, key)));
    match meant {
        Some((meant, key)) => {
            let key = crate::enforce::shown(key);
            message.push_str(&format!(" Did you mean '{meant}' instead of '{key}'?"));
        }
        None if keys.contains(&"input_data") => message.push_str(
            " 'input_data' is Azure's form, which is taken on its own route.",
        ),
        None => message.push_str(
            " IMPORTANT: The MLflow Model scoring protocol has changed in MLflow version 2.0: a frame needs one of these \
             keys around it.",
        ),
    }
    message
}
