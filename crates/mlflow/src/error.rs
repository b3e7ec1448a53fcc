//! Errors as MLflow's scoring server answers them: a status, and a JSON document that clients match on.
//!
//! Codes, classes and SQL states are those of MLflow 3.17; which situation gets which is its scoring server's.

use serde::{Deserialize, Serialize};

/// The body of an error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDocument {
    /// MLflow's error code, on which clients match.
    pub error_code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// SQL state, where MLflow has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlstate: Option<String>,
    /// MLflow's error class, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
}

impl ErrorDocument {
    /// A request that is malformed, or a model that raised on it: `BAD_REQUEST`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::of(
            "BAD_REQUEST",
            message,
            Some(("KAM00", "INVALID_PARAMETER_VALUE")),
        )
    }

    /// A payload that the signature or the params schema refuses: `INVALID_PARAMETER_VALUE`.
    pub(crate) fn invalid(message: impl Into<String>, state: &str, class: &str) -> Self {
        Self::of("INVALID_PARAMETER_VALUE", message, Some((state, class)))
    }

    /// An error code without class and state.
    pub fn plain(error_code: &str, message: impl Into<String>) -> Self {
        Self::of(error_code, message, None)
    }

    fn of(error_code: &str, message: impl Into<String>, class: Option<(&str, &str)>) -> Self {
        Self {
            error_code: error_code.to_owned(),
            message: message.into(),
            sqlstate: class.map(|(state, _)| state.to_owned()),
            error_class: class.map(|(_, class)| class.to_owned()),
        }
    }

    /// The document as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_else(|_| b"{}".to_vec())
    }
}

/// MLflow's sentence for a model that raised an exception of its own.
pub const MODEL_RAISED: &str = "Encountered an unexpected error while evaluating the model. Verify that the serialized \
    input Dataframe is compatible with the model for inference.";

/// An error body of MLflow's server without what should not leave the server: the stack trace, and the caller's data
/// that MLflow quotes in its messages. Bodies that are not MLflow's error documents stay as they are.
pub fn without_private_parts(body: &[u8]) -> Option<Vec<u8>> {
    let mut document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).ok()?;
    if !document.contains_key("error_code") {
        return None;
    }
    document.shift_remove("stack_trace");
    if let Some(serde_json::Value::String(message)) = document.get_mut("message") {
        *message = without_data(message);
    }
    serde_json::to_vec(&document).ok()
}

/// MLflow's message without the payload that it quotes.
fn without_data(message: &str) -> String {
    let message = cut(
        message,
        "Failed to predict data '",
        "'. \nError: ",
        "Failed to predict. Error: ",
    );
    let message = cut(
        &message,
        "Failed to enforce schema of data '",
        "' with schema '",
        "Failed to enforce schema '",
    );
    match message.find("\nInput: \n") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

/// Replaces `open … close`, up to the last `close`, by `instead`.
fn cut(message: &str, open: &str, close: &str, instead: &str) -> String {
    match (message.find(open), message.rfind(close)) {
        (Some(start), Some(end)) if start < end => {
            format!(
                "{}{instead}{}",
                &message[..start],
                &message[end + close.len()..]
            )
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_payloads_and_traces_leave_the_message() {
        let body = br#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "Failed to predict data '   a\n0  secret'. \nError: Failed to enforce schema of data '   a\n0  secret' with schema '['b': long (required)]'. Error: Model is missing inputs ['b'].", "stack_trace": "File /srv"}"#;
        let cleaned = String::from_utf8(without_private_parts(body).unwrap()).unwrap();
        assert!(
            !cleaned.contains("secret") && !cleaned.contains("/srv"),
            "{cleaned}"
        );
        assert!(
            cleaned.contains("Model is missing inputs ['b']."),
            "{cleaned}"
        );
        assert!(
            cleaned.contains("with schema") || cleaned.contains("enforce schema '['b'"),
            "{cleaned}"
        );
    }

    #[test]
    fn bodies_of_other_kinds_stay() {
        assert!(without_private_parts(b"Internal Server Error").is_none());
        assert!(without_private_parts(b"{\"detail\": 1}").is_none());
    }
}
