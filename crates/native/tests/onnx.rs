//! ONNX models of many forms, saved by MLflow, exported by their Python, and proved here with that Python's ONNX Runtime.
//!
//! `tests/onnx/driver.py` saves and exports, `graphs.py` lists what. The Python is that of `SLUIS_TEST_PYTHON`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by a panic"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sluis_mlflow::{DType, DenseBlock, Input};
use sluis_native::Program;

/// Saves, exports and proves the cases of these names, or all.
fn drive(out: &Path, names: &[&str]) {
    let python = std::env::var_os("SLUIS_TEST_PYTHON")
        .expect("SLUIS_TEST_PYTHON names a Python with the packages of conformance/environment; ./check builds one");
    // Examples are built with the tests of their crate, beside the folder of this test.
    let own = std::env::current_exe().unwrap();
    let prove = own
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples/prove");
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/driver.py");
    let done = Command::new(python)
        .arg("-B")
        .arg(driver)
        .arg(prove)
        .arg(out)
        .args(names)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{text}\n{errors}");
}

#[test]
fn every_form_of_graph_is_equal_to_python() {
    let out = tempfile::tempdir().unwrap();
    drive(out.path(), &[]);
}

/// A program's head, changed, as a file again.
fn changed(program: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let length = u64::from_le_bytes(program[8..16].try_into().unwrap()) as usize;
    let mut head: Value = serde_json::from_slice(&program[16..16 + length]).unwrap();
    change(&mut head);
    let mut text = head.to_string();
    text += &" ".repeat(text.len().next_multiple_of(8) - text.len());
    let mut bytes = program[..8].to_vec();
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(&program[16 + length..]);
    bytes
}

fn refusal(program: &[u8], model: &Path) -> String {
    match Program::read_beside(program, model) {
        Ok(_) => "it was read".to_owned(),
        Err(error) => error.to_string(),
    }
}

type Change = (fn(&mut Value), &'static str);

const CHANGES: &[Change] = &[
    (
        |head| head["graph"]["library"]["sha256"] = json!("00"),
        "the library of its ONNX Runtime has changed since the export",
    ),
    (
        |head| {
            head["graph"]["library"]["path"] = json!("/nowhere/onnxruntime/capi/libonnxruntime.so");
        },
        "the library of its ONNX Runtime cannot be read",
    ),
    (
        |head| head["graph"]["library"]["path"] = json!("/usr/lib/libanything.so"),
        "is no ONNX Runtime of a Python package",
    ),
    (
        |head| head["graph"]["file"]["path"] = json!("../model/model.onnx"),
        "outside of the model's folder",
    ),
    (
        |head| head["graph"]["file"]["path"] = json!("/etc/hostname"),
        "outside of the model's folder",
    ),
    (
        |head| head["graph"]["file"]["sha256"] = json!("00"),
        "its graph has changed since the export",
    ),
    (
        |head| head["graph"]["inputs"][0]["name"] = json!("z"),
        "other inputs or outputs",
    ),
    (
        |head| head["graph"]["inputs"][0]["dtype"] = json!("float64"),
        "other inputs or outputs",
    ),
    (
        |head| head["graph"]["outputs"] = json!([]),
        "no inputs, or no outputs",
    ),
    (
        |head| head["graph"]["inputs"][0]["via"] = json!("complex64"),
        "unknown type",
    ),
    (
        |head| head["graph"]["form"] = json!("columns"),
        "no column has its name",
    ),
    (
        |head| head["names"] = json!(["a"]),
        "its columns have no names",
    ),
    (
        |head| head["graph"]["options"]["optimization"] = json!(7),
        "no optimization level 7",
    ),
];

fn rows(width: usize) -> Input {
    let values: Vec<u8> = (0..3 * width)
        .flat_map(|value| (value as f64).to_le_bytes())
        .collect();
    let names: Vec<String> = (0..width).map(|column| column.to_string()).collect();
    let block = DenseBlock::new(DType::Float64, vec![3, width], values.into()).unwrap();
    Input::Frame(block.with_columns(names.into()))
}

#[test]
fn a_program_that_was_changed_is_refused_with_the_reason() {
    let out = tempfile::tempdir().unwrap();
    drive(out.path(), &["matrix"]);
    let folder = out.path().join("matrix");
    let model = folder.join("model");
    let program = fs::read(folder.join("program")).unwrap();
    for (change, expected) in CHANGES {
        let error = refusal(&changed(&program, change), &model);
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    assert!(Program::read(&program).is_err(), "without a folder");
    let whole = Program::read_beside(&program, &model).unwrap();
    assert!(whole.evaluate(&rows(4)).is_ok());
    for other in [rows(3), rows(5)] {
        assert!(whole.evaluate(&other).is_err(), "of another width");
    }
    let tensor = DenseBlock::new(DType::Float64, vec![1, 4], vec![0; 32].into()).unwrap();
    assert!(whole.evaluate(&Input::Tensor(tensor.clone())).is_err());
    let named = Input::Tensors(vec![("x".to_owned(), tensor)]);
    assert!(whole.evaluate(&named).is_err());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..300 {
        let mut bytes = program.clone();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let place = state as usize % bytes.len();
        bytes[place] ^= 1 << (state >> 61);
        if let Ok(program) = Program::read_beside(&bytes, &model) {
            let _any = program.evaluate(&rows(4));
        }
    }
    fs::write(model.join("model.onnx"), "no graph").unwrap();
    let digest = "3dedef457e43526d4d19c81bef4756864daf4602ab8df76e4e7e71caf0137661";
    let error = refusal(&program, &model);
    assert!(error.contains("its graph has changed"), "{error}");
    let error = refusal(
        &changed(&program, |head| {
            head["graph"]["file"]["sha256"] = json!(digest)
        }),
        &model,
    );
    assert!(
        error.contains("its ONNX Runtime refuses the graph"),
        "{error}"
    );
}
