//! CSV under a column signature, as `pandas.read_csv` reads it with the signature's types.
//!
//! Decides only plain files: a header of different names, rows as long as it, quotes only around whole fields, and values
//! that every reader takes for one and the same. Everything else is pandas' to judge, above all rows of other lengths
//! (a longer first one shifts the columns), spaces at the start of a line, and texts for numbers.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::Field;
use csv::{ByteRecord, ReaderBuilder};

use super::Decoded;
use super::builder::ColumnBuilder;
use crate::contract::{ColumnLayout, Contract, Layout, Strictness, Version};
use crate::enforce::{Matched, assemble, unknown_columns};
use crate::input::OBJECT_COLUMN;
use crate::refusal::Refusal;
use crate::work::ModelCall;

/// What pandas takes for a missing value; empty texts too.
const MISSING: [&[u8]; 18] = [
    b"",
    b"#N/A",
    b"#N/A N/A",
    b"#NA",
    b"-1.#IND",
    b"-1.#QNAN",
    b"-NaN",
    b"-nan",
    b"1.#IND",
    b"1.#QNAN",
    b"<NA>",
    b"N/A",
    b"NA",
    b"NULL",
    b"NaN",
    b"None",
    b"n/a",
    b"nan",
];
const NULL: &[u8] = b"null";

/// The first pandas whose numbers are those that are closest to the text; those before may be off in the last digit.
const EXACT_SINCE: Version = Version(3, 1);

/// Digits that a double holds in any case.
const SAFE_DIGITS: usize = 15;

/// The largest power of ten that is a double.
const SAFE_EXPONENT: i32 = 22;

impl Contract {
    /// Decodes a `text/csv` body.
    pub fn decode_csv(&self, body: &[u8]) -> Decoded {
        let Layout::Columns(layout) = &self.layout else {
            return Decoded::AsItCame;
        };
        let exact = self
            .versions
            .pandas
            .is_some_and(|pandas| pandas >= EXACT_SINCE);
        if !layout.named || self.speaks_1x() {
            return Decoded::AsItCame;
        }
        match read(layout, body, exact, self.strictness) {
            Some(Ok(call)) => Decoded::Call(call),
            Some(Err(refusal)) => Decoded::Refused(refusal),
            None if self.strictness == Strictness::Strict => Decoded::Refused(Refusal::parse(
                "Strict checking refuses this CSV: pandas would guess what some of it means. Write plain lines as long as the \
                 header, integers without a point, booleans as true and false, no missing texts, integers or booleans, and \
                 send dates and binary values as JSON or Arrow.",
            )),
            None => Decoded::AsItCame,
        }
    }
}

fn read(
    layout: &ColumnLayout,
    body: &[u8],
    exact: bool,
    strictness: Strictness,
) -> Option<Result<ModelCall, Refusal>> {
    std::str::from_utf8(body).ok()?;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if !is_plain(body) {
        return None;
    }
    let mut reader = ReaderBuilder::new().has_headers(true).from_reader(body);
    let header = reader.byte_headers().ok()?.clone();
    let labels = labels(&header)?;
    let mut columns: Vec<Option<ColumnBuilder>> = labels
        .iter()
        .map(|label| Some(ColumnBuilder::of(layout.kinds[layout.position(label)?])))
        .collect();
    let mut record = ByteRecord::new();
    let mut rows = 0;
    while reader.read_byte_record(&mut record).ok()? {
        if record.get(0).is_some_and(starts_blank) {
            return None;
        }
        for (column, cell) in columns.iter_mut().zip(&record) {
            if let Some(column) = column {
                push(column, cell, exact)?;
            }
        }
        rows += 1;
    }
    if rows == 0 {
        return None;
    }
    let labels: Vec<Option<&str>> = labels.iter().map(|label| Some(label.as_str())).collect();
    let matched = match Matched::columns(layout, &labels) {
        Ok(matched) => matched,
        Err(refusal) => return Some(Err(refusal)),
    };
    if strictness == Strictness::Strict && !matched.extra.is_empty() {
        let extra: Vec<&str> = matched.extra.iter().map(String::as_str).collect();
        return Some(Err(unknown_columns(layout, &extra)));
    }
    let mut taken = Vec::with_capacity(layout.names.len());
    for (position, kind) in matched.positions.iter().zip(&layout.kinds) {
        let Some(position) = *position else { continue };
        let name = labels[position]?;
        taken.push(finish(columns[position].take()?, kind.field(name)));
    }
    let names: Arc<[String]> = if taken.len() == layout.names.len() {
        layout.names.clone()
    } else {
        taken
            .iter()
            .map(|(field, _)| field.name().clone())
            .collect()
    };
    let mut call = ModelCall::from(assemble(Some(names), taken, rows)?);
    call.lossy.extend(matched.losses());
    Some(Ok(call))
}

fn starts_blank(cell: &[u8]) -> bool {
    matches!(cell.first(), Some(b' ' | b'\t'))
}

