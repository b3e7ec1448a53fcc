//! Nested lists as numpy sees them: a shape, and the values in order.

use super::Stop;
use crate::cast::Item;
use crate::json::Value;

/// Dimensions beyond this are left to numpy, which has a bound of its own.
const MAX_DIMENSIONS: usize = 30;

/// An array before its type.
pub(super) struct Nested<'d> {
    pub(super) shape: Vec<usize>,
    pub(super) items: Vec<Item<'d>>,
}

/// What a value is as an array.
pub(super) enum Shaped<'d> {
    Array(Nested<'d>),
    /// Lists of unequal length, or lists beside values: which dimension, from 0.
    Ragged(usize),
}

/// The array of a value: of no dimensions where it is no list.
pub(super) fn shaped(value: Value<'_>) -> Result<Shaped<'_>, Stop> {
    let mut shape = Vec::new();
    let mut level: Vec<Value<'_>> = vec![value];
    loop {
        let Some(first) = level.first() else {
            return Ok(Shaped::Array(Nested {
                shape,
                items: Vec::new(),
            }));
        };
        if !first.is_list() {
            if level.iter().any(|value| value.is_list()) {
                return Ok(Shaped::Ragged(shape.len()));
            }
            let items = level.into_iter().map(Item::Value).collect();
            return Ok(Shaped::Array(Nested { shape, items }));
        }
        let extent = first.items().len();
        let equal = |value: &Value<'_>| value.is_list() && value.items().len() == extent;
        if !level.iter().all(equal) {
            return Ok(Shaped::Ragged(shape.len()));
        }
        if shape.len() == MAX_DIMENSIONS {
            return Err(Stop::Undecided);
        }
        shape.push(extent);
        level = level.into_iter().flat_map(Value::items).collect();
    }
}
