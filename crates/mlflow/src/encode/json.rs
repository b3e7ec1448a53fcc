//! Answers as JSON, in the shapes that MLflow's server writes.
//!
//! Arrays become nested lists, frames become lists of records. NaN and the infinities are the tokens `NaN`, `Infinity`,
//! `-Infinity`, which are not JSON but what MLflow's clients read; text is ASCII with `\u` escapes.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_schema::DataType;

use super::EncodeError;
use crate::block::{DType, DenseBlock, text_of};

/// Runs a function over the bytes of a value of a type, with how such a value is written; or `$text` for texts.
macro_rules! by_type {
    ($dtype:expr, $run:ident($($argument:expr),+), $text:expr) => {
        match $dtype {
            DType::Bool => $run::<1>($($argument),+, |bytes, out| {
                out.extend_from_slice(if bytes[0] == 0 { b"false" } else { b"true" });
            }),
            DType::Int8 => $run($($argument),+, |bytes, out| integer(i8::from_le_bytes(bytes), out)),
            DType::Int16 => $run($($argument),+, |bytes, out| integer(i16::from_le_bytes(bytes), out)),
            DType::Int32 => $run($($argument),+, |bytes, out| integer(i32::from_le_bytes(bytes), out)),
            DType::Int64 => $run($($argument),+, |bytes, out| integer(i64::from_le_bytes(bytes), out)),
            DType::UInt8 => $run($($argument),+, |bytes, out| integer(u8::from_le_bytes(bytes), out)),
            DType::UInt16 => $run($($argument),+, |bytes, out| integer(u16::from_le_bytes(bytes), out)),
            DType::UInt32 => $run($($argument),+, |bytes, out| integer(u32::from_le_bytes(bytes), out)),
            DType::UInt64 => $run($($argument),+, |bytes, out| integer(u64::from_le_bytes(bytes), out)),
            DType::Float32 => {
                $run($($argument),+, |bytes, out| float(f32::from_le_bytes(bytes).into(), out));
            }
            DType::Float64 => $run($($argument),+, |bytes, out| float(f64::from_le_bytes(bytes), out)),
            DType::Text(_) => $text,
        }
    };
}

/// Appends the value of `predictions` for a dense answer. `series` names a one-column answer.
pub fn dense(block: &DenseBlock, out: &mut Vec<u8>) {
    by_type!(block.dtype, nested(block, out), {
        let texts = block.texts();
        let places: Vec<[u8; 8]> = (0..texts.len() as u64).map(u64::to_le_bytes).collect();
        list(&block.shape, &places, out, |place, out| {
            let place = u64::from_le_bytes(place) as usize;
            text(texts.get(place).map_or("", String::as_str), out);
        });
    });
}

/// Appends a frame as a list of records.
pub fn records(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let mut key = Vec::new();
        text(field.name(), &mut key);
        key.extend_from_slice(b": ");
        columns.push((key, cell_writer(field.name(), array)?));
    }
    out.push(b'[');
    for row in 0..batch.num_rows() {
        out.extend_from_slice(if row == 0 { b"{" } else { b", {" });
        for (index, (key, write)) in columns.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(key);
            write(row, out);
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(())
}

/// Appends one value of a block; nothing where `bytes` are not one.
pub fn scalar(dtype: DType, bytes: &[u8], out: &mut Vec<u8>) {
    fn of<const SIZE: usize>(
        bytes: &[u8],
        out: &mut Vec<u8>,
        write: impl Fn([u8; SIZE], &mut Vec<u8>),
    ) {
        if let Ok(bytes) = bytes.try_into() {
            write(bytes, out);
        }
    }
    by_type!(dtype, of(bytes, out), text(&text_of(bytes), out));
}

/// Appends one column of a frame as a list.
pub(crate) fn column(
    batch: &RecordBatch,
    column: usize,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let write = cell_writer(batch.schema().field(column).name(), batch.column(column))?;
    listed(0..batch.num_rows(), out, |row, out| write(row, out));
    Ok(())
}

/// Appends a list of what `write` appends for each item.
pub(crate) fn listed<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        write(item, out);
    }
    out.push(b']');
}

/// Appends a JSON string, ASCII only.
pub fn text(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in value.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            ' '..='~' => out.push(character as u8),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
    out.push(b'"');
}

/// Writes the values of a block, `SIZE` bytes each, as lists nested by its shape; a frame as records.
fn nested<const SIZE: usize>(
    block: &DenseBlock,
    out: &mut Vec<u8>,
    write: impl Fn([u8; SIZE], &mut Vec<u8>) + Copy,
) {
    let (values, _) = block.bytes.as_chunks::<SIZE>();
    if let (Some(columns), [_, width]) = (&block.columns, block.shape.as_slice()) {
        frame(columns, values, *width, out, write);
        return;
    }
    list(&block.shape, values, out, write);
}

fn list<const SIZE: usize>(
    shape: &[usize],
    values: &[[u8; SIZE]],
    out: &mut Vec<u8>,
    write: impl Fn([u8; SIZE], &mut Vec<u8>) + Copy,
) {
    let [extent, inner @ ..] = shape else {
        if let Some(value) = values.first() {
            write(*value, out);
        }
        return;
    };
    let stride: usize = inner.iter().product();
    out.push(b'[');
    for index in 0..*extent {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        list(
            inner,
            &values[index * stride..(index + 1) * stride],
            out,
            write,
        );
    }
    out.push(b']');
}

