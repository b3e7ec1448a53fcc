//! Programs made by hand: what they answer, and that broken ones are refused.

mod steps;

use std::sync::Arc;

use serde_json::{Value, json};
use sluis_mlflow::{Answer, DType, DenseBlock, Input};

use crate::{Layout, Program, Unproved, prove};

/// A file of a head and arrays of doubles, 64-bit or 32-bit integers, or bytes.
struct File {
    arrays: Vec<Value>,
    data: Vec<u8>,
}

impl File {
    fn new() -> Self {
        Self {
            arrays: Vec::new(),
            data: Vec::new(),
        }
    }

    fn add(&mut self, dtype: &str, count: usize, bytes: &[u8]) -> usize {
        self.arrays
            .push(json!({"dtype": dtype, "count": count, "offset": self.data.len()}));
        self.data.extend_from_slice(bytes);
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        self.arrays.len() - 1
    }

    fn f64s(&mut self, values: &[f64]) -> usize {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.add("float64", values.len(), &bytes)
    }

    fn i64s(&mut self, values: &[i64]) -> usize {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.add("int64", values.len(), &bytes)
    }

    fn i32s(&mut self, dtype: &str, values: &[i32]) -> usize {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.add(dtype, values.len(), &bytes)
    }

    fn finish(&self, mut head: Value) -> Vec<u8> {
        head["arrays"] = json!(self.arrays);
        let mut text = head.to_string();
        text += &" ".repeat(text.len().next_multiple_of(8) - text.len());
        let mut bytes = b"SLPROG1\n".to_vec();
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&self.data);
        bytes
    }
}

/// What of a tree can be broken.
struct Tree {
    feature: [i32; 3],
    threshold: f64,
    left: i32,
    right: i32,
    slots: [i32; 3],
    leaves: [f64; 2],
}

const TREE: Tree = Tree {
    feature: [0, -1, -1],
    threshold: 0.5,
    left: 1,
    right: 2,
    slots: [0, 0, 1],
    leaves: [10.0, 20.0],
};

/// One tree over one column: below or at the threshold the first leaf, above it the second.
fn tree(tree: &Tree) -> Vec<u8> {
    let mut file = File::new();
    let head = json!({
        "format": 1, "name": "Tree", "inputs": ["double"], "ulps": 0,
        "output": {"form": "values", "from": 2, "vector": true, "dtype": "float64"},
        "steps": [
            {"op": "columns", "from": [], "width": 1, "columns": [0]},
            {"op": "check", "from": [0], "width": 1, "rule": "single"},
            {
                "op": "trees", "from": [1], "width": 1, "span": 1, "rule": "le", "compare": "float32", "add": "float64",
                "ends": file.i64s(&[3]), "targets": file.i64s(&[0]),
                "feature": file.i32s("int32", &tree.feature), "threshold": file.f64s(&[tree.threshold, 0.0, 0.0]),
                "left": file.i32s("int32", &[tree.left, 0, 0]), "right": file.i32s("int32", &[tree.right, 0, 0]),
                "flags": file.add("uint8", 3, &[4, 4, 4]), "slot": file.i32s("uint32", &tree.slots),
                "values": file.f64s(&tree.leaves), "base": file.f64s(&[0.0]), "divisor": null, "zero_below": null,
                "word_ends": file.i64s(&[]), "words": file.i32s("uint32", &[]),
            },
        ],
    });
    file.finish(head)
}

fn rows(values: &[f64]) -> Input {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let block = DenseBlock::new(DType::Float64, vec![values.len(), 1], bytes.into()).unwrap();
    Input::Frame(block.with_columns(Arc::from(["x".to_owned()])))
}

fn answer(program: &Program, values: &[f64]) -> Vec<f64> {
    let Ok(Answer::Dense(block)) = program.evaluate(&rows(values)) else {
        panic!("no dense answer");
    };
    let (cells, _) = block.bytes.as_chunks::<8>();
    cells.iter().map(|cell| f64::from_le_bytes(*cell)).collect()
}

