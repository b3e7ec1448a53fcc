//! Answers as tables: CSV with a header, Parquet, JSON lines, an Arrow stream.
//!
//! A vector becomes one column, a matrix one column per position, a frame keeps its columns. Answers that are no table
//! (text, nested objects of different shapes) are refused with the form that can hold them.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, make_array};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use serde_json::Value;

use super::{EncodeError, flat, json};
use crate::answer::{Answer, HttpAnswer};
use crate::block::{DType, DenseBlock};

/// The column of an answer that is one value per row.
pub(crate) const PREDICTIONS: &str = "predictions";

/// A file form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated, with a header line; missing values are empty.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// One JSON object per line.
    JsonLines,
    /// An Arrow IPC stream.
    ArrowStream,
}

/// An answer of rows and columns.
#[derive(Debug)]
pub struct Table(RecordBatch);

impl Table {
    /// The table of any answer that is one.
    pub fn of(answer: Answer) -> Result<Self, EncodeError> {
        match answer {
            Answer::Dense(block) => Self::from_dense(&block),
            Answer::Batch(batch) => Ok(Self::from_batch(batch)),
            Answer::Json(body) | Answer::Http(HttpAnswer { body, .. }) => {
                Self::from_response(&body)
            }
        }
    }

    /// The table of a dense answer.
    pub fn from_dense(block: &DenseBlock) -> Result<Self, EncodeError> {
        let names: Vec<String> = match (&block.columns, block.shape.as_slice()) {
            (Some(columns), [_, _]) => columns.to_vec(),
            (None, [_]) => vec![PREDICTIONS.to_owned()],
            (None, [_, width]) => (0..*width).map(|column| column.to_string()).collect(),
            _ => {
                return Err(EncodeError::NotATable {
                    found: "a tensor that is neither vector nor matrix",
                });
            }
        };
        let width = names.len();
        let columns = names.iter().enumerate().map(|(index, name)| {
            let array = dense_column(block, index, width)?;
            Ok((Field::new(name, array.data_type().clone(), false), array))
        });
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
            .collect::<Result<Vec<_>, ArrowError>>()?
            .into_iter()
            .unzip();
        Ok(Self(RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            arrays,
        )?))
    }

    /// The table of an answer that is a frame already.
    pub fn from_batch(batch: RecordBatch) -> Self {
        Self(batch)
    }

    /// Its rows and columns.
    pub(crate) fn into_batch(self) -> RecordBatch {
        self.0
    }

    /// The table of a response body: `{"predictions": …}`, or the bare predictions of an MLflow 1.x model.
    pub fn from_response(body: &[u8]) -> Result<Self, EncodeError> {
        if let Some(batch) = flat::table(body) {
            return Ok(Self(batch));
        }
        let mut document: Value = parse_with_nan(body)?;
        let predictions = match document.get_mut(PREDICTIONS) {
            Some(predictions) => predictions.take(),
            None => document,
        };
        let Value::Array(rows) = predictions else {
            return Err(EncodeError::NotATable {
                found: "not a list",
            });
        };
        let rows: Vec<Value> = rows.into_iter().map(row_object).collect();
        let schema = Arc::new(arrow_json::reader::infer_json_schema_from_iterator(
            rows.iter().map(Ok),
        )?);
        let mut decoder = arrow_json::ReaderBuilder::new(schema.clone())
            .with_batch_size(rows.len().max(1))
            .build_decoder()?;
        decoder.serialize(&rows)?;
        let batch = decoder
            .flush()?
            .unwrap_or_else(|| RecordBatch::new_empty(schema));
        Ok(Self(batch))
    }

    /// Writes the table.
    pub fn write(
        &self,
        format: TableFormat,
        mut out: impl Write + Send,
    ) -> Result<(), EncodeError> {
        match format {
            TableFormat::Csv => arrow_csv::WriterBuilder::new()
                .with_header(true)
                .build(&mut out)
                .write(&self.0)?,
            TableFormat::Parquet => {
                let mut writer =
                    parquet::arrow::ArrowWriter::try_new(&mut out, self.0.schema(), None)?;
                writer.write(&self.0)?;
                writer.close()?;
            }
            TableFormat::ArrowStream => {
                let schema = self.0.schema();
                let mut writer = arrow_ipc::writer::StreamWriter::try_new(&mut out, &schema)?;
                writer.write(&self.0)?;
                writer.finish()?;
            }
            TableFormat::JsonLines => self.write_lines(&mut out)?,
        }
        Ok(())
    }

    fn write_lines(&self, out: &mut impl Write) -> Result<(), EncodeError> {
        let mut line = Vec::new();
        for row in 0..self.0.num_rows() {
            line.clear();
            json::records(&self.0.slice(row, 1), &mut line)?;
            // One record without the brackets of its list.
            let record = line
                .get(1..line.len().saturating_sub(1))
                .unwrap_or_default();
            out.write_all(record)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(ArrowError::from)?;
        }
        Ok(())
    }
}

