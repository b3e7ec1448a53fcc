//! Columns of a frame as truth values, integers and floating-point numbers.
//!
//! What pandas inferred decides the way: a column of integers is cast bit by bit, one of Python values each by `int()`,
//! `float()` or `bool()`.

use std::sync::Arc;

use arrow_array::{BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array};

use super::number_text::{self, Parsed};
use super::{Cast, Cell, Inferred, Item, Stop, each};
use crate::contract::Versions;
use crate::json::{Int, View};
use crate::lossy::LossyCast;

/// Where a float that is out of an integer's range becomes the smallest integer; other processors do otherwise.
const IS_X86: bool = cfg!(target_arch = "x86_64");

/// Integers up to here are exact in a double.
const EXACT_IN_F64: u64 = 1 << 53;

/// Integers up to here are exact in a `float`.
const EXACT_IN_F32: u64 = 1 << 24;

pub(super) fn booleans(
    items: &[Item<'_>],
    inferred: Inferred,
    versions: &Versions,
) -> Result<Cast, Stop> {
    let missing_text = match (inferred, versions.pandas_major()) {
        (Inferred::Text, None) => None,
        // The `str` type of pandas 3 has NaN for what is missing, which is true.
        (Inferred::Text, Some(3)) => Some(true),
        // In a column of Python values None is false, and NaN true.
        _ => Some(false),
    };
    let (values, losses) = each(items, |item| match item.view() {
        View::Bool(value) => Cell::Is(value),
        View::Int(int) => Cell::Lost(!int.is_zero(), LossyCast::NumberAsBoolean),
        View::Float(value) if value.is_nan() => Cell::Lost(true, LossyCast::MissingAsBoolean),
        View::Float(value) => Cell::Lost(value != 0.0, LossyCast::NumberAsBoolean),
        View::Text(text) => Cell::Lost(!text.is_empty(), LossyCast::TextAsBoolean),
        View::List(count) | View::Object(count) => {
            Cell::Lost(count > 0, LossyCast::NestedAsBoolean)
        }
        // A column of numbers has NaN for it.
        View::Null if inferred == Inferred::Float64 => {
            Cell::Lost(true, LossyCast::MissingAsBoolean)
        }
        View::Null => missing_text.map_or(Cell::Undecided, |value| {
            Cell::Lost(value, LossyCast::MissingAsBoolean)
        }),
    })?;
    Ok(Cast::new(Arc::new(BooleanArray::from(values)), losses))
}

pub(super) fn longs(items: &[Item<'_>], inferred: Inferred) -> Result<Cast, Stop> {
    let (values, losses) = each(items, |item| wide(item, inferred))?;
    Ok(Cast::new(Arc::new(Int64Array::from(values)), losses))
}

pub(super) fn integers(
    items: &[Item<'_>],
    inferred: Inferred,
    versions: &Versions,
) -> Result<Cast, Stop> {
    let by_bits = matches!(inferred, Inferred::Int64 | Inferred::UInt64);
    let (values, losses) = each(items, |item| {
        let (wide, loss) = match wide(item, inferred) {
            Cell::Is(value) => (value, None),
            Cell::Lost(value, loss) => (value, Some(loss)),
            Cell::Fault => return Cell::Fault,
            Cell::Undecided => return Cell::Undecided,
        };
        match (i32::try_from(wide), loss) {
            (Ok(value), None) => Cell::Is(value),
            (Ok(value), Some(loss)) if by_bits && loss == LossyCast::Wrapped => {
                Cell::Lost(value, loss)
            }
            (Ok(value), Some(loss)) => Cell::Lost(value, loss),
            (Err(_), _) if by_bits => Cell::Lost(wide as i32, LossyCast::Wrapped),
            // A float that is out of range becomes what the processor makes of it.
            (Err(_), _) if inferred == Inferred::Float64 && IS_X86 => {
                Cell::Lost(i32::MIN, LossyCast::Wrapped)
            }
            (Err(_), _) if inferred == Inferred::Float64 => Cell::Undecided,
            (Err(_), _) if versions.numpy_2() => Cell::Fault,
            (Err(_), _) => Cell::Undecided,
        }
    })?;
    Ok(Cast::new(Arc::new(Int32Array::from(values)), losses))
}

/// One value as 64 bits.
fn wide(item: Item<'_>, inferred: Inferred) -> Cell<i64> {
    match (item.view(), inferred) {
        (View::Bool(value), _) => Cell::Lost(i64::from(value), LossyCast::BooleanAsNumber),
        (View::Int(int), Inferred::Float64) => truncated(int.as_f64(), false),
        (View::Int(int), _) => match int.value() {
            Some(value) => match i64::try_from(value) {
                Ok(value) => Cell::Is(value),
                Err(_) if inferred == Inferred::UInt64 => {
                    Cell::Lost(value as i64, LossyCast::Wrapped)
                }
                Err(_) => Cell::Fault,
            },
            None => Cell::Fault,
        },
        (View::Float(value), _) => truncated(value, inferred != Inferred::Float64),
        (View::Text(text), _) => match number_text::int(&text) {
            Parsed::Is(value) => i64::try_from(value).map_or(Cell::Fault, |value| {
                Cell::Lost(value, LossyCast::TextAsNumber)
            }),
            Parsed::No => Cell::Fault,
            Parsed::Undecided => Cell::Undecided,
        },
        (View::Null | View::List(_) | View::Object(_), _) => Cell::Fault,
    }
}

/// A float as an integer; `checked` where Python does it, which refuses what is out of range.
pub(super) fn truncated(value: f64, checked: bool) -> Cell<i64> {
    if !value.is_finite() {
        return Cell::Fault;
    }
    let whole = value.trunc();
    // 2^63 is exact in a double, and the first that does not fit.
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole) {
        return if checked {
            Cell::Fault
        } else if IS_X86 {
            Cell::Lost(i64::MIN, LossyCast::Wrapped)
        } else {
            Cell::Undecided
        };
    }
    if whole == value {
        Cell::Is(whole as i64)
    } else {
        Cell::Lost(whole as i64, LossyCast::Truncated)
    }
}

pub(super) fn doubles(items: &[Item<'_>], _inferred: Inferred) -> Result<Cast, Stop> {
    let (values, losses) = each(items, double)?;
    Ok(Cast::new(Arc::new(Float64Array::from(values)), losses))
}

pub(super) fn floats(items: &[Item<'_>], inferred: Inferred) -> Result<Cast, Stop> {
    let by_bits = matches!(inferred, Inferred::Int64 | Inferred::UInt64);
    let (values, losses) = each(items, |item| single(item, by_bits))?;
    Ok(Cast::new(Arc::new(Float32Array::from(values)), losses))
}

/// One value as a double, as `float()` makes it.
pub(super) fn double(item: Item<'_>) -> Cell<f64> {
    match item.view() {
        View::Null => Cell::Is(f64::NAN),
        View::Bool(value) => Cell::Lost(f64::from(u8::from(value)), LossyCast::BooleanAsNumber),
        View::Int(int) => {
            let value = int.as_f64();
            if value.is_infinite() {
                return Cell::Fault;
            }
            if is_exact(int, EXACT_IN_F64, value) {
                Cell::Is(value)
            } else {
                Cell::Lost(value, LossyCast::Rounded)
            }
        }
        View::Float(value) => Cell::Is(value),
        View::Text(text) => match number_text::float(&text) {
            Parsed::Is(value) => Cell::Lost(value, LossyCast::TextAsNumber),
            Parsed::No => Cell::Fault,
            Parsed::Undecided => Cell::Undecided,
        },
        View::List(_) | View::Object(_) => Cell::Fault,
    }
}

/// One value as a `float`; `by_bits` where integers need no detour over a double.
pub(super) fn single(item: Item<'_>, by_bits: bool) -> Cell<f32> {
    if let (View::Int(int), true) = (item.view(), by_bits)
        && let Some(value) = int.value()
    {
        let rounded = value as f32;
        return if is_exact(int, EXACT_IN_F32, f64::from(rounded)) {
            Cell::Is(rounded)
        } else {
            Cell::Lost(rounded, LossyCast::Rounded)
        };
    }
    let narrowed = |value: f64, loss: Option<LossyCast>| {
        let narrow = value as f32;
        let overflows = narrow.is_infinite() && value.is_finite();
        let rounded = matches!(item.view(), View::Int(_)) && f64::from(narrow) != value;
        let loss = if overflows {
            Some(LossyCast::Overflowed)
        } else if rounded {
            Some(LossyCast::Rounded)
        } else {
            loss
        };
        loss.map_or(Cell::Is(narrow), |loss| Cell::Lost(narrow, loss))
    };
    match double(item) {
        Cell::Is(value) => narrowed(value, None),
        Cell::Lost(value, loss) => narrowed(value, Some(loss)),
        Cell::Fault => Cell::Fault,
        Cell::Undecided => Cell::Undecided,
    }
}

fn is_exact(int: Int<'_>, bound: u64, value: f64) -> bool {
    let Some(whole) = int.value() else {
        return false;
    };
    whole.unsigned_abs() <= u128::from(bound) || value as i128 == whole
}
