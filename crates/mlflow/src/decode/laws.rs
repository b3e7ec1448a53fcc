//! Laws of the decoders, over many random frames: what is encoded decodes to itself, and order means what it says.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};

use super::Decoded;
use crate::answer::Answer;
use crate::block::{DType, DenseBlock};
use crate::contract::Contract;
use crate::encode::{Shape, response};
use crate::input::Input;
use crate::model::Model;

const ROUNDS: u64 = 300;

/// A small generator of its own: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Any finite double: of every magnitude, some of them whole.
    fn double(&mut self) -> f64 {
        let value = match self.below(3) {
            0 => f64::from_bits(self.next()),
            1 => (self.next() % 2_000_000) as f64 - 1e6,
            _ => self.next() as f64 / u64::MAX as f64,
        };
        if value.is_finite() { value } else { 0.5 }
    }

    fn text(&mut self) -> String {
        let alphabet = ['a', 'Z', '"', '\\', '\n', 'é', '😀', '\u{1}', ' ', '7', '{'];
        let length = self.below(6);
        (0..length)
            .map(|_| alphabet[self.below(alphabet.len())])
            .collect()
    }

    fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

fn contract(columns: &[(String, &str)]) -> Contract {
    let specs: Vec<serde_json::Value> = columns
        .iter()
        .map(|(name, ty)| serde_json::json!({"name": name, "type": ty, "required": true}))
        .collect();
    let signature = serde_json::to_string(&specs).unwrap().replace('\'', "''");
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\nsignature:\n  inputs: '{signature}'\n"
    );
    std::fs::write(folder.path().join("MLmodel"), text).unwrap();
    Contract::compile(&Model::open(&folder.path().to_string_lossy()).unwrap())
}

fn decoded(contract: &Contract, body: &str) -> Input {
    match contract.decode_json(body.as_bytes()) {
        Decoded::Call(call) => call.input,
        other => panic!("{other:?}: {body}"),
    }
}

fn doubles(random: &mut Random, rows: usize, width: usize) -> (Vec<f64>, DenseBlock, Contract) {
    let names: Vec<String> = (0..width).map(|column| format!("c{column}")).collect();
    let columns: Vec<(String, &str)> = names.iter().map(|name| (name.clone(), "double")).collect();
    let values: Vec<f64> = (0..rows * width).map(|_| random.double()).collect();
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let block = DenseBlock::new(DType::Float64, vec![rows, width], bytes.into())
        .unwrap()
        .with_columns(names.into());
    (values, block, contract(&columns))
}

#[test]
fn records_of_doubles_decode_to_the_block_that_was_encoded() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..ROUNDS {
        let (rows, width) = (1 + random.below(5), 1 + random.below(4));
        let (_, block, contract) = doubles(&mut random, rows, width);
        let records = response(Answer::Dense(block.clone()), Shape::Bare).unwrap();
        let records = String::from_utf8(records.to_vec()).unwrap();
        let body = format!("{{\"dataframe_records\": {records}}}");
        let Input::Frame(found) = decoded(&contract, &body) else {
            panic!("doubles are dense")
        };
        // Python reads `-0` without a fraction as zero; the encoder writes `-0.0`, so that even the sign comes back.
        assert_eq!(found, block, "{body}");
    }
}

#[test]
fn records_of_several_types_decode_to_the_batch_that_was_encoded() {
    let mut random = Random(7);
    for _ in 0..ROUNDS {
        let rows = 1 + random.below(6);
        let mut many = |make: &mut dyn FnMut(&mut Random) -> f64| -> Vec<f64> {
            (0..rows).map(|_| make(&mut random)).collect()
        };
        let numbers = many(&mut Random::double);
        let integers = many(&mut |random| f64::from(random.next() as i32));
        let flags = many(&mut |random| random.below(2) as f64);
        let texts: Vec<String> = (0..rows).map(|_| random.text()).collect();
        let longs: Vec<i64> = (0..rows).map(|_| random.next() as i64).collect();
        let arrays: Vec<(String, &str, ArrayRef)> = vec![
            ("d".into(), "double", Arc::new(Float64Array::from(numbers))),
            (
                "i \"quoted\"".into(),
                "integer",
                Arc::new(Int32Array::from_iter_values(
                    integers.iter().map(|value| *value as i32),
                )),
            ),
            (
                "b".into(),
                "boolean",
                Arc::new(BooleanArray::from_iter(
                    flags.iter().map(|value| Some(*value > 0.5)),
                )),
            ),
            ("l".into(), "long", Arc::new(Int64Array::from(longs))),
            ("ü".into(), "string", Arc::new(StringArray::from(texts))),
        ];
        let columns: Vec<(String, &str)> = arrays
            .iter()
            .map(|(name, ty, _)| (name.clone(), *ty))
            .collect();
        let batch =
            RecordBatch::try_from_iter(arrays.into_iter().map(|(name, _, array)| (name, array)))
                .unwrap();
        let records = response(Answer::Batch(batch.clone()), Shape::Bare).unwrap();
        let records = String::from_utf8(records.to_vec()).unwrap();
        let body = format!("{{\"dataframe_records\": {records}}}");
        let Input::Batch(found) = decoded(&contract(&columns), &body) else {
            panic!("several types are a batch")
        };
        assert_eq!(found.columns(), batch.columns(), "{body}");
    }
}

#[test]
fn columns_may_come_in_any_order_and_rows_keep_theirs() {
    let mut random = Random(42);
    for _ in 0..ROUNDS {
        let (rows, width) = (1 + random.below(5), 1 + random.below(5));
        let (values, block, contract) = doubles(&mut random, rows, width);
        let order = random.shuffled(width);
        let names: Vec<String> = order
            .iter()
            .map(|column| format!("\"c{column}\""))
            .collect();
        let cell = |row: usize, column: usize| format!("{:?}", values[row * width + column]);
        let split: Vec<String> = (0..rows)
            .map(|row| {
                let cells: Vec<String> = order.iter().map(|column| cell(row, *column)).collect();
                format!("[{}]", cells.join(","))
            })
            .collect();
        let records: Vec<String> = (0..rows)
            .map(|row| {
                let cells = order
                    .iter()
                    .map(|column| format!("\"c{column}\":{}", cell(row, *column)));
                format!("{{{}}}", cells.collect::<Vec<_>>().join(","))
            })
            .collect();
        let lists: Vec<String> = order
            .iter()
            .map(|column| {
                let cells: Vec<String> = (0..rows).map(|row| cell(row, *column)).collect();
                format!("\"c{column}\":[{}]", cells.join(","))
            })
            .collect();
        for body in [
            format!(
                "{{\"dataframe_split\":{{\"columns\":[{}],\"data\":[{}]}}}}",
                names.join(","),
                split.join(",")
            ),
            format!("{{\"dataframe_records\":[{}]}}", records.join(",")),
            format!("{{\"inputs\":{{{}}}}}", lists.join(",")),
        ] {
            let Input::Frame(found) = decoded(&contract, &body) else {
                panic!("doubles are dense")
            };
            assert_eq!(found, block, "{body}");
        }
    }
}
