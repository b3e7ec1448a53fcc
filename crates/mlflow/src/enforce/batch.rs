//! Typed columns (Parquet, Arrow, Open Inference) under a column signature.
//!
//! The batch stands for the frame that `pyarrow` makes of it: integers with nulls are floats there, booleans with nulls
//! objects, dates objects.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, RecordBatch, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType as ArrowType, Field, TimeUnit};

use super::assemble::assemble;
use super::names::{Matched, shown};
use super::table::{Held, Objects, Verdict, incompatible, verdict};
use crate::contract::{CellKind, ColumnLayout, Contract, Layout, Strictness};
use crate::decode::Decoded;
use crate::refusal::Refusal;
use crate::work::ModelCall;

/// Refused columns that one message names.
const LISTED: usize = 10;

/// Why a batch is not decided.
enum Stop {
    Refused(Refusal),
    Undecided,
}

impl Contract {
    /// Enforces a column signature on typed columns, as MLflow does on a frame that came with types: nothing is cast but
    /// what the strict table allows, columns are matched by name, or by position where the signature names none.
    ///
    /// A frame without rows, a model of tensors, and what Rust does not decide are Python's: the caller sends the payload
    /// as it came.
    pub fn enforce_batch(&self, batch: &RecordBatch) -> Decoded {
        let Layout::Columns(layout) = &self.layout else {
            return Decoded::AsItCame;
        };
        let Some(pandas) = self.versions.pandas_major() else {
            return Decoded::AsItCame;
        };
        if batch.num_rows() == 0 {
            return Decoded::AsItCame;
        }
        match enforce(layout, batch, pandas, self.strictness) {
            Ok(call) => Decoded::Call(call),
            Err(Stop::Refused(refusal)) => Decoded::Refused(refusal),
            Err(Stop::Undecided) => Decoded::AsItCame,
        }
    }
}

fn enforce(
    layout: &ColumnLayout,
    batch: &RecordBatch,
    pandas: u32,
    strictness: Strictness,
) -> Result<ModelCall, Stop> {
    let schema = batch.schema();
    let labels: Vec<Option<&str>> = schema
        .fields()
        .iter()
        .map(|field| Some(field.name().as_str()))
        .collect();
    let matched = Matched::columns(layout, &labels).map_err(Stop::Refused)?;
    if repeats(layout, &labels) {
        return Err(Stop::Undecided);
    }
    if strictness == Strictness::Strict && !matched.extra.is_empty() {
        let extra: Vec<&str> = matched.extra.iter().map(String::as_str).collect();
        return Err(Stop::Refused(super::names::unknown_columns(layout, &extra)));
    }
    let mut columns = Vec::with_capacity(matched.positions.len());
    let mut problems = Vec::new();
    for (column, position) in matched.positions.iter().enumerate() {
        let Some(position) = *position else { continue };
        let (array, kind) = (batch.column(position), layout.kinds[column]);
        let name = schema.field(position).name();
        let held = held(array, pandas).ok_or(Stop::Undecided)?;
        match verdict(&held, kind) {
            Verdict::Undecided => return Err(Stop::Undecided),
            Verdict::Refused => problems.push(incompatible(&shown(name), &held, kind)),
            Verdict::Stays => columns.push(kept(name, array, kind)),
            Verdict::Converts => match converted(array, kind) {
                Some(array) => columns.push((kind.field(name), array)),
                None => problems.push(format!(
                    "Failed to convert column {} from type {held} to {}: a value is out of range.",
                    shown(name),
                    kind.name()
                )),
            },
        }
    }
    if !problems.is_empty() {
        return Err(Stop::Refused(Refusal::schema(listed(&problems))));
    }
    let names: Arc<[String]> = columns
        .iter()
        .map(|(field, _)| field.name().clone())
        .collect();
    let names = if *names == *layout.names {
        layout.names.clone()
    } else {
        names
    };
    let input = assemble(Some(names), columns, batch.num_rows()).ok_or(Stop::Undecided)?;
    let mut call = ModelCall::from(input);
    call.lossy.extend(matched.losses());
    Ok(call)
}

/// The problems of all columns, up to a bound.
fn listed(problems: &[String]) -> String {
    let mut message = problems
        .iter()
        .take(LISTED)
        .cloned()
        .collect::<Vec<_>>()
        .join(" ");
    if problems.len() > LISTED {
        message.push_str(&format!(
            " {} more columns have such problems.",
            problems.len() - LISTED
        ));
    }
    message
}

/// Whether a column that the model takes is there twice.
fn repeats(layout: &ColumnLayout, labels: &[Option<&str>]) -> bool {
    let taken: Vec<&str> = if layout.named {
        labels
            .iter()
            .flatten()
            .copied()
            .filter(|label| layout.position(label).is_some())
            .collect()
    } else {
        labels.iter().flatten().copied().collect()
    };
    let mut sorted = taken.clone();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len() != taken.len()
}

