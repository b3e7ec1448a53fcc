//! The file form of programs and samples: a JSON head, then arrays at multiples of eight bytes.
//!
//! Everything is checked before it is used; a file of any content is an error at worst.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Flaw, ProgramError};

const MAGIC: &[u8; 8] = b"SLPROG1\n";

/// Bytes before the head's text.
const START: usize = 16;

/// The longest head.
const MAX_HEAD: usize = 64 << 20;

/// The number of an array in its file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub struct Array(usize);

impl Array {
    /// The array written after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ElementType {
    UInt8,
    Int32,
    UInt32,
    Int64,
    Float32,
    Float64,
}

impl ElementType {
    fn size(self) -> usize {
        match self {
            ElementType::UInt8 => 1,
            ElementType::Int32 | ElementType::UInt32 | ElementType::Float32 => 4,
            ElementType::Int64 | ElementType::Float64 => 8,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Entry {
    dtype: ElementType,
    count: usize,
    offset: usize,
}

#[derive(Deserialize)]
struct Entries {
    arrays: Vec<Entry>,
}

/// The arrays of a file.
pub struct Container<'a> {
    entries: Vec<Entry>,
    data: &'a [u8],
}

fn form(problem: &'static str) -> ProgramError {
    ProgramError::Form { problem }
}

impl<'a> Container<'a> {
    /// The head and the arrays of a file's bytes.
    pub fn read<H: DeserializeOwned>(bytes: &'a [u8]) -> Result<(H, Self), ProgramError> {
        let length = bytes
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.first_chunk::<8>())
            .ok_or_else(|| form("it begins otherwise"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_HEAD {
            return Err(form("its head is too long"));
        }
        let text = bytes
            .get(START..START + length)
            .ok_or_else(|| form("it ends within its head"))?;
        let data = &bytes[START + length..];
        let head = serde_json::from_slice(text)?;
        let Entries { arrays } = serde_json::from_slice(text)?;
        for entry in &arrays {
            let end = entry
                .count
                .checked_mul(entry.dtype.size())
                .and_then(|size| size.checked_add(entry.offset));
            if end.is_none_or(|end| end > data.len()) {
                return Err(form("an array lies outside of it"));
            }
        }
        let container = Self {
            entries: arrays,
            data,
        };
        Ok((head, container))
    }

    fn bytes(&self, array: Array, dtype: ElementType) -> Result<&'a [u8], Flaw> {
        let entry = self.entries.get(array.0).ok_or("there is no such array")?;
        if entry.dtype != dtype {
            return Err("an array is of another type");
        }
        Ok(&self.data[entry.offset..entry.offset + entry.count * dtype.size()])
    }

    fn values<const SIZE: usize, T>(
        &self,
        array: Array,
        dtype: ElementType,
        read: impl Fn([u8; SIZE]) -> T,
    ) -> Result<Vec<T>, Flaw> {
        let (chunks, _) = self.bytes(array, dtype)?.as_chunks::<SIZE>();
        Ok(chunks.iter().map(|chunk| read(*chunk)).collect())
    }

    /// An array of bytes.
    pub fn u8s(&self, array: Array) -> Result<&'a [u8], Flaw> {
        self.bytes(array, ElementType::UInt8)
    }

    /// An array of 32-bit integers.
    pub fn i32s(&self, array: Array) -> Result<Vec<i32>, Flaw> {
        self.values(array, ElementType::Int32, i32::from_le_bytes)
    }

    /// An array of unsigned 32-bit integers.
    pub fn u32s(&self, array: Array) -> Result<Vec<u32>, Flaw> {
        self.values(array, ElementType::UInt32, u32::from_le_bytes)
    }

    /// An array of 64-bit integers.
    pub fn i64s(&self, array: Array) -> Result<Vec<i64>, Flaw> {
        self.values(array, ElementType::Int64, i64::from_le_bytes)
    }

    /// An array of doubles.
    pub fn f64s(&self, array: Array) -> Result<Vec<f64>, Flaw> {
        self.values(array, ElementType::Float64, f64::from_le_bytes)
    }

    /// Where parts end: an array of 64-bit integers that never falls and ends at `total`.
    pub fn ends(&self, array: Array, total: usize) -> Result<Vec<usize>, Flaw> {
        let ends: Option<Vec<usize>> = self
            .i64s(array)?
            .into_iter()
            .map(|end| usize::try_from(end).ok())
            .collect();
        let ends = ends.ok_or("an end is negative")?;
        if !ends.is_sorted() || ends.last().copied().unwrap_or(0) != total {
            return Err("ends do not divide their array");
        }
        Ok(ends)
    }

    /// Texts: an array of their ends, and after it one of their bytes.
    pub fn texts(&self, array: Array) -> Result<Vec<&'a str>, Flaw> {
        let bytes = self.u8s(array.next())?;
        let mut start = 0;
        let mut texts = Vec::new();
        for end in self.ends(array, bytes.len())? {
            let text = std::str::from_utf8(&bytes[start..end]);
            texts.push(text.map_err(|_| "a text is not UTF-8")?);
            start = end;
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_none_are_refused() {
        let head = |text: &str| {
            let mut bytes = MAGIC.to_vec();
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
            bytes
        };
        let outside = r#"{"arrays": [{"dtype": "float64", "count": 1, "offset": 0}]}"#;
        let huge =
            r#"{"arrays": [{"dtype": "float64", "count": 2305843009213693952, "offset": 8}]}"#;
        for bytes in [
            Vec::new(),
            b"SLPROG1\n".to_vec(),
            head("{}"),
            head(outside),
            head(huge),
        ] {
            assert!(Container::read::<serde_json::Value>(&bytes).is_err());
        }
        let mut bytes = head(outside);
        bytes.extend_from_slice(&1.5_f64.to_le_bytes());
        let (_, container) = Container::read::<serde_json::Value>(&bytes).unwrap();
        assert_eq!(container.f64s(Array(0)).unwrap(), [1.5]);
        assert!(container.f64s(Array(1)).is_err() && container.i64s(Array(0)).is_err());
    }
}
