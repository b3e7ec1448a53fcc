//! Why a payload is refused: the caller's mistake, with the place of each problem and what was expected there.
//!
//! Never holds a value of the payload: names of columns, types and positions only.

use crate::error::ErrorDocument;

/// Which of MLflow's checks refuses; it decides the error code that clients match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Reading and casting the payload: `BAD_REQUEST`.
    Parse,
    /// Enforcing the signature on what was read: `INVALID_PARAMETER_VALUE`, class `SCHEMA_ENFORCEMENT_FAILED`.
    Schema,
    /// Params and type hints: `INVALID_PARAMETER_VALUE`.
    Params,
}

/// A payload that was refused; always the caller's mistake, status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which check refused.
    pub check: Check,
    /// MLflow's sentence first where clients may match on it, then what teaches more.
    pub message: String,
}

impl Refusal {
    /// A refusal while the payload was read or cast.
    pub fn parse(message: impl Into<String>) -> Self {
        Self::of(Check::Parse, message)
    }

    /// A refusal by the signature.
    pub fn schema(message: impl Into<String>) -> Self {
        Self::of(Check::Schema, message)
    }

    /// A refusal of params.
    pub fn params(message: impl Into<String>) -> Self {
        Self::of(Check::Params, message)
    }

    fn of(check: Check, message: impl Into<String>) -> Self {
        Self {
            check,
            message: message.into(),
        }
    }

    /// The refusal as MLflow's error document; its status is 400.
    pub fn document(&self) -> ErrorDocument {
        match self.check {
            Check::Parse => ErrorDocument::bad_request(&*self.message),
            Check::Schema => {
                ErrorDocument::invalid(&*self.message, "KAM01", "SCHEMA_ENFORCEMENT_FAILED")
            }
            Check::Params => {
                ErrorDocument::invalid(&*self.message, "KAM00", "INVALID_PARAMETER_VALUE")
            }
        }
    }
}
