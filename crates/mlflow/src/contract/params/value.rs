//! One value of a param under its declared type.

use serde_json::Value;

use super::json::Json;
use super::moment::{self, Reading};
use crate::model::{DataType, ParamSpec, Property};
use crate::params::ParamValue;

/// Unknown names that a message lists.
const MAX_NAMES: usize = 8;

/// A declared type whose rules are known.
#[derive(Clone, Debug)]
pub(super) enum ParamType {
    Single(Scalar),
    /// Shape `[-1]`.
    List(Scalar),
    Object(DataType),
    /// Any given value is Python's to judge.
    Undecided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    Text,
    Datetime,
}

/// What MLflow makes of a value.
#[derive(Debug, PartialEq)]
pub(super) enum Judged {
    Good(ParamValue),
    /// Refused, in MLflow's words.
    Bad(String),
    Undecided,
}

impl ParamType {
    pub(super) fn of(spec: &ParamSpec) -> Self {
        match (Scalar::of(&spec.ty), spec.shape.as_deref()) {
            (Some(scalar), None) => ParamType::Single(scalar),
            (Some(scalar), Some([-1])) => ParamType::List(scalar),
            (None, None) if matches!(spec.ty, DataType::Object(_)) => {
                ParamType::Object(spec.ty.clone())
            }
            _ => ParamType::Undecided,
        }
    }

    /// A default that a model gets as the signature has it: a single value of just this type. None for others, which Python may
    /// see otherwise than they are written.
    pub(super) fn plain(&self, default: &Value) -> Option<ParamValue> {
        let ParamType::Single(scalar) = self else {
            return None;
        };
        match (scalar, default) {
            (_, Value::Null) => Some(ParamValue::Null),
            (Scalar::Boolean, Value::Bool(value)) => Some(ParamValue::Boolean(*value)),
            (Scalar::Text, Value::String(text)) => Some(ParamValue::Text(text.clone())),
            (Scalar::Integer | Scalar::Long, Value::Number(number)) => {
                number.as_i64().map(ParamValue::Integer)
            }
            (Scalar::Float | Scalar::Double, Value::Number(number)) if number.is_f64() => {
                number.as_f64().map(ParamValue::Float)
            }
            _ => None,
        }
    }

    /// `shown` is the declaration as MLflow writes it.
    pub(super) fn judge(&self, value: Json, shown: &str) -> Judged {
        let judged = match self {
            ParamType::Single(scalar) => scalar.judge(value),
            ParamType::List(scalar) => match value {
                Json::List(values) => scalar.judge_all(values),
                other => {
                    return Judged::Bad(format!(
                        "Value must be a 1D array with shape (-1,) for param {shown}, received {} with ndim 0",
                        other.python_type()
                    ));
                }
            },
            ParamType::Object(ty) => judge_object(value, ty),
            ParamType::Undecided => Judged::Undecided,
        };
        match judged {
            Judged::Bad(why) => Judged::Bad(format!(
                "Failed to validate type and shape for {shown}, error: {why}"
            )),
            other => other,
        }
    }
}

