//! From a graph's outputs to an answer, as MLflow's wrapper gives them: a frame with a column for each, or each by its name.

use std::sync::Arc;

use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, LargeStringArray, PrimitiveArray, RecordBatch,
};
use arrow_schema::{Field, Schema};
use bytes::Bytes;
use ort::session::SessionOutputs;
use ort::value::{DynMap, DynValue, TensorElementType, ValueType};
use sluis_mlflow::encode::json;
use sluis_mlflow::{Answer, DType, DenseBlock};

use super::element::Element;
use crate::error::Declined;

const OTHER: Declined = Declined("an output of another type than the graph declares");

/// An output, copied from the library's memory.
pub(super) enum Made {
    Block(DenseBlock),
    Texts(Vec<usize>, Vec<String>),
    /// Each map as JSON.
    Maps(Vec<Vec<u8>>),
}

/// All outputs of a call, in the order of their names.
pub(super) fn read(
    outputs: &SessionOutputs<'_>,
    names: &[String],
    elements: &[Element],
) -> Result<Vec<Made>, Declined> {
    let one = |(name, element): (&String, &Element)| {
        let value = outputs.get(name).ok_or(OTHER)?;
        match element {
            Element::Block(dtype) => block(value, *dtype).map(Made::Block),
            Element::Text => texts(value),
            Element::Maps => maps(value).map(Made::Maps),
        }
    };
    names.iter().zip(elements).map(one).collect()
}

fn block(value: &DynValue, dtype: DType) -> Result<DenseBlock, Declined> {
    macro_rules! cells {
        ($type:ty) => {{
            let (shape, values) = value.try_extract_tensor::<$type>().map_err(|_| OTHER)?;
            let bytes: Vec<u8> = values.iter().flat_map(|cell| cell.to_le_bytes()).collect();
            (extents(shape)?, bytes)
        }};
    }
    let (shape, bytes) = match dtype {
        DType::Bool => {
            let (shape, values) = value.try_extract_tensor::<bool>().map_err(|_| OTHER)?;
            let bytes = values.iter().map(|cell| u8::from(*cell)).collect();
            (extents(shape)?, bytes)
        }
        DType::Int8 => cells!(i8),
        DType::Int16 => cells!(i16),
        DType::Int32 => cells!(i32),
        DType::Int64 => cells!(i64),
        DType::UInt8 => cells!(u8),
        DType::UInt16 => cells!(u16),
        DType::UInt32 => cells!(u32),
        DType::UInt64 => cells!(u64),
        DType::Float32 => cells!(f32),
        DType::Float64 => cells!(f64),
        DType::Text(_) => return Err(OTHER),
    };
    DenseBlock::new(dtype, shape, bytes.into()).map_err(|_| OTHER)
}

fn extents(shape: &[i64]) -> Result<Vec<usize>, Declined> {
    let extents: Result<Vec<usize>, _> = shape.iter().map(|one| usize::try_from(*one)).collect();
    extents.map_err(|_| OTHER)
}

fn texts(value: &DynValue) -> Result<Made, Declined> {
    let (shape, texts) = value.try_extract_strings().map_err(|_| OTHER)?;
    // Blocks of texts end at the first zero.
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(Declined("a text with a zero"));
    }
    Ok(Made::Texts(extents(shape)?, texts))
}

/// Maps by the order of their keys, which is the library's own.
fn maps(value: &DynValue) -> Result<Vec<Vec<u8>>, Declined> {
    let maps = value.try_extract_sequence::<ort::value::DynMapValueType>();
    let maps: Vec<DynMap> = maps.map_err(|_| OTHER)?;
    maps.iter().map(object).collect()
}