fn frame<const SIZE: usize>(
    columns: &[String],
    values: &[[u8; SIZE]],
    width: usize,
    out: &mut Vec<u8>,
    write: impl Fn([u8; SIZE], &mut Vec<u8>) + Copy,
) {
    let keys: Vec<Vec<u8>> = columns
        .iter()
        .map(|name| {
            let mut key = Vec::new();
            text(name, &mut key);
            key.extend_from_slice(b": ");
            key
        })
        .collect();
    out.push(b'[');
    for (row, cells) in values.chunks_exact(width.max(1)).enumerate() {
        out.extend_from_slice(if row == 0 { b"{" } else { b", {" });
        for (index, (key, cell)) in keys.iter().zip(cells).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(key);
            write(*cell, out);
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// Appends an integer.
pub(crate) fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Magnitudes that Python writes without an exponent.
const PLAIN: std::ops::Range<f64> = 1e-4..1e16;

/// The shortest text that reads back as the same double, as Python writes it: always with a fraction or an exponent.
pub(crate) fn float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(value);
        if value == 0.0 || PLAIN.contains(&value.abs()) {
            out.extend_from_slice(text.as_bytes());
        } else {
            with_exponent(text, out);
        }
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if value > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        });
    }
}

/// A number's shortest digits with an exponent of a sign and two places at least.
fn with_exponent(text: &str, out: &mut Vec<u8>) {
    let (digits, exponent) = match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or(0)),
        // Only the smallest plain magnitudes: 0.0000ddd.
        None => {
            let sign = if text.starts_with('-') { "-" } else { "" };
            let fraction = text.rsplit('.').next().unwrap_or_default();
            let digits = fraction.trim_start_matches('0');
            let zeros = fraction.len() - digits.len();
            let (first, rest) = digits.split_at(digits.len().min(1));
            let point = if rest.is_empty() { "" } else { "." };
            (
                format!("{sign}{first}{point}{rest}"),
                -1 - i32::try_from(zeros).unwrap_or(0),
            )
        }
    };
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("{digits}e{sign}{:02}", exponent.abs()).as_bytes());
}

type CellWriter<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

fn cell_writer<'a>(name: &str, array: &'a dyn Array) -> Result<CellWriter<'a>, EncodeError> {
    Ok(match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean();
            nullable(array, move |row, out| {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            })
        }
        DataType::Int8 => integers::<Int8Type>(array),
        DataType::Int16 => integers::<Int16Type>(array),
        DataType::Int32 => integers::<Int32Type>(array),
        DataType::Int64 => integers::<Int64Type>(array),
        DataType::UInt8 => integers::<UInt8Type>(array),
        DataType::UInt16 => integers::<UInt16Type>(array),
        DataType::UInt32 => integers::<UInt32Type>(array),
        DataType::UInt64 => integers::<UInt64Type>(array),
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            nullable(array, move |row, out| float(values.value(row).into(), out))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            nullable(array, move |row, out| float(values.value(row), out))
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            nullable(array, move |row, out| text(values.value(row), out))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            nullable(array, move |row, out| text(values.value(row), out))
        }
        other => {
            return Err(EncodeError::ColumnType {
                column: name.to_owned(),
                found: other.to_string(),
            });
        }
    })
}

fn integers<'a, T>(array: &'a dyn Array) -> CellWriter<'a>
where
    T: ArrowPrimitiveType,
    T::Native: itoa::Integer,
{
    let values = array.as_primitive::<T>();
    nullable(array, move |row, out| integer(values.value(row), out))
}

/// A missing value is NaN, as pandas' records have it.
fn nullable<'a>(array: &'a dyn Array, write: impl Fn(usize, &mut Vec<u8>) + 'a) -> CellWriter<'a> {
    Box::new(move |row, out| {
        if array.is_null(row) {
            out.extend_from_slice(b"NaN");
        } else {
            write(row, out);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(dtype: DType, shape: &[usize], bytes: Vec<u8>) -> String {
        let block = DenseBlock::new(dtype, shape.to_vec(), bytes.into()).unwrap();
        let mut out = Vec::new();
        dense(&block, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn arrays_nest_by_shape_and_floats_stay_floats() {
        let doubles: Vec<u8> = [1.0, 0.5, f64::NAN, f64::INFINITY]
            .iter()
            .flat_map(|v: &f64| v.to_le_bytes())
            .collect();
        assert_eq!(
            encoded(DType::Float64, &[2, 2], doubles),
            "[[1.0, 0.5], [NaN, Infinity]]"
        );
        let float = 0.1_f32.to_le_bytes().to_vec();
        assert_eq!(
            encoded(DType::Float32, &[1], float),
            "[0.10000000149011612]"
        );
        assert_eq!(
            encoded(DType::Int64, &[], 7_i64.to_le_bytes().to_vec()),
            "7"
        );
        assert_eq!(encoded(DType::Bool, &[2], vec![1, 0]), "[true, false]");
        assert_eq!(encoded(DType::Int8, &[0], vec![]), "[]");
    }

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, expected) in [
            (1e-5, "1e-05"),
            (-1.25e-5, "-1.25e-05"),
            (9.999e-5, "9.999e-05"),
            (1e-4, "0.0001"),
            (1.5e-7, "1.5e-07"),
            (-3e-101, "-3e-101"),
            (5e-324, "5e-324"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (-1.2345678901234567e16, "-1.2345678901234568e+16"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (-0.0, "-0.0"),
        ] {
            let mut out = Vec::new();
            float(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn frames_become_records_with_escaped_names() {
        let bytes: Vec<u8> = [1_i64, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
        let names: Vec<String> = vec!["a\"b".into(), "é😀".into()];
        let block = DenseBlock::new(DType::Int64, vec![1, 2], bytes.into())
            .unwrap()
            .with_columns(names.into());
        let mut out = Vec::new();
        dense(&block, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"[{"a\"b": 1, "\u00e9\ud83d\ude00": 2}]"#
        );
    }
}
