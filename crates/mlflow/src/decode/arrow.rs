//! Arrow IPC streams.
//!
//! No form of MLflow's own: what the contract does not decide is written anew in a form that the model's MLflow reads,
//! Parquet where it can.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{DataType as ArrowType, Field, Schema, SchemaRef};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::sync::Arc;

use super::Decoded;
use super::columnar::{guarded, has_own_bytes};
use crate::contract::{Contract, Version};
use crate::refusal::Refusal;
use crate::work::{RawRequest, Work};

/// The first MLflow that reads Parquet.
const PARQUET_SINCE: Version = Version(3, 10);

const PARQUET: &str = "application/vnd.apache.parquet";
const RECORDS_1X: &str = "application/json; format=pandas-records";

/// Fewer bytes than these are always expanded: a limit that depends on a tiny body would refuse plain ones.
const SMALL: usize = 1 << 20;

impl Contract {
    /// What the body of an `application/vnd.apache.arrow.stream` request asks.
    pub fn decode_arrow(&self, body: &Bytes) -> Result<Work, Refusal> {
        let batch = read(body)?;
        match self.decode_columns(&batch) {
            Decoded::Call(call) => Ok(Work::Call(call)),
            Decoded::Refused(refusal) => Err(refusal),
            Decoded::AsItCame => self.for_python(&batch).map(Work::Raw),
        }
    }

    /// Whether the model's MLflow takes Parquet.
    pub(crate) fn reads_parquet(&self) -> bool {
        self.versions
            .mlflow
            .is_some_and(|mlflow| mlflow >= PARQUET_SINCE)
    }

    /// The rows in a form that the model's own MLflow reads.
    fn for_python(&self, batch: &RecordBatch) -> Result<RawRequest, Refusal> {
        if self.reads_parquet() {
            return match guarded(|| parquet(batch)) {
                Some(body) => Ok(RawRequest::invocation(PARQUET, body.into())),
                None => Err(unreadable("its columns have no form in Parquet")),
            };
        }
        let records = guarded(|| records(batch)).ok_or_else(|| {
            unreadable("its columns have no form in JSON, and the model's MLflow reads no Parquet")
        })?;
        if self.speaks_1x() {
            return Ok(RawRequest::invocation(RECORDS_1X, records.into()));
        }
        let body = [b"{\"dataframe_records\": ".as_slice(), &records, b"}"].concat();
        Ok(RawRequest::invocation("application/json", body.into()))
    }
}

fn unreadable(reason: &str) -> Refusal {
    Refusal::parse(format!(
        "Invalid input. The body is no Arrow IPC stream that can be read: {reason}."
    ))
}

/// All rows of a stream.
fn read(body: &Bytes) -> Result<RecordBatch, Refusal> {
    let (schema, batches) = guarded(|| Some(batches(body)))
        .unwrap_or_else(|| Err(unreadable("its bytes contradict each other")))?;
    check(&schema, &batches, body.len())?;
    if let [batch] = batches.as_slice() {
        return Ok(batch.clone());
    }
    guarded(|| arrow_select::concat::concat_batches(&schema, &batches).ok())
        .ok_or_else(|| unreadable("its batches cannot be put together"))
}

/// Reads what lies in the body, and copies nothing: lengths that the bytes claim cost nothing.
fn batches(body: &Bytes) -> Result<(SchemaRef, Vec<RecordBatch>), Refusal> {
    let mut decoder = StreamDecoder::new();
    let mut buffer = Buffer::from(body.clone());
    let mut batches = Vec::new();
    let broken = |error: &arrow_schema::ArrowError| {
        // The reader's message may hold what the bytes say; its kind does not.
        let text = error.to_string();
        unreadable(text.split(':').next().unwrap_or("it is broken"))
    };
    while !buffer.is_empty() {
        match decoder.decode(&mut buffer) {
            Ok(Some(batch)) => batches.push(batch),
            Ok(None) => {}
            Err(error) => return Err(broken(&error)),
        }
    }
    decoder.finish().map_err(|_| unreadable("it ends early"))?;
    match decoder.schema() {
        Some(schema) => Ok((schema, batches)),
        None => Err(unreadable("it has no schema")),
    }
}

/// Refuses columns whose values may be more than the bytes of the body.
fn check(schema: &Schema, batches: &[RecordBatch], size: usize) -> Result<(), Refusal> {
    for field in schema.fields() {
        if !has_own_bytes(field, false) {
            let name: String = field.name().chars().take(80).collect();
            let reason = match field.data_type() {
                ArrowType::Dictionary(_, _) => {
                    "is dictionary-encoded (a category in pandas); send its values themselves"
                }
                _ => "is of a type that is not supported here; send plain values, lists or structs",
            };
            return Err(Refusal::schema(format!(
                "Incompatible input types: column {name} {reason}."
            )));
        }
    }
    // A value takes a bit at least, and a view shares its bytes with others.
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let most = size.max(SMALL);
    let columns = batches.iter().flat_map(RecordBatch::columns);
    let viewed: usize = columns.map(viewed).fold(0, usize::saturating_add);
    if rows > most.saturating_mul(8) || viewed > most.saturating_mul(2) {
        return Err(unreadable("it has more values than its bytes can hold"));
    }
    Ok(())
}

/// The bytes that the views of a column show, those that are shown twice counted twice.
fn viewed(column: &ArrayRef) -> usize {
    let lengths = |views: &[u128]| {
        // The lowest 32 bits of a view are its length.
        let lengths = views.iter().map(|view| (*view as u32) as usize);
        lengths.fold(0, usize::saturating_add)
    };
    match column.data_type() {
        ArrowType::Utf8View => lengths(column.as_string_view().views()),
        ArrowType::BinaryView => lengths(column.as_binary_view().views()),
        _ => 0,
    }
}