/// One column of a row-major block.
fn dense_column(block: &DenseBlock, index: usize, width: usize) -> Result<ArrayRef, ArrowError> {
    if let DType::Text(_) = block.dtype {
        let texts = block.texts();
        let texts = texts.iter().skip(index).step_by(width);
        return Ok(Arc::new(arrow_array::StringArray::from_iter_values(texts)));
    }
    let size = block.dtype.size();
    let cells = block.bytes.chunks_exact(size).skip(index).step_by(width);
    if block.dtype == DType::Bool {
        let values: Vec<bool> = cells.map(|cell| cell[0] != 0).collect();
        return Ok(Arc::new(arrow_array::BooleanArray::from(values)));
    }
    let bytes: Vec<u8> = cells.flatten().copied().collect();
    let rows = bytes.len() / size;
    let data = ArrayData::builder(arrow_type(block.dtype))
        .len(rows)
        .add_buffer(Buffer::from_vec(bytes))
        .align_buffers(true);
    Ok(make_array(data.build()?))
}

fn arrow_type(dtype: DType) -> DataType {
    match dtype {
        DType::Bool => DataType::Boolean,
        DType::Int8 => DataType::Int8,
        DType::Int16 => DataType::Int16,
        DType::Int32 => DataType::Int32,
        DType::Int64 => DataType::Int64,
        DType::UInt8 => DataType::UInt8,
        DType::UInt16 => DataType::UInt16,
        DType::UInt32 => DataType::UInt32,
        DType::UInt64 => DataType::UInt64,
        DType::Float32 => DataType::Float32,
        DType::Float64 => DataType::Float64,
        DType::Text(_) => DataType::Utf8,
    }
}

/// A row as an object: records stay, lists get their positions as names, values the name of the whole.
fn row_object(row: Value) -> Value {
    match row {
        Value::Object(_) => row,
        Value::Array(cells) => {
            let cells = cells
                .into_iter()
                .enumerate()
                .map(|(index, cell)| (index.to_string(), cell));
            Value::Object(cells.collect())
        }
        value => Value::Object(std::iter::once((PREDICTIONS.to_owned(), value)).collect()),
    }
}

/// JSON as Python writes it: a response that does not parse may hold NaN or infinite tokens, which become nulls.
fn parse_with_nan(body: &[u8]) -> Result<Value, EncodeError> {
    let strict = serde_json::from_slice(body);
    strict.or_else(|_| serde_json::from_slice(&without_nan_tokens(body)).map_err(EncodeError::Json))
}

fn without_nan_tokens(body: &[u8]) -> Vec<u8> {
    const TOKENS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut out = Vec::with_capacity(body.len());
    let (mut rest, mut in_text) = (body, false);
    while let [first, tail @ ..] = rest {
        if !in_text && let Some(token) = TOKENS.iter().find(|token| rest.starts_with(token)) {
            out.extend_from_slice(b"null");
            rest = &rest[token.len()..];
            continue;
        }
        match first {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                out.push(*first);
                let [escaped, tail @ ..] = tail else { break };
                out.push(*escaped);
                rest = tail;
                continue;
            }
            _ => {}
        }
        out.push(*first);
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: &Table, format: TableFormat) -> String {
        let mut out = Vec::new();
        table.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn vectors_matrices_and_frames_become_columns() {
        let bytes: Vec<u8> = [1.5_f64, 2.0, 3.0, 4.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let vector = DenseBlock::new(DType::Float64, vec![4], bytes.clone().into()).unwrap();
        let table = Table::from_dense(&vector).unwrap();
        assert_eq!(
            text(&table, TableFormat::Csv),
            "predictions\n1.5\n2.0\n3.0\n4.0\n"
        );
        let matrix = DenseBlock::new(DType::Float64, vec![2, 2], bytes.into()).unwrap();
        let table = Table::from_dense(&matrix).unwrap();
        assert_eq!(
            text(&table, TableFormat::JsonLines),
            "{\"0\": 1.5, \"1\": 2.0}\n{\"0\": 3.0, \"1\": 4.0}\n"
        );
    }

    #[test]
    fn responses_become_tables_even_with_nan_tokens() {
        let body = br#"{"predictions": [{"a": 1, "b": "NaN, \"x\""}, {"a": NaN, "b": null}]}"#;
        let table = Table::from_response(body).unwrap();
        assert_eq!(
            text(&table, TableFormat::Csv),
            "a,b\n1,\"NaN, \"\"x\"\"\"\n,\n"
        );
        let bare = Table::from_response(b"[[1, 2.5]]").unwrap();
        assert_eq!(text(&bare, TableFormat::Csv), "0,1\n1,2.5\n");
        assert!(matches!(
            Table::from_response(br#"{"predictions": "x"}"#),
            Err(EncodeError::NotATable { .. })
        ));
    }

    #[test]
    fn parquet_reads_back() {
        let block =
            DenseBlock::new(DType::Int32, vec![2], vec![1, 0, 0, 0, 2, 0, 0, 0].into()).unwrap();
        let mut out = Vec::new();
        Table::from_dense(&block)
            .unwrap()
            .write(TableFormat::Parquet, &mut out)
            .unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
            bytes::Bytes::from(out),
        );
        let batches: Vec<RecordBatch> = reader
            .unwrap()
            .build()
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(batches[0].num_rows(), 2);
    }
}
