//! The elements of a tensor, from JSON or from bytes.
//!
//! JSON may be flat or nested by the shape: only the count of elements must fit, as the protocol has it.

use arrow_array::builder::BinaryBuilder;
use arrow_array::types::Float16Type;
use arrow_array::{Array, ArrowPrimitiveType, BinaryArray};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::datatype::Datatype;
use crate::json::{JsonError, Scanner, Token};

/// Half precision.
pub(crate) type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Elements in row-major order.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// Of one size, little-endian.
    Fixed(Bytes),
    /// Each with a length of its own.
    Bytes(BinaryArray),
}

/// Elements from the binary tensor extension; the error says what is wrong.
pub(crate) fn from_bytes(datatype: Datatype, count: usize, bytes: Bytes) -> Result<Data, String> {
    let Some(size) = datatype.size() else {
        return lengths_and_bytes(count, &bytes).map(Data::Bytes);
    };
    if count.checked_mul(size) != Some(bytes.len()) {
        return Err(format!(
            "{count} elements of {} take {} bytes, but 'binary_data_size' is {}",
            datatype.name(),
            count.saturating_mul(size),
            bytes.len()
        ));
    }
    if datatype == Datatype::Bool && bytes.iter().any(|byte| *byte > 1) {
        return Err("elements of BOOL are bytes 0 and 1".to_owned());
    }
    Ok(Data::Fixed(bytes))
}

/// Elements that each come behind their length of four bytes.
fn lengths_and_bytes(count: usize, bytes: &[u8]) -> Result<BinaryArray, String> {
    // An element takes 4 bytes at least, so an untrue count costs nothing.
    let mut builder = BinaryBuilder::with_capacity(count.min(bytes.len() / 4), bytes.len());
    let mut rest = bytes;
    let mut found = 0;
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some(element) = tail.get(..length) else {
            return Err(format!(
                "element {} is said to have {length} bytes, but {} are left",
                found + 1,
                tail.len()
            ));
        };
        builder.append_value(element);
        rest = &tail[length..];
        found += 1;
    }
    if !rest.is_empty() || found != count {
        return Err(format!(
            "the shape has {count} elements, but the bytes hold {found} (each with 4 bytes of length before it)"
        ));
    }
    Ok(builder.finish())
}

/// Elements from JSON; with `base64` texts are the base64 form of bytes.
pub(crate) fn from_json(
    datatype: Datatype,
    count: usize,
    json: &[u8],
    base64: bool,
) -> Result<Data, String> {
    let mut reader = Reader {
        datatype,
        base64,
        // An element takes 2 bytes of JSON at least.
        fixed: Vec::with_capacity(count.min(json.len() / 2 + 1) * datatype.size().unwrap_or(0)),
        texts: BinaryBuilder::new(),
        found: 0,
        wrong: None,
    };
    let mut scanner = Scanner::new(json);
    if scanner.peek() != Some(b'[') {
        return Err("'data' must be a list".to_owned());
    }
    let read = reader.level(&mut scanner);
    if let Some(wrong) = reader.wrong {
        return Err(format!(
            "element {} is {wrong}, expected {}",
            reader.found + 1,
            datatype.name()
        ));
    }
    read.map_err(|problem| format!("'data' is no list of elements: {problem}"))?;
    if reader.found != count {
        return Err(format!(
            "the shape has {count} elements, but 'data' has {}",
            reader.found
        ));
    }
    Ok(match datatype {
        Datatype::Bytes => Data::Bytes(reader.texts.finish()),
        _ => Data::Fixed(reader.fixed.into()),
    })
}

struct Reader {
    datatype: Datatype,
    base64: bool,
    fixed: Vec<u8>,
    texts: BinaryBuilder,
    found: usize,
    /// What the first element that does not fit is.
    wrong: Option<&'static str>,
}

impl Reader {
    fn level(&mut self, scanner: &mut Scanner<'_>) -> Result<(), JsonError> {
        scanner.list(|scanner| {
            let wrong = match scanner.token()? {
                Token::List => return self.level(scanner),
                Token::Number(digits) => self.number(digits),
                Token::Bool(value) => self.boolean(value),
                Token::Text(text) => self.text(&text),
                Token::Null => self.null(),
                Token::Object => Some("an object"),
            };
            if wrong.is_some() {
                self.wrong = wrong;
                return scanner.error("an element of the datatype");
            }
            self.found += 1;
            Ok(())
        })
    }

    fn number(&mut self, digits: &str) -> Option<&'static str> {
        let out = &mut self.fixed;
        match self.datatype {
            Datatype::Int8 => put(out, digits.parse().ok(), i8::to_le_bytes),
            Datatype::Int16 => put(out, digits.parse().ok(), i16::to_le_bytes),
            Datatype::Int32 => put(out, digits.parse().ok(), i32::to_le_bytes),
            Datatype::Int64 => put(out, digits.parse().ok(), i64::to_le_bytes),
            Datatype::Uint8 => put(out, digits.parse().ok(), u8::to_le_bytes),
            Datatype::Uint16 => put(out, digits.parse().ok(), u16::to_le_bytes),
            Datatype::Uint32 => put(out, digits.parse().ok(), u32::to_le_bytes),
            Datatype::Uint64 => put(out, digits.parse().ok(), u64::to_le_bytes),
            Datatype::Fp16 => put(out, fast_float2::parse(digits).ok(), |value: f64| {
                Half::from_f64(value).to_le_bytes()
            }),
            Datatype::Fp32 => put(out, fast_float2::parse(digits).ok(), f32::to_le_bytes),
            Datatype::Fp64 => put(out, fast_float2::parse(digits).ok(), f64::to_le_bytes),
            Datatype::Bool | Datatype::Bytes => return Some("a number"),
        }
        .map_or_else(|| Some(misfit(digits)), |()| None)
    }

    fn boolean(&mut self, value: bool) -> Option<&'static str> {
        if self.datatype != Datatype::Bool {
            return Some("a boolean");
        }
        self.fixed.push(value.into());
        None
    }

    fn text(&mut self, text: &str) -> Option<&'static str> {
        if self.datatype != Datatype::Bytes {
            return Some("a text");
        }
        if !self.base64 {
            self.texts.append_value(text);
            return None;
        }
        match STANDARD.decode(text) {
            Ok(bytes) => {
                self.texts.append_value(bytes);
                None
            }
            Err(_) => Some("a text that is not base64"),
        }
    }

    /// A missing value, which only floating-point numbers can stand for.
    fn null(&mut self) -> Option<&'static str> {
        match self.datatype {
            Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => self.number("NaN"),
            _ => Some("null"),
        }
    }
}

fn put<T, const SIZE: usize>(
    out: &mut Vec<u8>,
    value: Option<T>,
    bytes: impl Fn(T) -> [u8; SIZE],
) -> Option<()> {
    out.extend_from_slice(&bytes(value?));
    Some(())
}

/// What a number is that its type cannot hold.
fn misfit(digits: &str) -> &'static str {
    if digits
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit())
    {
        "an integer out of its range"
    } else {
        "a fraction"
    }
}

impl Data {
    /// The elements of bytes as texts; the error is the position of the first that is no text.
    pub(crate) fn first_that_is_no_text(elements: &BinaryArray) -> Option<usize> {
        (0..elements.len()).find(|index| std::str::from_utf8(elements.value(*index)).is_err())
    }
}
