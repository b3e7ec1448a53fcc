//! Values as the elements of a numpy array of any element type that a dense block holds.

use bytes::Bytes;

use super::element::{truth, whole};
use super::number_text::{self, Parsed};
use super::{Cell, Item, Losses, Stop, each, numeric};
use crate::block::DType;
use crate::contract::Versions;
use crate::decode::into_bytes;
use crate::json::View;
use crate::lossy::LossyCast;

/// The values of a dense block.
pub(crate) fn elements(
    items: &[Item<'_>],
    dtype: DType,
    versions: &Versions,
) -> Result<(Bytes, Losses), Stop> {
    match dtype {
        DType::Bool => each(items, truth).map(|(values, losses)| (into_bytes(values), losses)),
        DType::Int8 => integers::<i8>(items, versions),
        DType::Int16 => integers::<i16>(items, versions),
        DType::Int32 => integers::<i32>(items, versions),
        DType::Int64 => each(items, whole).map(|(values, losses)| (into_bytes(values), losses)),
        DType::UInt8 => integers::<u8>(items, versions),
        DType::UInt16 => integers::<u16>(items, versions),
        DType::UInt32 => integers::<u32>(items, versions),
        DType::UInt64 => integers::<u64>(items, versions),
        DType::Float32 => each(items, |item| numeric::single(item, false))
            .map(|(values, losses)| (into_bytes(values), losses)),
        DType::Float64 => {
            each(items, numeric::double).map(|(values, losses)| (into_bytes(values), losses))
        }
    }
}

/// Integers of a type whose bounds numpy checks only where they came as such.
fn integers<T>(items: &[Item<'_>], versions: &Versions) -> Result<(Bytes, Losses), Stop>
where
    T: TryFrom<i128> + crate::decode::Cell,
{
    let read = |item: Item<'_>| match item.view() {
        View::Int(int) => {
            let Some(value) = int.value().and_then(|value| {
                u64::try_from(value)
                    .map(i128::from)
                    .or(i64::try_from(value).map(i128::from))
                    .ok()
            }) else {
                return Cell::Fault;
            };
            match T::try_from(value) {
                Ok(value) => Cell::Is(value),
                Err(_) if versions.numpy_2() => Cell::Fault,
                Err(_) => Cell::Undecided,
            }
        }
        _ => {
            let narrow = |value: i64, loss: Option<LossyCast>| match (
                T::try_from(i128::from(value)),
                loss,
            ) {
                (Ok(value), None) => Cell::Is(value),
                (Ok(value), Some(loss)) => Cell::Lost(value, loss),
                (Err(_), _) => Cell::Undecided,
            };
            match whole(item) {
                Cell::Is(value) => narrow(value, None),
                Cell::Lost(value, loss) => narrow(value, Some(loss)),
                // A float or a text beyond 64 signed bits may yet fit 64 unsigned ones.
                Cell::Fault if large(item) => Cell::Undecided,
                Cell::Fault => Cell::Fault,
                Cell::Undecided => Cell::Undecided,
            }
        }
    };
    each(items, read).map(|(values, losses)| (into_bytes(values), losses))
}

/// Whether a value is a number all the same.
fn large(item: Item<'_>) -> bool {
    match item.view() {
        View::Float(value) => value.is_finite(),
        View::Text(text) => matches!(number_text::int(&text), Parsed::Is(_)),
        _ => false,
    }
}
