//! Parquet files, as `pandas.read_parquet` reads them.
//!
//! What is odd (types beyond the plain ones, pandas' own extension types, broken or very large files) goes to Python as it
//! came.

mod pages;

use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Decoded;
use super::columnar::guarded;
use crate::contract::{Contract, Layout};

/// Rows that are read at a time.
const STEP: usize = 1 << 16;

/// Bytes that all rows may take; a larger file is read by Python, in its own process.
const LARGEST: usize = 1 << 30;

impl Contract {
    /// Decodes an `application/vnd.apache.parquet` body.
    pub fn decode_parquet(&self, body: &Bytes) -> Decoded {
        if !self.reads_parquet() || !matches!(self.layout, Layout::Columns(_) | Layout::Tensor(_)) {
            return Decoded::AsItCame;
        }
        match guarded(|| read(body)) {
            Some(batch) => self.decode_columns(&batch),
            None => Decoded::AsItCame,
        }
    }
}

fn read(body: &Bytes) -> Option<RecordBatch> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body.clone()).ok()?;
    if !pages::are_sound(body, builder.metadata(), LARGEST as u64)? {
        return None;
    }
    let schema = builder.schema().clone();
    let (mut batches, mut size) = (Vec::new(), 0_usize);
    for batch in builder.with_batch_size(STEP).build().ok()? {
        let batch = batch.ok()?;
        size = size.saturating_add(batch.get_array_memory_size());
        if size > LARGEST {
            return None;
        }
        batches.push(batch);
    }
    // The reader's batches have a schema without the file's metadata.
    let batches: Option<Vec<RecordBatch>> = batches
        .into_iter()
        .map(|batch| batch.with_schema(schema.clone()).ok())
        .collect();
    match batches?.as_slice() {
        [batch] => Some(batch.clone()),
        batches => arrow_select::concat::concat_batches(&schema, batches).ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::Input;
    use crate::model::Model;
    use arrow_array::{ArrayRef, Float64Array};
    use arrow_schema::{Field, Schema};

    fn decode(model: &str, body: &Bytes) -> Decoded {
        let folder = format!(
            "{}/../../conformance/mlflow/models/{model}",
            env!("CARGO_MANIFEST_DIR")
        );
        Contract::compile(&Model::open(&folder).unwrap())
            .beside("3.17.2")
            .with_pandas("3.1.1")
            .decode_parquet(body)
    }

    fn file(metadata: Option<&str>, columns: &[(&str, ArrayRef)]) -> Bytes {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect();
        let mut schema = Schema::new(fields);
        if let Some(metadata) = metadata {
            schema
                .metadata
                .insert("pandas".to_owned(), metadata.to_owned());
        }
        let columns = columns.iter().map(|(_, column)| column.clone()).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        let mut out = Vec::new();
        let mut writer =
            parquet::arrow::ArrowWriter::try_new(&mut out, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        out.into()
    }

    fn iris() -> Vec<(&'static str, ArrayRef)> {
        let names = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
        let column = || Arc::new(Float64Array::from(vec![1.0, 2.0])) as ArrayRef;
        names.map(|name| (name, column())).into()
    }

    const LABELS: &str =
        r#""column_indexes": [{"name": null, "pandas_type": "unicode", "numpy_type": "object"}]"#;

    #[test]
    fn files_without_an_index_of_their_own_are_rows() {
        let Decoded::Call(call) = decode("sk_cols", &file(None, &iris())) else {
            panic!()
        };
        assert!(matches!(call.input, Input::Frame(block) if block.shape == [2, 4]));
        let range = |start: u32| {
            format!(
                r#"{{"index_columns": [{{"kind": "range", "name": null, "start": {start}, "stop": 2, "step": 1}}], {LABELS}}}"#
            )
        };
        assert!(matches!(
            decode("sk_cols", &file(Some(&range(0)), &iris())),
            Decoded::Call(_)
        ));
        // The model sees the labels of an index.
        let named = format!(r#"{{"index_columns": ["sepal_width"], {LABELS}}}"#);
        for metadata in [range(1), named] {
            assert!(matches!(
                decode("sk_cols", &file(Some(&metadata), &iris())),
                Decoded::AsItCame
            ));
        }
        let Decoded::Refused(refusal) = decode("sk_cols", &file(None, &iris()[..3])) else {
            panic!()
        };
        assert!(
            refusal.message.contains("missing inputs ['petal_width']"),
            "{refusal}"
        );
    }

    #[test]
    fn what_is_odd_goes_as_it_came() {
        let column = |pandas: &str, numpy: &str| {
            format!(
                r#"{{"index_columns": [], {LABELS}, "columns": [{{"name": "sepal_width", "field_name": "sepal_width", "pandas_type": "{pandas}", "numpy_type": "{numpy}"}}]}}"#
            )
        };
        assert!(matches!(
            decode(
                "sk_cols",
                &file(Some(&column("float64", "float64")), &iris())
            ),
            Decoded::Call(_)
        ));
        let numbered = column("float64", "float64").replace("unicode", "int64");
        for metadata in [
            column("float64", "Float64"),
            column("categorical", "int8"),
            numbered,
            "{".into(),
        ] {
            assert!(
                matches!(
                    decode("sk_cols", &file(Some(&metadata), &iris())),
                    Decoded::AsItCame
                ),
                "{metadata}"
            );
        }
        let whole = file(None, &iris());
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0xff;
            drop(decode("sk_cols", &bytes.into()));
            assert!(matches!(
                decode("sk_cols", &whole.slice(..at)),
                Decoded::AsItCame
            ));
        }
    }

    #[test]
    fn columns_of_one_type_are_a_tensor_too() {
        let Decoded::Call(call) = decode("sk_tensor", &file(None, &iris())) else {
            panic!()
        };
        assert!(matches!(call.input, Input::Tensor(block) if block.shape == [2, 4]));
        assert!(matches!(
            decode("sk_tensor", &file(None, &iris()[..3])),
            Decoded::AsItCame
        ));
    }
}