fn object(map: &DynMap) -> Result<Vec<u8>, Declined> {
    let ValueType::Map { key, .. } = map.dtype() else {
        return Err(OTHER);
    };
    let mut entries: Vec<(String, f32)> = if *key == TensorElementType::String {
        map.try_extract_key_values::<String, f32>()
            .map_err(|_| OTHER)?
    } else {
        let mut entries = map
            .try_extract_key_values::<i64, f32>()
            .map_err(|_| OTHER)?;
        entries.sort_by_key(|(key, _)| *key);
        let named = entries
            .into_iter()
            .map(|(key, value)| (key.to_string(), value));
        named.collect()
    };
    if *key == TensorElementType::String {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let mut out = vec![b'{'];
    for (key, value) in entries {
        if out.len() > 1 {
            out.extend_from_slice(b", ");
        }
        json::text(&key, &mut out);
        out.extend_from_slice(b": ");
        json::scalar(DType::Float32, &value.to_le_bytes(), &mut out);
    }
    out.push(b'}');
    Ok(out)
}

impl Made {
    /// How many values it has, in whatever shape.
    fn count(&self) -> usize {
        match self {
            Made::Block(block) => block.shape.iter().product(),
            Made::Texts(_, texts) => texts.len(),
            Made::Maps(maps) => maps.len(),
        }
    }

    fn write_value(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Made::Block(block) => {
                let size = block.dtype.size();
                let cell = block.bytes.get(row * size..(row + 1) * size);
                json::scalar(block.dtype, cell.unwrap_or_default(), out);
            }
            Made::Texts(_, texts) => json::text(texts.get(row).map_or("", String::as_str), out),
            Made::Maps(maps) => out.extend_from_slice(maps.get(row).map_or(b"", Vec::as_slice)),
        }
    }

    fn write_nested(&self, out: &mut Vec<u8>) {
        match self {
            Made::Block(block) => json::dense(block, out),
            Made::Texts(shape, _) => self.nested(shape, &mut 0, out),
            Made::Maps(maps) => self.nested(&[maps.len()], &mut 0, out),
        }
    }

    fn nested(&self, shape: &[usize], next: &mut usize, out: &mut Vec<u8>) {
        let [extent, inner @ ..] = shape else {
            self.write_value(*next, out);
            *next += 1;
            return;
        };
        out.push(b'[');
        for index in 0..*extent {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            self.nested(inner, next, out);
        }
        out.push(b']');
    }

    fn column(&self) -> Option<ArrayRef> {
        fn of<T: ArrowPrimitiveType, const SIZE: usize>(
            bytes: &[u8],
            read: fn([u8; SIZE]) -> T::Native,
        ) -> ArrayRef {
            let (cells, _) = bytes.as_chunks::<SIZE>();
            let values = cells.iter().map(|cell| read(*cell));
            Arc::new(PrimitiveArray::<T>::from_iter_values(values))
        }
        Some(match self {
            Made::Texts(_, texts) => Arc::new(LargeStringArray::from_iter_values(texts)),
            Made::Maps(_) => return None,
            Made::Block(block) => {
                let bytes = &block.bytes;
                match block.dtype {
                    DType::Bool => {
                        let values: Vec<bool> = bytes.iter().map(|byte| *byte != 0).collect();
                        Arc::new(BooleanArray::from(values))
                    }
                    DType::Int8 => of::<Int8Type, 1>(bytes, i8::from_le_bytes),
                    DType::Int16 => of::<Int16Type, 2>(bytes, i16::from_le_bytes),
                    DType::Int32 => of::<Int32Type, 4>(bytes, i32::from_le_bytes),
                    DType::Int64 => of::<Int64Type, 8>(bytes, i64::from_le_bytes),
                    DType::UInt8 => of::<UInt8Type, 1>(bytes, u8::from_le_bytes),
                    DType::UInt16 => of::<UInt16Type, 2>(bytes, u16::from_le_bytes),
                    DType::UInt32 => of::<UInt32Type, 4>(bytes, u32::from_le_bytes),
                    DType::UInt64 => of::<UInt64Type, 8>(bytes, u64::from_le_bytes),
                    DType::Float32 => of::<Float32Type, 4>(bytes, f32::from_le_bytes),
                    DType::Float64 => of::<Float64Type, 8>(bytes, f64::from_le_bytes),
                    DType::Text(_) => return None,
                }
            }
        })
    }
}

/// A frame with a column for each output, whatever shape it had.
pub(super) fn frame(made: &[Made], names: &Arc<[String]>) -> Result<Answer, Declined> {
    let rows = made.first().map_or(0, Made::count);
    if made.iter().any(|one| one.count() != rows) {
        return Err(Declined("outputs of several lengths, which make no frame"));
    }
    if made.iter().any(|one| matches!(one, Made::Maps(_))) {
        return Ok(Answer::Json(records(made, names, rows)));
    }
    if let Some(dtype) = one_type(made) {
        let size = dtype.size();
        let mut bytes = Vec::with_capacity(rows * made.len() * size);
        for row in 0..rows {
            for one in made {
                if let Made::Block(block) = one {
                    bytes.extend_from_slice(&block.bytes[row * size..(row + 1) * size]);
                }
            }
        }
        let block = DenseBlock::new(dtype, vec![rows, made.len()], bytes.into());
        let block = block.map_err(|_| OTHER)?.with_columns(Arc::clone(names));
        return Ok(Answer::Dense(block));
    }
    let columns: Option<Vec<ArrayRef>> = made.iter().map(Made::column).collect();
    let columns = columns.ok_or(OTHER)?;
    let fields = names
        .iter()
        .zip(&columns)
        .map(|(name, column)| Field::new(name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns)
        .map(Answer::Batch)
        .map_err(|_| OTHER)
}

/// The type of all outputs, where they share one.
fn one_type(made: &[Made]) -> Option<DType> {
    let dtype = |one: &Made| match one {
        Made::Block(block) => Some(block.dtype),
        _ => None,
    };
    let first = made.first().and_then(dtype)?;
    made.iter()
        .all(|one| dtype(one) == Some(first))
        .then_some(first)
}

fn records(made: &[Made], names: &[String], rows: usize) -> Bytes {
    let mut out = b"{\"predictions\": [".to_vec();
    for row in 0..rows {
        out.extend_from_slice(if row == 0 { b"{" } else { b", {" });
        for (index, (name, one)) in names.iter().zip(made).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            json::text(name, &mut out);
            out.extend_from_slice(b": ");
            one.write_value(row, &mut out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out.into()
}

/// Each output under its name.
pub(super) fn named(made: &[Made], names: &[String]) -> Answer {
    let mut out = b"{\"predictions\": {".to_vec();
    for (index, (name, one)) in names.iter().zip(made).enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        json::text(name, &mut out);
        out.extend_from_slice(b": ");
        one.write_nested(&mut out);
    }
    out.extend_from_slice(b"}}");
    Answer::Json(out.into())
}
