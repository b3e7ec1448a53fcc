//! What a payload lost on its way into the types of the signature, column by column.
//!
//! MLflow's casts lose silently; here they are counted, so that a caller can be told and a metric can show them. Names of
//! columns and counts only, never a value.

/// Values of one column that a cast changed, or a part of the payload that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lossy {
    /// The column, tensor or param; empty for an unnamed tensor.
    pub name: String,
    /// What happened.
    pub cast: LossyCast,
    /// How many values it happened to.
    pub count: usize,
}

/// A cast that loses or surprises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LossyCast {
    /// A fraction was cut off: 1.9 became 1.
    Truncated,
    /// An integer outside of the type's range became another one.
    Wrapped,
    /// An integer beyond 2^53 (2^24 for `float`) became the nearest floating-point number.
    Rounded,
    /// A finite number became infinite.
    Overflowed,
    /// A text became a truth value: every text but the empty one is true, `"false"` too.
    TextAsBoolean,
    /// A number became a truth value: everything but 0 is true.
    NumberAsBoolean,
    /// A list or an object became a truth value: whether it holds anything.
    NestedAsBoolean,
    /// A missing value became a truth value.
    MissingAsBoolean,
    /// A text was read as a number.
    TextAsNumber,
    /// A truth value became a number.
    BooleanAsNumber,
    /// A number was read as nanoseconds since 1970.
    NumberAsDatetime,
    /// A time zone was dropped after conversion to UTC.
    ZoneDropped,
    /// A value of another type became its text.
    ValueAsText,
    /// A value stays what it is in a column of texts.
    KeptInText,
    /// Characters outside of the base64 alphabet were skipped.
    SkippedBase64,
    /// The signature does not name this column.
    ExtraColumn,
    /// The signature does not name this param.
    UnknownParam,
}

impl LossyCast {
    /// A stable short name, for labels and headers.
    pub fn name(self) -> &'static str {
        match self {
            LossyCast::Truncated => "truncated",
            LossyCast::Wrapped => "wrapped",
            LossyCast::Rounded => "rounded",
            LossyCast::Overflowed => "overflowed",
            LossyCast::TextAsBoolean => "text_as_boolean",
            LossyCast::NumberAsBoolean => "number_as_boolean",
            LossyCast::NestedAsBoolean => "nested_as_boolean",
            LossyCast::MissingAsBoolean => "missing_as_boolean",
            LossyCast::TextAsNumber => "text_as_number",
            LossyCast::BooleanAsNumber => "boolean_as_number",
            LossyCast::NumberAsDatetime => "number_as_datetime",
            LossyCast::ZoneDropped => "zone_dropped",
            LossyCast::ValueAsText => "value_as_text",
            LossyCast::KeptInText => "kept_in_text",
            LossyCast::SkippedBase64 => "skipped_base64",
            LossyCast::ExtraColumn => "extra_column",
            LossyCast::UnknownParam => "unknown_param",
        }
    }

    /// What happens to the values, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            LossyCast::Truncated => "a fraction would be cut off",
            LossyCast::Wrapped => "an integer is out of range and would become another one",
            LossyCast::Rounded => "an integer is too large to be exact as a floating-point number",
            LossyCast::Overflowed => "a number would become infinite",
            LossyCast::TextAsBoolean => {
                "a string would become a boolean (every text but the empty one is true)"
            }
            LossyCast::NumberAsBoolean => "a number would become a boolean",
            LossyCast::NestedAsBoolean => "a list or an object would become a boolean",
            LossyCast::MissingAsBoolean => "a missing value would become a boolean",
            LossyCast::TextAsNumber => "a string would be read as a number",
            LossyCast::BooleanAsNumber => "a boolean would become a number",
            LossyCast::NumberAsDatetime => "a number would be read as nanoseconds since 1970",
            LossyCast::ZoneDropped => "a time zone would be dropped",
            LossyCast::ValueAsText => "a value would become its text",
            LossyCast::KeptInText => "a value that is no string would stay what it is",
            LossyCast::SkippedBase64 => "characters outside of base64 would be skipped",
            LossyCast::ExtraColumn => "a column that the signature does not name would be left out",
            LossyCast::UnknownParam => {
                "a param that the signature does not declare would be left out"
            }
        }
    }
}