/// A sample of 1,500 rows that Python answered as `TREE` does, and one that it refused.
fn sample() -> Vec<u8> {
    let mut file = File::new();
    let values: Vec<f64> = (0..1500).map(|row| f64::from(row) / 1500.0).collect();
    let answers: Vec<u8> = values
        .iter()
        .flat_map(|value| if *value <= 0.5 { 10.0_f64 } else { 20.0 }.to_le_bytes())
        .collect();
    let head = json!({"sets": [
        {
            "rows": 1500, "columns": [{"numbers": file.f64s(&values)}],
            "answer": {"form": "dense", "dtype": "float64", "shape": [1500], "body": file.add("uint8", 12000, &answers)},
        },
        {"rows": 1, "columns": [{"numbers": file.f64s(&[f64::INFINITY])}]},
    ]});
    file.finish(head)
}

fn layout() -> Layout {
    Layout::Dense {
        dtype: DType::Float64,
        columns: Some(Arc::from(["x".to_owned()])),
    }
}

#[test]
fn a_tree_answers_at_its_threshold_and_beside_it_for_few_and_many_rows() {
    let program = Program::read(&tree(&TREE)).unwrap();
    assert_eq!(answer(&program, &[0.5]), [10.0]);
    let beside = f64::from(0.5_f32.next_up());
    for count in [1, 3, 8, 63, 64, 65, 1000] {
        let values: Vec<f64> = (0..count)
            .map(|row| if row % 3 == 0 { beside } else { 0.5 })
            .collect();
        let expected: Vec<f64> = (0..count)
            .map(|row| if row % 3 == 0 { 20.0 } else { 10.0 })
            .collect();
        assert_eq!(answer(&program, &values), expected);
    }
    assert!(program.evaluate(&rows(&[f64::NAN])).is_err());
    assert!(answer(&program, &[]).is_empty());
}

#[test]
fn a_program_is_proved_and_one_with_a_wrong_number_is_not() {
    let prove_it = |changed: Tree| {
        prove(
            &Program::read(&tree(&changed)).unwrap(),
            &sample(),
            &layout(),
        )
    };
    let evidence = prove_it(TREE).unwrap();
    assert_eq!(
        (evidence.rows, evidence.refused, evidence.largest_ulps),
        (1500, 1, 0.0)
    );
    let threshold = Tree {
        threshold: 0.6,
        ..TREE
    };
    match prove_it(threshold) {
        Err(Unproved::Differs {
            set: 0,
            row: 751,
            difference,
        }) => {
            assert!(
                difference.contains("10.0") && difference.contains("20.0"),
                "{difference}"
            );
        }
        other => panic!("{other:?}"),
    }
    for changed in [
        Tree {
            leaves: [10.0, 20.000000000000004],
            ..TREE
        },
        Tree {
            left: 2,
            right: 1,
            ..TREE
        },
        Tree {
            slots: [0, 1, 0],
            ..TREE
        },
    ] {
        assert!(matches!(prove_it(changed), Err(Unproved::Differs { .. })));
    }
}

#[test]
fn programs_that_contradict_themselves_are_refused() {
    for changed in [
        Tree { left: 0, ..TREE },
        Tree { left: -1, ..TREE },
        Tree { right: 3, ..TREE },
        Tree { right: 1, ..TREE },
        Tree {
            slots: [0, 0, 2],
            ..TREE
        },
        Tree {
            feature: [1, -1, -1],
            ..TREE
        },
        Tree {
            threshold: f64::NAN,
            ..TREE
        },
    ] {
        assert!(Program::read(&tree(&changed)).is_err());
    }
}

/// Whatever a file holds, reading it ends, and so does evaluating what could be read.
fn survives_changed_bytes(whole: &[u8], times: usize) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for length in 0..whole.len() {
        assert!(Program::read(&whole[..length]).is_err());
    }
    for _ in 0..times {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + random() % 3 {
            let place = random() % bytes.len();
            bytes[place] = random() as u8;
        }
        if let Ok(program) = Program::read(&bytes) {
            let _any = program.evaluate(&rows(&[0.25, 0.75, 1e300, -0.0]));
        }
    }
}

#[test]
fn files_with_changed_bytes_never_break_the_reader() {
    survives_changed_bytes(&tree(&TREE), 20_000);
}
