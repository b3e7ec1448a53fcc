//! Arrow columns against the measured table.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, NullArray, PrimitiveArray, RecordBatch, StringArray,
};
use serde_json::Value;

use crate::contract::{CellKind, Column, ColumnLayout, Contract, Layout};
use crate::decode::Decoded;
use crate::input::Input;
use crate::model::Model;
use crate::work::ModelCall;

fn of<T: arrow_array::types::ArrowPrimitiveType>(values: Vec<Option<T::Native>>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_iter(values))
}

/// The rows of the table that an Arrow column can stand for.
fn measured() -> Vec<(&'static str, ArrayRef)> {
    let moment = Some(1_700_000_000);
    vec![
        ("bool", Arc::new(BooleanArray::from(vec![true, false]))),
        ("int8", of::<Int8Type>(vec![Some(5), Some(6)])),
        ("int16", of::<Int16Type>(vec![Some(5), Some(6)])),
        ("int32", of::<Int32Type>(vec![Some(5), Some(6)])),
        ("int64", of::<Int64Type>(vec![Some(5), Some(6)])),
        ("int64 (only 0/1)", of::<Int64Type>(vec![Some(0), Some(1)])),
        ("uint8", of::<UInt8Type>(vec![Some(5)])),
        ("uint16", of::<UInt16Type>(vec![Some(5)])),
        ("uint32", of::<UInt32Type>(vec![Some(5)])),
        ("uint64", of::<UInt64Type>(vec![Some(5)])),
        ("float32", of::<Float32Type>(vec![Some(5.5)])),
        ("float64", of::<Float64Type>(vec![Some(5.5)])),
        (
            "float64 (integers + NaN)",
            of::<Float64Type>(vec![Some(5.0), Some(f64::NAN)]),
        ),
        (
            "float64 (integers + NaN)",
            of::<Int64Type>(vec![Some(5), None]),
        ),
        (
            "str (StringDtype)",
            Arc::new(StringArray::from(vec!["a", "b"])),
        ),
        (
            "object bool + None",
            Arc::new(BooleanArray::from(vec![Some(true), None])),
        ),
        ("object all None", Arc::new(NullArray::new(2))),
        (
            "object of bytes",
            Arc::new(BinaryArray::from(vec![b"a".as_ref(), b"b".as_ref()])),
        ),
        ("object of date", of::<Date32Type>(vec![Some(19_000)])),
        (
            "datetime64[ns]",
            of::<TimestampNanosecondType>(vec![moment]),
        ),
        (
            "datetime64[us]",
            of::<TimestampMicrosecondType>(vec![moment]),
        ),
        ("datetime64[s]", of::<TimestampSecondType>(vec![moment])),
        (
            "datetime64[ns, UTC]",
            Arc::new(
                PrimitiveArray::<TimestampNanosecondType>::from_iter([moment]).with_timezone("UTC"),
            ),
        ),
    ]
}

const KINDS: [CellKind; 8] = [
    CellKind::Boolean,
    CellKind::Integer,
    CellKind::Long,
    CellKind::Float,
    CellKind::Double,
    CellKind::Text,
    CellKind::Binary,
    CellKind::Datetime,
];

fn contract(kind: CellKind, pandas: &str) -> Contract {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/mlflow/models/sk_cols"
    );
    let column = Column {
        name: "c".to_owned(),
        kind,
        required: true,
    };
    let mut contract = Contract::compile(&Model::open(folder).unwrap()).with_pandas(pandas);
    contract.layout = Layout::Columns(ColumnLayout::new(vec![column], true).unwrap());
    contract
}

fn enforced(array: &ArrayRef, kind: CellKind, pandas: &str) -> Decoded {
    let batch = RecordBatch::try_from_iter([("c", array.clone())]).unwrap();
    contract(kind, pandas).enforce_batch(&batch)
}