fn parquet(batch: &RecordBatch) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut out, batch.schema(), None).ok()?;
    writer.write(batch).ok()?;
    writer.close().ok()?;
    Some(out)
}

/// The rows as JSON objects; bytes as base64 texts, as MLflow reads them.
fn records(batch: &RecordBatch) -> Option<Vec<u8>> {
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let column = match field.data_type() {
            ArrowType::Binary => texts(column.as_binary::<i32>().iter()),
            ArrowType::LargeBinary => texts(column.as_binary::<i64>().iter()),
            ArrowType::BinaryView => texts(column.as_binary_view().iter()),
            _ => column.clone(),
        };
        fields.push(Field::new(field.name(), column.data_type().clone(), true));
        columns.push(column);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).ok()?;
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::JsonArray>(Vec::new());
    writer.write(&batch).ok()?;
    writer.finish().ok()?;
    let records = writer.into_inner();
    Some(if records.is_empty() {
        b"[]".to_vec()
    } else {
        records
    })
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
    let texts = values.map(|value| value.map(|bytes| STANDARD.encode(bytes)));
    Arc::new(texts.collect::<StringArray>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Input;
    use crate::model::Model;
    use arrow_array::{BinaryArray, Float32Array, Float64Array, Int64Array, NullArray};

    fn contract(model: &str, mlflow: &str) -> Contract {
        let folder = format!(
            "{}/../../conformance/mlflow/models/{model}",
            env!("CARGO_MANIFEST_DIR")
        );
        Contract::compile(&Model::open(&folder).unwrap())
            .beside(mlflow)
            .with_pandas("3.1.1")
    }

    fn stream(columns: Vec<(&str, ArrayRef)>, times: usize) -> Bytes {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer =
            arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        for _ in 0..times {
            writer.write(&batch).unwrap();
        }
        writer.into_inner().unwrap().into()
    }

    fn iris(last: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
        let double = || Arc::new(Float64Array::from(vec![1.0, 2.0])) as ArrayRef;
        vec![
            ("petal_width", double()),
            ("sepal_length", double()),
            ("sepal_width", double()),
            ("petal_length", last),
        ]
    }

    #[test]
    fn streams_of_several_batches_are_rows_under_the_strict_table() {
        let last: ArrayRef = Arc::new(Float32Array::from(vec![1.0, 2.0]));
        let work = contract("sk_cols", "3.17.2").decode_arrow(&stream(iris(last), 3));
        let Ok(Work::Call(call)) = work else {
            panic!("{work:?}")
        };
        let Input::Frame(block) = call.input else {
            panic!()
        };
        assert_eq!(block.shape, [6, 4]);
        let last: ArrayRef = Arc::new(Int64Array::from(vec![3, 4]));
        let refusal = contract("sk_cols", "3.17.2")
            .decode_arrow(&stream(iris(last), 1))
            .unwrap_err();
        assert!(
            refusal
                .message
                .contains("Can not safely convert int64 to float64"),
            "{refusal}"
        );
    }

    #[test]
    fn what_python_decides_goes_there_in_a_form_that_it_reads() {
        let columns = || {
            let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b""]));
            let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
            vec![("x", bytes), ("n", numbers)]
        };
        let raw = |mlflow: &str| match contract("echo_nosig", mlflow)
            .decode_arrow(&stream(columns(), 1))
        {
            Ok(Work::Raw(raw)) => raw,
            other => panic!("{other:?}"),
        };
        let parquet = raw("3.10.0");
        assert_eq!(parquet.headers[0].1, PARQUET);
        assert!(parquet.body.starts_with(b"PAR1"));
        assert_eq!(
            raw("3.9.0").body.as_ref(),
            br#"{"dataframe_records": [{"x":"AP8=","n":1},{"x":"","n":null}]}"#
        );
        assert_eq!(raw("1.30.1").headers[0].1, RECORDS_1X);
        assert!(raw("1.30.1").body.starts_with(b"[{"));
    }

    #[test]
    fn broken_streams_are_refused() {
        let whole = stream(iris(Arc::new(Float64Array::from(vec![1.0, 2.0]))), 1);
        let contract = contract("sk_cols", "3.17.2");
        for cut in 0..whole.len() - 8 {
            let work = contract.decode_arrow(&whole.slice(..cut));
            assert!(work.is_err(), "{cut} of {}", whole.len());
        }
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0xff;
            // Any answer will do, but one.
            drop(contract.decode_arrow(&bytes.into()));
        }
        assert!(contract.decode_arrow(&Bytes::from_static(b"{}")).is_err());
    }

    #[test]
    fn rows_without_bytes_are_bounded() {
        let rows = (SMALL + 1) * 8;
        let nulls: ArrayRef = Arc::new(NullArray::new(rows));
        let refusal = contract("echo_nosig", "3.17.2")
            .decode_arrow(&stream(vec![("n", nulls)], 1))
            .unwrap_err();
        assert!(
            refusal.message.contains("more values than its bytes"),
            "{refusal}"
        );
        let words: ArrayRef = Arc::new(
            arrow_array::DictionaryArray::<arrow_array::types::Int8Type>::from_iter(["a", "a"]),
        );
        let refusal = contract("echo_nosig", "3.17.2")
            .decode_arrow(&stream(vec![("w", words)], 1))
            .unwrap_err();
        assert!(
            refusal.message.contains("column w is dictionary-encoded"),
            "{refusal}"
        );
    }
}