/// Whether lines and quotes mean the same to every reader: `\r` only before `\n`, quotes only around whole fields.
fn is_plain(body: &[u8]) -> bool {
    if memchr::memchr(0, body).is_some() {
        return false;
    }
    let lone = |at: usize| body.get(at + 1) != Some(&b'\n');
    if memchr::memchr_iter(b'\r', body).any(lone) {
        return false;
    }
    let (mut rest, mut start) = (body, true);
    while let Some(at) = memchr::memchr(b'"', rest) {
        if at > 0 {
            start = matches!(rest[at - 1], b',' | b'\n');
        }
        let Some(end) = start.then(|| quoted(&rest[at + 1..])).flatten() else {
            return false;
        };
        rest = &rest[at + 1 + end..];
        start = false;
        if !matches!(rest.first(), None | Some(b',' | b'\n' | b'\r')) {
            return false;
        }
    }
    true
}

/// The bytes of a quoted field up to and with its closing quote.
fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b'"', &text[at..])? + 1;
        if text.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// The column names; none where pandas would make up or change some.
fn labels(header: &ByteRecord) -> Option<Vec<String>> {
    let labels: Vec<String> = header
        .iter()
        .map(|label| {
            String::from_utf8(label.to_vec())
                .ok()
                .filter(|label| !label.is_empty())
        })
        .collect::<Option<_>>()?;
    if labels
        .first()
        .is_none_or(|label| starts_blank(label.as_bytes()))
    {
        return None;
    }
    let mut sorted: Vec<&String> = labels.iter().collect();
    sorted.sort_unstable();
    let repeated = sorted.windows(2).any(|pair| pair[0] == pair[1]);
    (!repeated).then_some(labels)
}

/// Appends a cell; `None` where it is not decided here.
fn push(column: &mut ColumnBuilder, cell: &[u8], exact: bool) -> Option<()> {
    match column {
        ColumnBuilder::Boolean(values) => values.push(boolean(cell)?),
        ColumnBuilder::Integer(values) => values.push(integer(cell)?.try_into().ok()?),
        ColumnBuilder::Long(values) => values.push(integer(cell)?),
        ColumnBuilder::Float(values) => values.push(double(cell, exact)? as f32),
        ColumnBuilder::Double(values) => values.push(double(cell, exact)?),
        ColumnBuilder::Text(values) if !is_missing(cell) => {
            values.append_value(std::str::from_utf8(cell).ok()?);
        }
        ColumnBuilder::Text(_) | ColumnBuilder::Cast => return None,
    }
    Some(())
}

/// The column with its field: the type that MLflow names for texts makes objects of them.
fn finish(column: ColumnBuilder, field: Field) -> (Field, ArrayRef) {
    let field = match column {
        ColumnBuilder::Text(_) => {
            let (key, value) = OBJECT_COLUMN;
            field.with_metadata(HashMap::from([(key.to_owned(), value.to_owned())]))
        }
        _ => field,
    };
    (field, column.finish())
}

fn is_missing(cell: &[u8]) -> bool {
    cell.is_empty() || MISSING.contains(&cell) || cell == NULL
}

fn boolean(cell: &[u8]) -> Option<bool> {
    match cell {
        b"True" | b"true" | b"TRUE" => Some(true),
        b"False" | b"false" | b"FALSE" => Some(false),
        _ => None,
    }
}

fn integer(cell: &[u8]) -> Option<i64> {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    // More digits than these may not fit.
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(cell).ok()?.parse().ok()
}

fn double(cell: &[u8], exact: bool) -> Option<f64> {
    match Decimal::of(cell) {
        Some(decimal) if exact || decimal.is_safe() => fast_float2::parse(cell).ok(),
        Some(_) => None,
        None => is_missing(cell).then_some(f64::NAN),
    }
}

/// The shape of a decimal number.
struct Decimal {
    digits: usize,
    exponent: i32,
}

impl Decimal {
    /// The shape of a text that is digits, perhaps with a sign, a point, an exponent, and nothing else.
    fn of(cell: &[u8]) -> Option<Self> {
        let rest = cell.strip_prefix(b"-").unwrap_or(cell);
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => digits(rest),
            _ => (0, rest),
        };
        if whole == 0 {
            return None;
        }
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', rest)) => {
                let unsigned = rest.strip_prefix(b"-").or(rest.strip_prefix(b"+"));
                let (count, end) = digits(unsigned.unwrap_or(rest));
                if !(1..=4).contains(&count) || !end.is_empty() {
                    return None;
                }
                std::str::from_utf8(rest).ok()?.parse().ok()?
            }
            Some(_) => return None,
        };
        Some(Self {
            digits: whole + fraction,
            exponent: exponent - i32::try_from(fraction).ok()?,
        })
    }

    /// Whether the nearest double comes out of every way to read it.
    fn is_safe(&self) -> bool {
        self.digits <= SAFE_DIGITS && self.exponent.abs() <= SAFE_EXPONENT
    }
}

