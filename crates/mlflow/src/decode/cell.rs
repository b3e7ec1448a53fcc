//! One JSON value into one typed cell, by the rules where every reader agrees.
//!
//! A cell takes only those JSON values whose meaning under the declared type needs no cast that could surprise: what
//! is left (text for a number, 1.9 for a long, null for an integer, …) makes the whole payload go to Python as it came,
//! where MLflow's own casting decides. Source of the rules: MLflow 3.17's `astype` on a frame that pandas inferred.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use crate::block::DType;

/// Integers up to here are exact in a double, so that `integer -> double -> float` rounds once.
const EXACT_IN_F64: u64 = 1 << 53;

/// A Rust type that a dense block or a column can hold.
pub(crate) trait Cell: Copy + Default + Send + Sync + bytemuck::NoUninit {
    /// The block type of this cell.
    const DTYPE: DType;

    /// From a JSON boolean.
    fn from_bool(_: bool) -> Option<Self> {
        None
    }
    /// From a JSON integer that fits i64.
    fn from_i64(_: i64) -> Option<Self> {
        None
    }
    /// From a JSON integer above i64.
    fn from_u64(_: u64) -> Option<Self> {
        None
    }
    /// From a JSON number with a fraction or an exponent.
    fn from_f64(_: f64) -> Option<Self> {
        None
    }
    /// From null.
    fn from_null() -> Option<Self> {
        None
    }
}

#[cfg(target_endian = "big")]
compile_error!("dense blocks are little-endian, and cells are written as they lie in memory");

/// The cells as the bytes of a dense block, without copying.
pub(crate) fn into_bytes<T: Cell>(cells: Vec<T>) -> Bytes {
    Bytes::from_owner(Owned(cells))
}

struct Owned<T>(Vec<T>);

impl<T: Cell> AsRef<[u8]> for Owned<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

macro_rules! integer_cell {
    ($($ty:ty => $dtype:expr),+ $(,)?) => {$(
        impl Cell for $ty {
            const DTYPE: DType = $dtype;
            fn from_i64(value: i64) -> Option<Self> {
                value.try_into().ok()
            }
            fn from_u64(value: u64) -> Option<Self> {
                value.try_into().ok()
            }
        }
    )+};
}

integer_cell! {
    i8 => DType::Int8, i16 => DType::Int16, i32 => DType::Int32, i64 => DType::Int64,
    u8 => DType::UInt8, u16 => DType::UInt16, u32 => DType::UInt32, u64 => DType::UInt64,
}

impl Cell for bool {
    const DTYPE: DType = DType::Bool;
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Cell for f64 {
    const DTYPE: DType = DType::Float64;
    fn from_i64(value: i64) -> Option<Self> {
        Some(value as f64)
    }
    fn from_u64(value: u64) -> Option<Self> {
        Some(value as f64)
    }
    fn from_f64(value: f64) -> Option<Self> {
        Some(value)
    }
    fn from_null() -> Option<Self> {
        Some(f64::NAN)
    }
}

impl Cell for f32 {
    const DTYPE: DType = DType::Float32;
    fn from_i64(value: i64) -> Option<Self> {
        (value.unsigned_abs() <= EXACT_IN_F64).then_some(value as f32)
    }
    fn from_f64(value: f64) -> Option<Self> {
        Some(value as f32)
    }
    fn from_null() -> Option<Self> {
        Some(f32::NAN)
    }
}

/// Reads one JSON value as a `T`; an error means "not a value that Rust decides".
pub(crate) struct CellSeed<T>(pub(crate) PhantomData<T>);

impl<'de, T: Cell> DeserializeSeed<'de> for CellSeed<T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(CellVisitor(PhantomData))
    }
}

struct CellVisitor<T>(PhantomData<T>);

impl<T: Cell> Visitor<'_> for CellVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a {} without a cast", T::DTYPE.name())
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        T::from_bool(value).ok_or_else(|| E::custom("boolean"))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        T::from_i64(value).ok_or_else(|| E::custom("integer"))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => T::from_u64(value).ok_or_else(|| E::custom("large integer")),
        }
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        T::from_f64(value).ok_or_else(|| E::custom("fraction"))
    }
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        T::from_null().ok_or_else(|| E::custom("null"))
    }
}

/// Reads one JSON string and appends it; an error for anything else.
pub(crate) struct TextSeed<'a>(pub(crate) &'a mut arrow_array::builder::StringBuilder);

impl<'de> DeserializeSeed<'de> for TextSeed<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for TextSeed<'_> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.append_value(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Cell>(json: &str) -> Option<T> {
        let mut deserializer = sonic_rs::Deserializer::from_str(json);
        CellSeed(PhantomData).deserialize(&mut deserializer).ok()
    }

    #[test]
    fn only_values_without_a_surprising_cast_become_cells() {
        assert_eq!(read::<f64>("5"), Some(5.0));
        assert_eq!(
            read::<f64>("9007199254740993"),
            Some(9_007_199_254_740_992.0)
        );
        assert_eq!(read::<f64>("18446744073709551615"), Some(u64::MAX as f64));
        assert!(read::<f64>("null").is_some_and(f64::is_nan));
        assert_eq!(read::<f64>("true"), None);
        assert_eq!(read::<f64>("\"1.5\""), None);
        assert_eq!(read::<f32>("0.1"), Some(0.1_f32));
        assert_eq!(read::<f32>("9007199254740993"), None);
        assert_eq!(read::<i64>("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(read::<i64>("9223372036854775808"), None);
        assert_eq!(read::<i64>("1.0"), None);
        assert_eq!(read::<i64>("null"), None);
        assert_eq!(read::<i32>("2147483648"), None);
        assert_eq!(read::<u8>("-1"), None);
        assert_eq!(read::<bool>("true"), Some(true));
        assert_eq!(read::<bool>("1"), None);
    }

    #[test]
    fn doubles_are_read_as_the_nearest_double() {
        for text in [
            "0.1",
            "1e-5",
            "123456789.123456789",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "5e-324",
        ] {
            assert_eq!(read::<f64>(text), text.parse().ok(), "{text}");
        }
    }
}