impl Scalar {
    fn of(ty: &DataType) -> Option<Self> {
        Some(match ty {
            DataType::Boolean => Scalar::Boolean,
            DataType::Integer => Scalar::Integer,
            DataType::Long => Scalar::Long,
            DataType::Float => Scalar::Float,
            DataType::Double => Scalar::Double,
            DataType::String => Scalar::Text,
            DataType::Datetime => Scalar::Datetime,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Scalar::Boolean => "boolean",
            Scalar::Integer => "integer",
            Scalar::Long => "long",
            Scalar::Float => "float",
            Scalar::Double => "double",
            Scalar::Text => "string",
            Scalar::Datetime => "datetime",
        }
    }

    fn judge(self, value: Json) -> Judged {
        let found = value.python_type();
        match (self, value) {
            (_, Json::Null) => Judged::Good(ParamValue::Null),
            (Scalar::Datetime, value) => judge_datetime(&value),
            (Scalar::Boolean, Json::Boolean(value)) => Judged::Good(ParamValue::Boolean(value)),
            (Scalar::Text, Json::Text(text)) => Judged::Good(ParamValue::Text(text)),
            (Scalar::Integer | Scalar::Long, Json::Integer(number)) => {
                Judged::Good(ParamValue::Integer(number))
            }
            // Python's integers have no bound.
            (Scalar::Integer | Scalar::Long, Json::Huge(_)) => Judged::Undecided,
            (Scalar::Float | Scalar::Double, Json::Float(number) | Json::Huge(number)) => {
                Judged::Good(ParamValue::Float(number))
            }
            (Scalar::Float | Scalar::Double, Json::Integer(number)) => {
                Judged::Good(ParamValue::Float(number as f64))
            }
            (scalar, Json::List(_) | Json::Object(_)) => Judged::Bad(format!(
                "Value must be a scalar for type `DataType.{}`, got `{found}`",
                scalar.name()
            )),
            (scalar, _) => Judged::Bad(format!(
                "Can not safely convert `<class '{found}'>` to `DataType.{}`",
                scalar.name()
            )),
        }
    }

    /// The elements of a list. Whether nested lists make an array at all is numpy's to say.
    fn judge_all(self, values: Vec<Json>) -> Judged {
        if values.iter().any(|value| matches!(value, Json::List(_))) {
            return Judged::Undecided;
        }
        let (mut good, mut bad) = (Vec::with_capacity(values.len()), None);
        for value in values {
            match self.judge(value) {
                Judged::Good(value) => good.push(value),
                // MLflow stops at the first, but what it cannot read at all it meets as well.
                Judged::Bad(why) => bad = bad.or(Some(why)),
                Judged::Undecided => return Judged::Undecided,
            }
        }
        bad.map_or(Judged::Good(ParamValue::List(good)), Judged::Bad)
    }
}

fn judge_datetime(value: &Json) -> Judged {
    let refused = || {
        Judged::Bad(format!(
            "Failed to convert value from type `<class '{}'>` to `DataType.datetime`; a date is written as 2024-01-02 or 2024-01-02T03:04:05",
            value.python_type()
        ))
    };
    let Json::Text(text) = value else {
        return refused();
    };
    match moment::read(text) {
        Reading::Is(value) => Judged::Good(value),
        Reading::IsNot => refused(),
        Reading::TooFine => Judged::Bad(
            "Failed to convert value to `DataType.datetime`. It must be convertible to datetime.date/datetime: \
             no more than six digits of a second's fraction"
                .to_owned(),
        ),
        Reading::Undecided => Judged::Undecided,
    }
}

/// An object, which MLflow checks and then hands on as it came.
fn judge_object(value: Json, ty: &DataType) -> Judged {
    let DataType::Object(properties) = ty else {
        return Judged::Undecided;
    };
    let Json::Object(entries) = value else {
        return Judged::Bad(format!(
            "Failed to enforce schema with type '{ty}'. Expected data to be dictionary, got {}",
            value.python_type()
        ));
    };
    if let Some(problem) = wrong_keys(&entries, properties) {
        return Judged::Bad(problem);
    }
    let mut kept = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let Some(property) = properties.iter().find(|property| property.name == key) else {
            return Judged::Undecided;
        };
        match judge_property(value, property) {
            Judged::Good(value) => kept.push((key, value)),
            other => return other,
        }
    }
    Judged::Good(ParamValue::Object(kept))
}

fn wrong_keys(entries: &[(String, Json)], properties: &[Property]) -> Option<String> {
    let has = |name: &str| entries.iter().any(|(key, _)| key == name);
    let missing: Vec<String> = properties
        .iter()
        .filter(|property| property.required && !has(&property.name))
        .map(|property| super::words::quoted(&property.name))
        .collect();
    if !missing.is_empty() {
        return Some(format!(
            "Missing required properties: {{{}}}",
            missing.join(", ")
        ));
    }
    let known = |key: &str| properties.iter().any(|property| property.name == key);
    let unknown: Vec<String> = entries
        .iter()
        .filter(|(key, _)| !known(key))
        .take(MAX_NAMES)
        .map(|(key, _)| super::words::quoted(key))
        .collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "Invalid properties not defined in the schema found: {{{}}}",
            unknown.join(", ")
        )
    })
}

/// The values that fit without a cast are known here; the casts of a one-value pandas column are Python's.
fn judge_property(value: Json, property: &Property) -> Judged {
    match (&property.ty, value) {
        (DataType::String, Json::Text(text)) => Judged::Good(ParamValue::Text(text)),
        (DataType::Long, Json::Integer(number)) => Judged::Good(ParamValue::Integer(number)),
        (DataType::Double, Json::Float(number)) => Judged::Good(ParamValue::Float(number)),
        (DataType::Boolean, Json::Boolean(value)) => Judged::Good(ParamValue::Boolean(value)),
        (ty, Json::Null) if ty.is_scalar() && !property.required => Judged::Good(ParamValue::Null),
        (DataType::Object(_), Json::Object(entries)) if !entries.is_empty() => {
            judge_object(Json::Object(entries), &property.ty)
        }
        _ => Judged::Undecided,
    }
}
