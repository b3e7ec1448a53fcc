//! Columns of a frame declared as text: texts stay, and other values stay what they are.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, StringArray, UInt64Array,
};

use super::{Cast, Cell, Inferred, Item, Losses, Stop, each};
use crate::contract::Versions;
use crate::json::View;
use crate::lossy::LossyCast;

pub(super) fn texts(
    items: &[Item<'_>],
    inferred: Inferred,
    versions: &Versions,
) -> Result<Cast, Stop> {
    match inferred {
        Inferred::Text => strings(items, versions),
        Inferred::Nulls => Ok(Cast::new(
            Arc::new(NullArray::new(items.len())),
            Losses::default(),
        )),
        Inferred::Object => Ok(objects(items)),
        Inferred::Bool | Inferred::Int64 | Inferred::UInt64 | Inferred::Float64 => {
            values(items, inferred)
        }
    }
}

fn strings(items: &[Item<'_>], versions: &Versions) -> Result<Cast, Stop> {
    let (texts, losses) = each(items, |item| match (item, item.view()) {
        (_, View::Text(text)) => Cell::Is(Some(text)),
        (_, View::Null) => Cell::Is(None),
        // NaN, where pandas 2 keeps the two apart.
        _ if versions.pandas_major() == Some(3) => Cell::Is(None),
        _ => Cell::Undecided,
    })?;
    let missing = texts.iter().any(Option::is_none);
    if missing && versions.pandas_major().is_none() {
        return Err(Stop::Undecided);
    }
    Ok(Cast::new(Arc::new(StringArray::from_iter(texts)), losses))
}

/// Values of several types, which the model gets as Python reads them.
fn objects(items: &[Item<'_>]) -> Cast {
    let mut losses = Losses::default();
    for (row, item) in items.iter().enumerate() {
        if !matches!(item.view(), View::Null | View::Text(_)) {
            losses.add(LossyCast::KeptInText, row);
        }
    }
    let texts = items.iter().map(|item| match item {
        Item::Value(value) => value.json(),
        Item::Padding => "null",
        Item::Absent => "NaN",
    });
    Cast {
        array: Arc::new(StringArray::from_iter_values(texts)),
        python: Some("json"),
        losses,
    }
}

/// Values of one type, which the model gets as Python values.
fn values(items: &[Item<'_>], inferred: Inferred) -> Result<Cast, Stop> {
    let mut losses = Losses::default();
    for (row, item) in items.iter().enumerate() {
        if !matches!(item.view(), View::Null) {
            losses.add(LossyCast::KeptInText, row);
        }
    }
    let ints = items.iter().map(|item| match item.view() {
        View::Int(int) => int.value(),
        _ => None,
    });
    let array: Option<ArrayRef> = match inferred {
        Inferred::Bool => Some(Arc::new(BooleanArray::from_iter(
            items
                .iter()
                .map(|item| Some(item.view() == View::Bool(true))),
        ))),
        Inferred::Int64 => Some(Arc::new(Int64Array::from_iter(
            ints.map(|value| i64::try_from(value?).ok()),
        ))),
        Inferred::UInt64 => Some(Arc::new(UInt64Array::from_iter(
            ints.map(|value| u64::try_from(value?).ok()),
        ))),
        Inferred::Float64 => Some(Arc::new(Float64Array::from_iter_values(items.iter().map(
            |item| match item.view() {
                View::Int(int) => int.as_f64(),
                View::Float(value) => value,
                _ => f64::NAN,
            },
        )))),
        Inferred::Text | Inferred::Nulls | Inferred::Object => None,
    };
    Ok(Cast {
        array: array.ok_or(Stop::Undecided)?,
        python: Some("object"),
        losses,
    })
}
