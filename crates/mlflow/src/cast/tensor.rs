//! Values as the elements of a numpy array of any element type that a dense block holds.

use bytes::Bytes;

use super::element::{text, truth, whole};
use super::number_text::{self, Parsed};
use super::{Cell, Item, Losses, Stop, each, numeric};
use crate::block::DType;
use crate::contract::Versions;
use crate::decode::into_bytes;
use crate::json::View;
use crate::lossy::LossyCast;

/// Bytes of one text tensor: one long text makes all others as wide.
const MAX_TEXT: usize = 256 << 20;

/// The values of a dense block, and their type: of texts the width is known only then.
pub(crate) fn elements(
    items: &[Item<'_>],
    dtype: DType,
    versions: &Versions,
) -> Result<(DType, Bytes, Losses), Stop> {
    if let DType::Text(_) = dtype {
        return texts(items);
    }
    let (bytes, losses) = numbers(items, dtype, versions)?;
    Ok((dtype, bytes, losses))
}

/// Texts as numpy lays them out: all as wide as the widest.
fn texts(items: &[Item<'_>]) -> Result<(DType, Bytes, Losses), Stop> {
    // The width counts NULs at the end, which the values then lack.
    let (texts, losses) = each(items, |item| match item.view() {
        View::Text(text) => Cell::Is(text.into_owned()),
        _ => text(item),
    })?;
    let widest = texts.iter().map(|text| text.chars().count()).max();
    let width = widest.unwrap_or_default().max(1);
    let size = texts
        .len()
        .checked_mul(width * 4)
        .filter(|size| *size <= MAX_TEXT);
    let mut bytes = Vec::with_capacity(size.ok_or(Stop::Undecided)?);
    for (index, text) in texts.iter().enumerate() {
        for character in text.chars() {
            bytes.extend_from_slice(&u32::from(character).to_le_bytes());
        }
        bytes.resize((index + 1) * width * 4, 0);
    }
    let width = u32::try_from(width).map_err(|_| Stop::Undecided)?;
    Ok((DType::Text(width), bytes.into(), losses))
}

fn numbers(items: &[Item<'_>], dtype: DType, versions: &Versions) -> Result<(Bytes, Losses), Stop> {
    match dtype {
        DType::Text(_) => Err(Stop::Undecided),
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
