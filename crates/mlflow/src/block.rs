//! Dense blocks: a rectangular array of one element type, the cheapest form in which rows travel to Python and back.
//!
//! Knows element types and shapes only; which column means what is the input contract's matter.

use std::sync::Arc;

use bytes::Bytes;

/// The element type of a dense block, by numpy's name. Values are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// One byte per value, 0 or 1.
    Bool,
    /// Signed, one byte.
    Int8,
    /// Signed, two bytes.
    Int16,
    /// Signed, four bytes.
    Int32,
    /// Signed, eight bytes.
    Int64,
    /// Unsigned, one byte.
    UInt8,
    /// Unsigned, two bytes.
    UInt16,
    /// Unsigned, four bytes.
    UInt32,
    /// Unsigned, eight bytes.
    UInt64,
    /// IEEE 754 single precision.
    Float32,
    /// IEEE 754 double precision.
    Float64,
    /// Texts of so many characters at most, of four bytes each (UCS-4); shorter ones end in zeros, as numpy lays out its
    /// `<U`. Width 0 stands for any, in a layout.
    Text(u32),
}

impl DType {
    /// All element types of numbers and truth values, in the order of their declaration.
    pub const ALL: [DType; 11] = [
        DType::Bool,
        DType::Int8,
        DType::Int16,
        DType::Int32,
        DType::Int64,
        DType::UInt8,
        DType::UInt16,
        DType::UInt32,
        DType::UInt64,
        DType::Float32,
        DType::Float64,
    ];

    /// numpy's name, as MLmodel's tensor specs and the worker protocol write it.
    pub fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::Int8 => "int8",
            DType::Int16 => "int16",
            DType::Int32 => "int32",
            DType::Int64 => "int64",
            DType::UInt8 => "uint8",
            DType::UInt16 => "uint16",
            DType::UInt32 => "uint32",
            DType::UInt64 => "uint64",
            DType::Float32 => "float32",
            DType::Float64 => "float64",
            DType::Text(_) => "str",
        }
    }

    /// The type of numbers or truth values of that numpy name, if a dense block can hold it.
    pub fn from_name(name: &str) -> Option<DType> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Bytes per value.
    pub fn size(self) -> usize {
        match self {
            DType::Bool | DType::Int8 | DType::UInt8 => 1,
            DType::Int16 | DType::UInt16 => 2,
            DType::Int32 | DType::UInt32 | DType::Float32 => 4,
            DType::Int64 | DType::UInt64 | DType::Float64 => 8,
            DType::Text(width) => 4 * width as usize,
        }
    }
}

/// A rectangular array in row-major (C) order.
///
/// Invariant: `bytes.len() == shape.iter().product::<usize>() * dtype.size()`.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseBlock {
    /// Element type.
    pub dtype: DType,
    /// Extent of each dimension; `[]` is a scalar, `[n]` a vector, `[rows, columns]` a frame or matrix.
    pub shape: Vec<usize>,
    /// The values, little-endian, last dimension fastest.
    pub bytes: Bytes,
    /// Column names when the block is a frame; then `shape` is `[rows, columns.len()]`.
    pub columns: Option<Arc<[String]>>,
}

/// A block whose byte count does not fit its shape.
#[derive(Debug, thiserror::Error)]
#[error("a block of {dtype} with shape {shape:?} needs {expected} bytes, got {found}", dtype = .dtype.name())]
pub struct BlockSizeError {
    dtype: DType,
    shape: Vec<usize>,
    expected: usize,
    found: usize,
}

impl DenseBlock {
    /// A block over `bytes`, refused when their number does not fit the shape.
    pub fn new(dtype: DType, shape: Vec<usize>, bytes: Bytes) -> Result<Self, BlockSizeError> {
        let expected = shape
            .iter()
            .try_fold(dtype.size(), |product, extent| product.checked_mul(*extent));
        match expected {
            Some(expected) if expected == bytes.len() => Ok(Self {
                dtype,
                shape,
                bytes,
                columns: None,
            }),
            _ => Err(BlockSizeError {
                dtype,
                expected: expected.unwrap_or(usize::MAX),
                found: bytes.len(),
                shape,
            }),
        }
    }

    /// The same block with column names.
    #[must_use]
    pub fn with_columns(mut self, columns: Arc<[String]>) -> Self {
        self.columns = Some(columns);
        self
    }

    /// The values of a block of texts, in order; none for other blocks.
    pub fn texts(&self) -> Vec<String> {
        let DType::Text(1..) = self.dtype else {
            return Vec::new();
        };
        let cells = self.bytes.chunks_exact(self.dtype.size());
        cells.map(text_of).collect()
    }

    /// The extent of the first dimension; 1 for a scalar.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }
}

/// The text of one cell of a block of texts.
pub(crate) fn text_of(cell: &[u8]) -> String {
    let (characters, _) = cell.as_chunks::<4>();
    let text: String = characters
        .iter()
        .filter_map(|bytes| char::from_u32(u32::from_le_bytes(*bytes)))
        .collect();
    text.trim_end_matches('\0').to_owned()
}
