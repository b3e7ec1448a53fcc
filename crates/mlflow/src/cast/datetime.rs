//! Columns of a frame declared as datetime, as `pandas.to_datetime` reads them.
//!
//! Only ISO texts of one shape are decided: pandas guesses a format from the first, and how others fit it is its own.

use std::sync::Arc;

use arrow_array::{NullArray, TimestampNanosecondArray};

use super::moment::{self, Shape, Zone};
use super::{Cast, Cell, Faults, Inferred, Item, Losses, Stop, each};
use crate::contract::Versions;
use crate::json::View;
use crate::lossy::LossyCast;

pub(super) fn moments(
    items: &[Item<'_>],
    inferred: Inferred,
    versions: &Versions,
) -> Result<Cast, Stop> {
    if !versions.one_date_format() {
        return Err(Stop::Undecided);
    }
    match inferred {
        Inferred::Nulls => Ok(Cast::new(
            Arc::new(TimestampNanosecondArray::from(vec![None; items.len()])),
            Losses::default(),
        )),
        Inferred::Bool => Err(Stop::Faults(all(items))),
        Inferred::Int64 | Inferred::Float64 => numbers(items, inferred),
        Inferred::Text => texts(items),
        Inferred::UInt64 => Err(Stop::Undecided),
        Inferred::Object => nested(items),
    }
}

fn all(items: &[Item<'_>]) -> Faults {
    let mut faults = Faults::default();
    for (row, item) in items.iter().enumerate() {
        faults.add(row, item.found());
    }
    faults
}

/// Lists and objects are no moments, whatever else the column holds.
fn nested(items: &[Item<'_>]) -> Result<Cast, Stop> {
    let (_, _) = each(items, |item| match item.view() {
        View::List(_) | View::Object(_) => Cell::Fault,
        _ => Cell::<()>::Undecided,
    })?;
    Err(Stop::Undecided)
}

/// Numbers are nanoseconds since 1970.
fn numbers(items: &[Item<'_>], inferred: Inferred) -> Result<Cast, Stop> {
    let (values, losses) = each(items, |item| match item.view() {
        View::Null => Cell::Is(None),
        View::Int(int) => match int.value().and_then(|value| i64::try_from(value).ok()) {
            Some(i64::MIN) | None => Cell::Undecided,
            Some(value) => Cell::Lost(Some(value), LossyCast::NumberAsDatetime),
        },
        View::Float(value) if value.is_nan() => Cell::Is(None),
        View::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Cell::Lost(Some(value as i64), LossyCast::NumberAsDatetime)
        }
        _ => Cell::Undecided,
    })?;
    // Beside a missing value or a fraction, integers went over a double.
    let widened = inferred == Inferred::Float64;
    let large = values.iter().flatten().any(|value| value.abs() >= 1 << 53);
    if widened && large {
        return Err(Stop::Undecided);
    }
    Ok(Cast::new(
        Arc::new(TimestampNanosecondArray::from(values)),
        losses,
    ))
}

fn texts(items: &[Item<'_>]) -> Result<Cast, Stop> {
    let mut shape: Option<Shape> = None;
    let mut zoned = false;
    let (values, losses) = each(items, |item| match item.view() {
        View::Text(text) if text.is_empty() => Cell::Is(None),
        View::Text(text) => match moment::read(&text) {
            None if moment::is_no_date(&text) => Cell::Fault,
            None => Cell::Undecided,
            Some(moment) if shape.is_some_and(|shape| clash(shape, moment.shape)) => Cell::Fault,
            Some(moment) if shape.is_some_and(|shape| shape != moment.shape) => Cell::Undecided,
            Some(moment) => {
                shape = Some(moment.shape);
                zoned |= moment.shape.zone != Zone::None;
                moment
                    .nanoseconds
                    .map_or(Cell::Fault, |value| Cell::Is(Some(value)))
            }
        },
        _ => Cell::Is(None),
    })?;
    if zoned {
        return Ok(Cast::new(Arc::new(NullArray::new(items.len())), losses));
    }
    Ok(Cast::new(
        Arc::new(TimestampNanosecondArray::from(values)),
        losses,
    ))
}

/// Whether a text of one shape does not fit the format that pandas guessed from one of the other: a date alone beside a
/// date with a time.
fn clash(first: Shape, other: Shape) -> bool {
    let zones = first.zone != Zone::None || other.zone != Zone::None;
    !zones && first.separator.is_some() != other.separator.is_some()
}
