//! Azure's `input_data` payload as MLflow's own.
//!
//! A split frame becomes `dataframe_split`, a list and an object of lists become `inputs`; `params` is kept. What the
//! values mean under the signature is then one and the same for both dialects.

use serde::Deserialize;
use sonic_rs::{JsonValueTrait, LazyValue};

use super::envelope::is_object;
use super::{Decoded, direct};
use crate::contract::{Contract, Layout};
use crate::json::{MAX_JSON_DEPTH, too_deep};
use crate::refusal::Refusal;
use crate::work::ModelCall;

/// A body that is not an Azure payload.
#[derive(Debug, thiserror::Error)]
pub enum AzureError {
    /// Not JSON; `place` says where and why.
    #[error("POST body could not be decoded as JSON: {place}")]
    Json {
        /// What the JSON reader says, with line and column.
        place: String,
    },
    /// JSON, but not an object.
    #[error("POST body should be a JSON dictionary, with the data under the key 'input_data'.")]
    NotAnObject,
    /// JSON, but nested beyond all need.
    #[error("POST body is JSON nested deeper than {MAX_JSON_DEPTH} levels.")]
    TooDeep,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    input_data: Option<LazyValue<'a>>,
    #[serde(borrow, default)]
    params: Option<LazyValue<'a>>,
}

impl<'a> Body<'a> {
    fn read(body: &'a [u8]) -> Result<Self, AzureError> {
        let text = std::str::from_utf8(body).map_err(|error| AzureError::Json {
            place: format!("byte {} is not UTF-8", error.valid_up_to() + 1),
        })?;
        if too_deep(body) {
            return Err(AzureError::TooDeep);
        }
        if let Err(error) = sonic_rs::from_str::<serde::de::IgnoredAny>(text) {
            return Err(broken(&error));
        }
        if !is_object(body) {
            return Err(AzureError::NotAnObject);
        }
        sonic_rs::from_str(text).map_err(|error| broken(&error))
    }

    /// The MLflow body that means the same; `None` when there is no `input_data`.
    fn rewritten(&self) -> Option<Vec<u8>> {
        let data = self.input_data.as_ref()?;
        let key = if is_split(data) {
            "dataframe_split"
        } else {
            "inputs"
        };
        let params = self.params.as_ref().map(LazyValue::as_raw_str);
        let size = data.as_raw_str().len() + params.map_or(0, str::len) + 64;
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(format!("{{\"{key}\": ").as_bytes());
        out.extend_from_slice(data.as_raw_str().as_bytes());
        if let Some(params) = params {
            out.extend_from_slice(b", \"params\": ");
            out.extend_from_slice(params.as_bytes());
        }
        out.push(b'}');
        Some(out)
    }
}

/// The MLflow body that means the same as Azure's `body`; `None` when it has no `input_data`.
pub fn from_input_data(body: &[u8]) -> Result<Option<Vec<u8>>, AzureError> {
    Ok(Body::read(body)?.rewritten())
}

/// What became of a payload under `--strictness azure`.
#[derive(Debug)]
pub enum AzureDecoded {
    /// Every reader agrees on it.
    Call(ModelCall),
    /// Nested beyond all need.
    Refused(AzureError),
    /// Azure's own casts decide, in Python. What strict checking has against the payload may tell why they fail.
    AsItCame(Option<Refusal>),
}

impl Contract {
    /// Azure's `input_data` of plain numbers and nothing beside it, in one pass; `None` where more has to be looked at.
    pub fn decode_plain_input_data(&self, body: &[u8]) -> Option<Decoded> {
        self.decode_plain(body, &direct::AZURE)
    }

    /// Decodes a body of Azure's dialect where it needs no cast. Obligation of the caller: the contract is a strict one.
    pub fn decode_azure(&self, body: &[u8]) -> AzureDecoded {
        let decides = self.azure_reads_alike && !has_long_number(body);
        let plain = decides
            .then(|| self.decode_plain(body, &direct::AZURE))
            .flatten();
        if plain.is_none() && too_deep(body) {
            return AzureDecoded::Refused(AzureError::TooDeep);
        }
        if !decides {
            return AzureDecoded::AsItCame(None);
        }
        let decoded = plain.or_else(|| {
            let rewritten = self.plain_input_data(body)?;
            Some(self.decode_json(&rewritten))
        });
        match decoded {
            Some(Decoded::Call(call)) if call.lossy.is_empty() => AzureDecoded::Call(call),
            Some(Decoded::Refused(refusal)) => AzureDecoded::AsItCame(Some(refusal)),
            _ => AzureDecoded::AsItCame(None),
        }
    }