/// How many digits a text begins with, and what follows.
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &text[count..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Input;
    use crate::model::Model;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    fn decode(model: &str, pandas: &str, body: &[u8]) -> Decoded {
        let folder = format!(
            "{}/../../conformance/mlflow/models/{model}",
            env!("CARGO_MANIFEST_DIR")
        );
        let contract = Contract::compile(&Model::open(&folder).unwrap());
        contract
            .beside("3.17.2")
            .with_pandas(pandas)
            .decode_csv(body)
    }

    fn doubles(pandas: &str, body: &str) -> Option<Vec<f64>> {
        match decode("sk_cols", pandas, body.as_bytes()) {
            Decoded::Call(call) => match call.input {
                Input::Frame(block) => {
                    let (cells, _) = block.bytes.as_chunks::<8>();
                    Some(cells.iter().map(|cell| f64::from_le_bytes(*cell)).collect())
                }
                other => panic!("{other:?}"),
            },
            Decoded::AsItCame => None,
            Decoded::Refused(refusal) => panic!("{refusal}"),
        }
    }

    const HEADER: &str = "sepal_length,sepal_width,petal_length,petal_width";

    #[test]
    fn plain_files_are_rows_in_the_order_of_the_signature() {
        let expected = Some(vec![1.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        for body in [
            format!("{HEADER}\n1,2.5,3,4\n5,6,7,8\n"),
            format!("\u{feff}{HEADER}\r\n1,2.5,3,4\r\n\r\n5,6,7,8"),
            "petal_width,x,sepal_length,sepal_width,\"petal_length\"\n4,a,1,2.5,\"3\"\n8,\"b,\"\"\nc\",5,6,7\n".to_owned(),
        ] {
            assert_eq!(doubles("3.1.1", &body), expected, "{body}");
        }
        let numbers = doubles(
            "3.1.1",
            &format!("{HEADER}\n-0.0,1e400,0.1234567890123456789,NA\n"),
        )
        .unwrap();
        assert!(
            numbers[0].is_sign_negative() && numbers[1] == f64::INFINITY && numbers[3].is_nan()
        );
        assert_eq!(numbers[2], 0.123_456_789_012_345_68);
    }

    #[test]
    fn what_pandas_judges_goes_as_it_came() {
        for rows in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "1,2,3, 4",
            "1,2,3,x",
            "1,2,3,1_0",
            "1,2,3,+1",
            "1,2,3,.5",
            "1,2,3,inf",
            " 1,2,3,4",
            "1,2,3,\"4\"5",
            "1,2,3,4\"",
            "1,2,3,\"4",
            "1,2,3,4\r5,6,7,8",
            "1,2,3,1e",
            "1,2,3,\0",
        ] {
            assert_eq!(
                doubles("3.1.1", &format!("{HEADER}\n{rows}\n")),
                None,
                "{rows:?}"
            );
        }
        for header in ["a,,c,d", "a,a,b,c", " a,b,c,d"] {
            assert!(matches!(
                decode(
                    "sk_cols",
                    "3.1.1",
                    format!("{header}\n1,2,3,4\n").as_bytes()
                ),
                Decoded::AsItCame
            ));
        }
        assert!(matches!(
            decode("sk_cols", "3.1.1", b"a\n\xff\n"),
            Decoded::AsItCame
        ));
        assert!(matches!(
            decode("sk_tensor", "3.1.1", b"a\n1\n"),
            Decoded::AsItCame
        ));
        assert!(matches!(
            decode("echo_types", "3.1.1", b"x\nabc\n"),
            Decoded::AsItCame
        ));
        // pandas 2 may read this number one step off.
        let long = format!("{HEADER}\n1,2,3,-957.0205894681823\n");
        assert_eq!(doubles("2.3.3", &long), None);
        assert!(doubles("2.3.3", &long.replace("4681823", "4")).is_some());
    }

    #[test]
    fn missing_columns_are_refused_and_texts_are_objects() {
        let Decoded::Refused(refusal) = decode("sk_cols", "3.1.1", b"sepal_length\n1\n") else {
            panic!();
        };
        assert!(
            refusal
                .message
                .starts_with("Model is missing inputs ['sepal_width'"),
            "{refusal}"
        );
        let Decoded::Call(call) = decode("outputs", "3.1.1", b"kind\nint\n\"a\"\"b\"\n001\n")
        else {
            panic!();
        };
        let Input::Batch(batch) = call.input else {
            panic!()
        };
        let texts = batch.column(0).as_string::<i32>();
        assert_eq!(
            (texts.value(1), texts.value(2), texts.len()),
            ("a\"b", "001", 3)
        );
        let (key, value) = OBJECT_COLUMN;
        assert_eq!(batch.schema().field(0).metadata()[key], value);
        assert!(matches!(
            decode("outputs", "3.1.1", b"kind\nint\nNA\n"),
            Decoded::AsItCame
        ));
    }
}
