//! Values as the elements of a numpy array of the declared type: the way of `inputs` and `instances`.
//!
//! Each value is cast by itself, and what is out of range is refused where a data frame wraps it.

use std::sync::Arc;

use arrow_array::{
    BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampNanosecondArray,
};

use super::moment::{self, Zone};
use super::number_text::{self, Parsed};
use super::{Cast, Cell, Item, Stop, each, numeric};
use crate::contract::{CellKind, Versions};
use crate::json::View;
use crate::lossy::LossyCast;

/// The elements of an array of the declared type.
pub(crate) fn array(items: &[Item<'_>], kind: CellKind, versions: &Versions) -> Result<Cast, Stop> {
    Ok(match kind {
        CellKind::Boolean => {
            let (values, losses) = each(items, truth)?;
            Cast::new(Arc::new(BooleanArray::from(values)), losses)
        }
        CellKind::Integer => {
            let range = i64::from(i32::MIN)..=i64::from(i32::MAX);
            let (values, losses) = each(items, |item| match whole(item) {
                Cell::Is(value) if range.contains(&value) => Cell::Is(value as i32),
                Cell::Lost(value, loss) if range.contains(&value) => Cell::Lost(value as i32, loss),
                Cell::Undecided => Cell::Undecided,
                Cell::Is(_) | Cell::Lost(..) if !versions.numpy_2() => Cell::Undecided,
                _ => Cell::Fault,
            })?;
            Cast::new(Arc::new(Int32Array::from(values)), losses)
        }
        CellKind::Long => {
            let (values, losses) = each(items, whole)?;
            Cast::new(Arc::new(Int64Array::from(values)), losses)
        }
        CellKind::Float => {
            let (values, losses) = each(items, |item| numeric::single(item, false))?;
            Cast::new(Arc::new(Float32Array::from(values)), losses)
        }
        CellKind::Double => {
            let (values, losses) = each(items, numeric::double)?;
            Cast::new(Arc::new(Float64Array::from(values)), losses)
        }
        CellKind::Text => {
            let (values, losses) = each(items, text)?;
            Cast::new(Arc::new(StringArray::from_iter_values(values)), losses)
        }
        CellKind::Binary => {
            let (values, losses) = each(items, |item| match text(item) {
                Cell::Is(text) if text.is_ascii() => Cell::Is(text),
                Cell::Lost(text, loss) if text.is_ascii() => Cell::Lost(text, loss),
                Cell::Undecided => Cell::Undecided,
                _ => Cell::Fault,
            })?;
            Cast::new(Arc::new(BinaryArray::from_iter_values(values)), losses)
        }
        CellKind::Datetime => {
            let (values, losses) = each(items, instant)?;
            Cast::new(Arc::new(TimestampNanosecondArray::from(values)), losses)
        }
    })
}

/// One value as a truth value, by `bool()`.
pub(crate) fn truth(item: Item<'_>) -> Cell<bool> {
    match item.view() {
        View::Null => Cell::Lost(false, LossyCast::MissingAsBoolean),
        View::Bool(value) => Cell::Is(value),
        View::Int(int) => Cell::Lost(!int.is_zero(), LossyCast::NumberAsBoolean),
        View::Float(value) => Cell::Lost(value != 0.0, LossyCast::NumberAsBoolean),
        View::Text(text) => Cell::Lost(!text.is_empty(), LossyCast::TextAsBoolean),
        View::List(_) => Cell::Undecided,
        View::Object(count) => Cell::Lost(count > 0, LossyCast::NestedAsBoolean),
    }
}

/// One value as a 64-bit integer, by `int()`.
pub(crate) fn whole(item: Item<'_>) -> Cell<i64> {
    match item.view() {
        View::Bool(value) => Cell::Lost(i64::from(value), LossyCast::BooleanAsNumber),
        View::Int(int) => int
            .value()
            .and_then(|value| i64::try_from(value).ok())
            .map_or(Cell::Fault, Cell::Is),
        View::Float(value) => numeric::truncated(value, true),
        View::Text(text) => match number_text::int(&text) {
            Parsed::Is(value) => i64::try_from(value).map_or(Cell::Fault, |value| {
                Cell::Lost(value, LossyCast::TextAsNumber)
            }),
            Parsed::No => Cell::Fault,
            Parsed::Undecided => Cell::Undecided,
        },
        View::Null | View::List(_) | View::Object(_) => Cell::Fault,
    }
}

/// One value as its text, by `str()`; numpy drops NULs at the end.
pub(super) fn text(item: Item<'_>) -> Cell<String> {
    let text = match item.view() {
        View::Text(text) => return Cell::Is(text.trim_end_matches('\0').to_owned()),
        View::Null => "None".to_owned(),
        View::Bool(true) => "True".to_owned(),
        View::Bool(false) => "False".to_owned(),
        View::Int(int) => int.digits().to_owned(),
        View::Float(value) => match float_text(value) {
            Some(text) => text,
            None => return Cell::Undecided,
        },
        View::List(_) | View::Object(_) => return Cell::Undecided,
    };
    Cell::Lost(text, LossyCast::ValueAsText)
}

/// A float as Python writes it, where that needs no exponent.
fn float_text(value: f64) -> Option<String> {
    if value.is_nan() {
        return Some("nan".to_owned());
    }
    if value.is_infinite() {
        return Some(if value > 0.0 { "inf" } else { "-inf" }.to_owned());
    }
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        return Some(format!("{value:?}"));
    }
    None
}

/// One value as nanoseconds since 1970, as numpy reads it.
fn instant(item: Item<'_>) -> Cell<Option<i64>> {
    match item.view() {
        View::Null => Cell::Is(None),
        View::Text(text) if text.is_empty() => Cell::Is(None),
        View::Text(text) => match moment::read(&text) {
            Some(moment) => match (moment.nanoseconds, moment.shape.zone) {
                (None, _) => Cell::Undecided,
                (Some(value), Zone::None) => Cell::Is(Some(value)),
                (Some(value), _) => Cell::Lost(Some(value), LossyCast::ZoneDropped),
            },
            None if moment::is_no_date(&text) => Cell::Fault,
            None => Cell::Undecided,
        },
        View::Bool(value) => Cell::Lost(Some(i64::from(value)), LossyCast::NumberAsDatetime),
        View::Int(int) => match int.value().map(i64::try_from) {
            Some(Ok(i64::MIN)) => Cell::Undecided,
            Some(Ok(value)) => Cell::Lost(Some(value), LossyCast::NumberAsDatetime),
            _ => Cell::Fault,
        },
        View::Float(_) | View::Object(_) => Cell::Fault,
        View::List(_) => Cell::Undecided,
    }
}