    /// MLflow's body for one of Azure's in the form that the signature asks for, without params.
    fn plain_input_data(&self, body: &[u8]) -> Option<Vec<u8>> {
        let parsed = Body::read(body).ok()?;
        let data = parsed
            .input_data
            .as_ref()
            .filter(|_| parsed.params.is_none())?;
        let fits = match &self.layout {
            Layout::Columns(_) => is_split(data),
            Layout::Tensor(_) => data.is_array(),
            Layout::Tensors(_) => data.is_object() && !is_split(data),
            Layout::Python(_) => false,
        };
        fits.then(|| parsed.rewritten()).flatten()
    }
}

/// Whether so many digits stand in a row that pandas' reader may refuse them as an integer.
fn has_long_number(json: &[u8]) -> bool {
    const MAX_DIGITS: usize = 18;
    let mut digits = 0;
    json.iter().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits > MAX_DIGITS
    })
}

fn is_split(data: &LazyValue<'_>) -> bool {
    data.is_object() && data.get("columns").is_some() && data.get("data").is_some()
}

fn broken(error: &sonic_rs::Error) -> AzureError {
    // The reader's message quotes the body below its first line; only the place may be shown.
    let text = error.to_string();
    let reason = text
        .split(" at line")
        .next()
        .unwrap_or("malformed")
        .to_owned();
    AzureError::Json {
        place: format!("{reason}: line {} column {}", error.line(), error.column()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(body: &str) -> String {
        String::from_utf8(from_input_data(body.as_bytes()).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn each_form_finds_its_mlflow_key() {
        assert_eq!(
            rewritten(
                r#"{"input_data": {"columns": ["a"], "index": [0], "data": [[1]]}, "params": {"k": 1}}"#
            ),
            r#"{"dataframe_split": {"columns": ["a"], "index": [0], "data": [[1]]}, "params": {"k": 1}}"#
        );
        assert_eq!(
            rewritten(r#"{"input_data": [[1]]}"#),
            r#"{"inputs": [[1]]}"#
        );
        assert_eq!(
            rewritten(r#"{"input_data": {"a": [1]}}"#),
            r#"{"inputs": {"a": [1]}}"#
        );
        assert!(from_input_data(br#"{"inputs": [1]}"#).unwrap().is_none());
    }

    #[test]
    fn only_what_needs_no_cast_is_decoded_for_azure() {
        use crate::contract::Strictness;
        use crate::model::Model;

        let folder = |name: &str| {
            format!(
                "{}/../../conformance/azure/nocode/models/{name}",
                env!("CARGO_MANIFEST_DIR")
            )
        };
        let calls = |name: &str, body: &str| {
            let contract = Contract::compile(&Model::open(&folder(name)).unwrap())
                .beside("2.22.5")
                .with_pandas("2.3.3")
                .with_strictness(Strictness::Strict);
            matches!(
                contract.decode_azure(body.as_bytes()),
                AzureDecoded::Call(_)
            )
        };
        let split = |row: &str| {
            format!(r#"{{"input_data": {{"columns": ["a", "b", "c"], "data": [{row}]}}}}"#)
        };
        assert!(calls("col_sig", &split("[1, 2.5, 3]")));
        for row in [
            "[\"1\", 2, 3]",
            "[true, 2, 3]",
            "[1, 2]",
            "[1, 2, 3, 4]",
            "[1000000000000000000000, 2, 3]",
        ] {
            assert!(!calls("col_sig", &split(row)), "{row}");
        }
        for body in [
            r#"{"input_data": [[1, 2, 3]]}"#,
            r#"{"input_data": {"a": [1], "b": [2], "c": [3]}}"#,
            r#"{"input_data": {"columns": ["a", "b", "c"], "data": [[1, 2, 3]]}, "params": {}}"#,
            r#"{"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1, 2, 3]]}}"#,
        ] {
            assert!(!calls("col_sig", body), "{body}");
        }
        assert!(calls("pf_tensor", r#"{"input_data": [[1, 2, 3, 4]]}"#));
        assert!(!calls("pf_tensor", r#"{"input_data": [["1", 2, 3, 4]]}"#));
        let named = r#"{"input_data": {"tokens": [[1, 2, 3]], "mask": [[1, 1, 1]]}}"#;
        assert!(calls("pf_named", named));
        assert!(
            !calls("pf_mixed", &split("[1, 2, 3]")),
            "text goes to pandas"
        );
        assert!(!calls("llm_str", r#"{"input_data": ["a"]}"#));
    }

    #[test]
    fn a_broken_body_has_its_place_named_and_is_not_echoed() {
        let body = "{\n  \"input_data\": [\n    [1, 2],\n    [3, 4]\n    [5, 6]\n  ]\n}";
        let message = from_input_data(body.as_bytes()).unwrap_err().to_string();
        assert!(message.contains("line 5"), "{message}");
        assert!(!message.contains("[3, 4]"), "{message}");
        assert!(matches!(
            from_input_data(b"[1]"),
            Err(AzureError::NotAnObject)
        ));
    }
}