/// The pandas type of the one column of an input.
fn held(input: &Input) -> String {
    match input {
        Input::Frame(block) => block.dtype.name().to_owned(),
        Input::Batch(batch) => {
            let array = batch.column(0);
            match array.data_type().to_string().as_str() {
                "Utf8" => "str".to_owned(),
                "Timestamp(ns)" => "datetime64[ns]".to_owned(),
                "Binary" | "Null" | "Date32" => "object".to_owned(),
                "Boolean" if array.null_count() > 0 => "object".to_owned(),
                other => other.to_owned(),
            }
        }
        other => panic!("no frame: {other:?}"),
    }
}

fn table(file: &str) -> Value {
    let path = format!(
        "{}/../../conformance/mlflow/{file}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn typed_columns_pass_as_the_measured_table_says() {
    let mut undecided = Vec::new();
    for (pandas, file) in [
        ("3.1.1", "enforcement_matrix"),
        ("2.3.3", "enforcement_matrix_pandas2"),
    ] {
        let table = table(file);
        for (row, array) in measured() {
            let row = if pandas == "2.3.3" && row == "str (StringDtype)" {
                "object of str"
            } else {
                row
            };
            for kind in KINDS {
                let expected = &table["matrix"][row][kind.name()];
                let expected = expected
                    .as_object()
                    .unwrap_or_else(|| panic!("no row {row}"));
                let place = format!("pandas {pandas}, {row} as {}", kind.name());
                match enforced(&array, kind, pandas) {
                    Decoded::Call(ModelCall { input, .. }) => {
                        assert_eq!(expected["ok"], true, "{place}");
                        let dtype = expected["dtype"].as_str().unwrap();
                        let held = held(&input);
                        let text = if pandas == "3.1.1" {
                            "string"
                        } else {
                            "object"
                        };
                        let held = if held == "str" { text } else { &held };
                        assert_eq!(held, dtype, "{place}");
                    }
                    Decoded::Refused(refusal) => {
                        assert_eq!(expected["ok"], false, "{place}");
                        let theirs = expected["error"].as_str().unwrap();
                        let sentence = theirs.trim_start_matches("MlflowException: ");
                        let sentence = sentence.split(". ").next().unwrap().trim_end_matches('.');
                        // Where a cast fails in pandas itself, the sentence is pandas' own.
                        let own = !sentence.starts_with("Incompatible");
                        assert!(
                            own || refusal.message.contains(sentence),
                            "{place}: {} / {theirs}",
                            refusal.message
                        );
                    }
                    Decoded::AsItCame => undecided.push(place),
                }
            }
        }
    }
    assert_eq!(
        undecided,
        [
            "pandas 3.1.1, object of bytes as double",
            "pandas 2.3.3, object of str as double",
            "pandas 2.3.3, object of str as datetime",
            "pandas 2.3.3, object of bytes as double",
        ]
    );
}

#[test]
fn what_is_not_known_is_left_to_python() {
    let array: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    assert!(matches!(
        enforced(&array, CellKind::Text, "1.5.3"),
        Decoded::AsItCame
    ));
    let none: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
    assert!(matches!(
        enforced(&none, CellKind::Text, "3.1.1"),
        Decoded::AsItCame
    ));
}

#[test]
fn a_missing_column_is_named_with_its_likely_cause() {
    let array: ArrayRef = of::<Float64Type>(vec![Some(1.0)]);
    let batch = RecordBatch::try_from_iter([
        ("sepal_lenght", array.clone()),
        ("sepal_width", array.clone()),
        ("petal_length", array),
    ])
    .unwrap();
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/mlflow/models/sk_cols"
    );
    let contract = Contract::compile(&Model::open(folder).unwrap()).with_pandas("3.1.1");
    let Decoded::Refused(refusal) = contract.enforce_batch(&batch) else {
        panic!("not refused");
    };
    assert_eq!(
        refusal.message,
        "Model is missing inputs ['sepal_length', 'petal_width']. Note that there were extra inputs: ['sepal_lenght']. \
         Did you mean 'sepal_length' instead of 'sepal_lenght'?"
    );
}
