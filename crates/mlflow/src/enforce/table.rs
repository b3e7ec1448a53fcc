//! The conversion table of column signatures: which pandas type may stand for which declared type.
//!
//! Knows types only; values have been looked at before, where a type alone does not decide.

use std::fmt;

use crate::contract::CellKind;

/// The pandas type of a column, as far as the table tells types apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Bool,
    /// Signed integers of so many bits.
    Signed {
        bits: u8,
        /// Whether all values are 0 or 1.
        zero_or_one: bool,
    },
    Unsigned {
        bits: u8,
    },
    Float {
        bits: u8,
        /// Whether values are missing and all others are whole: integers that pandas widened.
        whole_with_missing: bool,
    },
    /// The `str` type of pandas 3.
    Text,
    Objects(Objects),
    /// `datetime64` in this unit.
    Moment {
        unit: &'static str,
        zone: Option<String>,
    },
}

/// What a column of Python objects holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objects {
    Texts,
    BooleansAndNulls,
    Nulls,
    Bytes,
    Dates,
}

/// What the table says to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It stays as it is.
    Stays,
    /// It becomes the declared type.
    Converts,
    /// It is refused.
    Refused,
    /// Its values decide, in Python.
    Undecided,
}

/// The verdict on a column of type `held` that is declared as `kind`.
pub(crate) fn verdict(held: &Held, kind: CellKind) -> Verdict {
    use CellKind::{Binary, Boolean, Datetime, Double, Float, Integer, Long, Text};
    let fits = |fits| {
        if fits {
            Verdict::Converts
        } else {
            Verdict::Refused
        }
    };
    match (held, kind) {
        (Held::Bool, Boolean) => Verdict::Stays,
        (Held::Signed { bits, .. }, Integer) => fits(*bits <= 32),
        (Held::Signed { .. }, Long) => Verdict::Converts,
        (Held::Signed { bits, zero_or_one }, Double) => {
            fits(*bits <= 32 || (*bits == 64 && *zero_or_one))
        }
        (Held::Signed { bits, zero_or_one }, Float) => fits(*bits == 64 && *zero_or_one),
        (Held::Unsigned { bits }, Integer) => fits(*bits < 32),
        (Held::Unsigned { bits }, Long) => fits(*bits < 64),
        (Held::Unsigned { bits }, Double) => fits(*bits <= 32),
        (Held::Float { bits, .. }, Float) => fits(*bits <= 32),
        (Held::Float { .. }, Double) => Verdict::Converts,
        (Held::Text, Text | Binary) | (Held::Objects(_), Text | Binary) => Verdict::Stays,
        (Held::Objects(objects), _) => objects_verdict(*objects, kind),
        (Held::Moment { zone: None, .. }, Datetime) => Verdict::Converts,
        _ => Verdict::Refused,
    }
}

fn objects_verdict(objects: Objects, kind: CellKind) -> Verdict {
    use CellKind::{Boolean, Datetime, Double};
    match (objects, kind) {
        (_, Boolean) => Verdict::Stays,
        // pandas 2 parses them, and which texts are numbers or dates is its to say.
        (Objects::Texts, Double | Datetime) | (Objects::Bytes, Double) => Verdict::Undecided,
        (Objects::Nulls, Double | Datetime)
        | (Objects::BooleansAndNulls, Double)
        | (Objects::Dates, Datetime) => Verdict::Converts,
        _ => Verdict::Refused,
    }
}

impl fmt::Display for Held {
    /// pandas' name of the type.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Bool => formatter.write_str("bool"),
            Held::Signed { bits, .. } => write!(formatter, "int{bits}"),
            Held::Unsigned { bits } => write!(formatter, "uint{bits}"),
            Held::Float { bits, .. } => write!(formatter, "float{bits}"),
            Held::Text => formatter.write_str("str"),
            Held::Objects(_) => formatter.write_str("object"),
            Held::Moment { unit, zone: None } => write!(formatter, "datetime64[{unit}]"),
            Held::Moment {
                unit,
                zone: Some(zone),
            } => write!(formatter, "datetime64[{unit}, {zone}]"),
        }
    }
}

/// MLflow's sentence about a column of another type than declared, and what helps.
pub(crate) fn incompatible(column: &str, held: &Held, kind: CellKind) -> String {
    if matches!(held, Held::Moment { zone: Some(_), .. }) && kind == CellKind::Datetime {
        return format!(
            "Please ensure that the input data of datetime column only contains timezone-naive datetime objects. Column \
             {column} holds {held}: convert it to UTC and drop the zone."
        );
    }
    let mut message = format!(
        "Incompatible input types for column {column}. Can not safely convert {held} to {}.",
        kind.numpy_name()
    );
    let hint = match (held, kind) {
        (
            Held::Float {
                whole_with_missing: true,
                ..
            },
            CellKind::Integer | CellKind::Long,
        ) => {
            " Hint: the type mismatch is likely caused by missing values, which integer columns cannot hold: pandas \
             widened the integers to floats. Fill the missing values, or declare the column as double."
        }
        (Held::Signed { bits: 64, .. }, CellKind::Integer | CellKind::Float | CellKind::Double)
        | (Held::Float { bits: 64, .. }, CellKind::Float) => {
            " The declared type is too narrow for all values of this one: send the column in the declared type."
        }
        _ => "",
    };
    message.push_str(hint);
    message
}
