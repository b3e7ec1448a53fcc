//! Lossy casts of payloads: counted per column, and named in a header of the answer to a request that asks for it.
//!
//! A request asks with `x-sluis-report: casts`. Names and counts only, never a value.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sluis_mlflow::model::{Schema, Signature};
use sluis_mlflow::{Lossy, LossyCast, Work};

use crate::served::Served;

const REPORT: HeaderName = HeaderName::from_static("x-sluis-report");
const CASTS: HeaderName = HeaderName::from_static("x-sluis-casts");

/// Bytes of the header at most: heads of answers have limits of their own everywhere.
const MAX_HEADER: usize = 4096;

/// The label of what the signature does not name: callers choose such names.
const OTHER: &str = "(not in the signature)";

/// What the payload of a request lost, on the way from its decoding to its answer.
#[derive(Clone, Debug)]
pub(crate) struct Casts(Vec<Lossy>);

impl Casts {
    /// The casts of some work, counted in the metrics.
    pub(crate) fn of(served: &Served, work: &Work) -> Self {
        let Work::Call(call) = work else {
            return Self(Vec::new());
        };
        for lossy in &call.lossy {
            let known = served
                .identity
                .signature
                .as_ref()
                .is_some_and(|signature| names(signature, lossy));
            let column = if known { lossy.name.as_str() } else { OTHER };
            served.metrics.cast(column, lossy.cast.name(), lossy.count);
        }
        Self(call.lossy.clone())
    }

    /// Lays the casts beside an answer, for [`report`].
    pub(crate) fn lay_beside(self, response: &mut Response) {
        if !self.0.is_empty() {
            response.extensions_mut().insert(self);
        }
    }
}

/// Whether the signature names what was cast.
fn names(signature: &Signature, lossy: &Lossy) -> bool {
    if matches!(lossy.cast, LossyCast::ExtraColumn | LossyCast::UnknownParam) {
        return false;
    }
    let name = lossy.name.as_str();
    let is = |given: Option<&str>| given.unwrap_or_default() == name;
    let input = match &signature.inputs {
        None => false,
        Some(Schema::Columns(columns)) => columns.iter().any(|column| is(column.name.as_deref())),
        Some(Schema::Tensors(tensors)) => tensors.iter().any(|tensor| is(tensor.name.as_deref())),
    };
    let mut params = signature.params.iter().flatten();
    input || params.any(|param| param.name == name)
}

/// Whether a request asks what its payload lost.
pub(crate) fn asked(headers: &HeaderMap) -> bool {
    let values = headers.get_all(REPORT).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case("casts"))
}

/// Names the casts in the answer's header: `age=truncated:2, %C3%A9=wrapped:1`, or `none`.
pub(crate) fn report(response: &mut Response) {
    let casts = response.extensions_mut().remove::<Casts>();
    let text = casts.map_or_else(|| "none".to_owned(), |casts| listed(&casts.0));
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(CASTS, value);
    }
}

fn listed(casts: &[Lossy]) -> String {
    let mut text = String::new();
    for (position, lossy) in casts.iter().enumerate() {
        let entry = format!(
            "{}={}:{}",
            utf8_percent_encode(&lossy.name, ENDING),
            lossy.cast.name(),
            lossy.count
        );
        if text.len() + entry.len() > MAX_HEADER {
            let _infallible = write!(text, ", and {} more", casts.len() - position);
            return text;
        }
        if position > 0 {
            text.push_str(", ");
        }
        text.push_str(&entry);
    }
    text
}

/// What a name in a header is without: what would end it, and what is not ASCII, is percent-encoded.
const ENDING: &AsciiSet = &CONTROLS.add(b' ').add(b',').add(b'=').add(b':').add(b'%');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_are_listed_within_bounds_and_without_breaking_the_header() {
        let lossy = |name: &str, count| Lossy {
            name: name.to_owned(),
            cast: LossyCast::Truncated,
            count,
        };
        assert_eq!(
            listed(&[lossy("age", 2), lossy("a, b=é\n", 1)]),
            "age=truncated:2, a%2C%20b%3D%C3%A9%0A=truncated:1"
        );
        let many: Vec<Lossy> = (0..1000)
            .map(|n| lossy(&format!("column_{n}"), 1))
            .collect();
        let text = listed(&many);
        assert!(
            text.len() < MAX_HEADER + 32 && text.ends_with(" more"),
            "{text}"
        );
        assert!(HeaderValue::from_str(&text).is_ok());
    }

    #[test]
    fn what_the_caller_names_is_no_label() {
        let signature = Signature {
            inputs: Some(Schema::Tensors(Vec::new())),
            ..Signature::default()
        };
        let extra = Lossy {
            name: "x".to_owned(),
            cast: LossyCast::ExtraColumn,
            count: 1,
        };
        assert!(!names(&signature, &extra));
    }
}