/// The pandas type that such a column has; `None` where the values decide or the type is not known here.
fn held(array: &ArrayRef, pandas: u32) -> Option<Held> {
    let nulls = array.null_count() > 0;
    let widened = || Held::Float {
        bits: 64,
        whole_with_missing: true,
    };
    if nulls && array.null_count() == array.len() && matches!(array.data_type(), ArrowType::Boolean)
    {
        return Some(Held::Objects(Objects::Nulls));
    }
    Some(match array.data_type() {
        ArrowType::Boolean if nulls => Held::Objects(Objects::BooleansAndNulls),
        ArrowType::Boolean => Held::Bool,
        integer if nulls && integer.is_integer() => widened(),
        ArrowType::Int8 => signed(8, false),
        ArrowType::Int16 => signed(16, false),
        ArrowType::Int32 => signed(32, false),
        ArrowType::Int64 => {
            let mut values = array.as_primitive::<Int64Type>().values().iter();
            signed(64, values.all(|value| matches!(value, 0 | 1)))
        }
        ArrowType::UInt8 => Held::Unsigned { bits: 8 },
        ArrowType::UInt16 => Held::Unsigned { bits: 16 },
        ArrowType::UInt32 => Held::Unsigned { bits: 32 },
        ArrowType::UInt64 => Held::Unsigned { bits: 64 },
        ArrowType::Float16 => float(16, false),
        ArrowType::Float32 => float(32, false),
        ArrowType::Float64 => float(64, whole_with_missing(array)),
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => texts(array, pandas),
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView => {
            objects(array, Objects::Bytes)
        }
        ArrowType::Date32 => objects(array, Objects::Dates),
        ArrowType::Null => Held::Objects(Objects::Nulls),
        ArrowType::Timestamp(unit, zone) => Held::Moment {
            unit: unit_name(*unit),
            zone: zone.as_ref().map(ToString::to_string),
        },
        _ => return None,
    })
}

fn signed(bits: u8, zero_or_one: bool) -> Held {
    Held::Signed { bits, zero_or_one }
}

fn float(bits: u8, whole_with_missing: bool) -> Held {
    Held::Float {
        bits,
        whole_with_missing,
    }
}

fn texts(array: &ArrayRef, pandas: u32) -> Held {
    if pandas >= 3 {
        Held::Text
    } else {
        objects(array, Objects::Texts)
    }
}

fn objects(array: &ArrayRef, objects: Objects) -> Held {
    if array.null_count() == array.len() {
        return Held::Objects(Objects::Nulls);
    }
    Held::Objects(objects)
}

fn whole_with_missing(array: &ArrayRef) -> bool {
    let values = array.as_primitive::<Float64Type>();
    let missing = values.iter().any(|value| value.is_none_or(f64::is_nan));
    let mut present = values.iter().flatten().filter(|value| !value.is_nan());
    missing && present.all(|value| value.is_finite() && value.fract() == 0.0)
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// A column that stays what it is: in the layout's own Arrow type where that means the same, else as it came.
fn kept(name: &str, array: &ArrayRef, kind: CellKind) -> (Field, ArrayRef) {
    let plain = match array.data_type() {
        ArrowType::LargeUtf8 | ArrowType::Utf8View => Some(ArrowType::Utf8),
        ArrowType::LargeBinary | ArrowType::BinaryView => Some(ArrowType::Binary),
        _ => None,
    };
    let array = plain
        .and_then(|ty| cast_with_options(array, &ty, &CastOptions::default()).ok())
        .unwrap_or_else(|| array.clone());
    if *array.data_type() == kind.arrow()
        && (array.null_count() == 0 || kind.field(name).is_nullable())
    {
        return (kind.field(name), array);
    }
    (Field::new(name, array.data_type().clone(), true), array)
}

/// A column in the declared type; `None` where a value has no place in it.
fn converted(array: &ArrayRef, kind: CellKind) -> Option<ArrayRef> {
    let checked = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    match (array.data_type(), kind) {
        (ArrowType::Null, _) | (_, CellKind::Datetime)
            if array.null_count() == array.len() || *array.data_type() == ArrowType::Null =>
        {
            missing(array.len(), kind)
        }
        (ArrowType::Boolean, CellKind::Double) => Some(floats(array.as_boolean())),
        (_, CellKind::Float | CellKind::Double) => {
            let array = cast_with_options(array, &kind.arrow(), &checked).ok()?;
            Some(without_nulls(&array))
        }
        _ => cast_with_options(array, &kind.arrow(), &checked).ok(),
    }
}

/// A column in which every value is missing.
fn missing(rows: usize, kind: CellKind) -> Option<ArrayRef> {
    match kind {
        CellKind::Double => Some(Arc::new(Float64Array::from(vec![f64::NAN; rows]))),
        CellKind::Datetime => Some(new_null_array(&kind.arrow(), rows)),
        _ => None,
    }
}

fn floats(values: &BooleanArray) -> ArrayRef {
    let floats = values
        .iter()
        .map(|value| value.map_or(f64::NAN, |value| f64::from(u8::from(value))));
    Arc::new(floats.collect::<Float64Array>())
}

/// Floating-point numbers with NaN where a value is missing.
fn without_nulls(array: &ArrayRef) -> ArrayRef {
    if array.null_count() == 0 {
        return array.clone();
    }
    if let Some(values) = array.as_primitive_opt::<Float64Type>() {
        let filled = values.iter().map(|value| value.unwrap_or(f64::NAN));
        return Arc::new(filled.collect::<Float64Array>());
    }
    let values = array.as_primitive::<arrow_array::types::Float32Type>();
    let filled = values.iter().map(|value| value.unwrap_or(f32::NAN));
    Arc::new(filled.collect::<arrow_array::Float32Array>())
}
