//! The params of a call, enforced: what `predict` gets as its `params`.
//!
//! Knows values and their order; which are allowed is the contract's matter.

use serde_json::Value;

/// Named values in the order in which `predict` sees them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(pub Vec<(String, Value)>);
