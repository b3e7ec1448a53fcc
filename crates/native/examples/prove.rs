//! Proves the programs in folders: `prove FOLDER…`, each with the exporter's `order.json`, `program` and `sample`.
//!
//! For the tests of single estimators (`crates/native/tests/estimators`), which export hundreds of models.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use arrow_schema::{DataType, Field, Schema};
use sluis_mlflow::DType;
use sluis_native::{Layout, Program, prove};

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for folder in std::env::args().skip(1) {
        match one(Path::new(&folder)) {
            Ok(text) => println!("proved {folder}: {text}"),
            Err(error) => {
                println!("NOT PROVED {folder}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn one(folder: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let order: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("order.json"))?)?;
    let layout = layout(&order).ok_or("the order names no layout")?;
    let start = Instant::now();
    let bytes = fs::read(folder.join("program"))?;
    let program = match order["model"].as_str() {
        Some(model) => Program::read_beside(&bytes, Path::new(model))?,
        None => Program::read(&bytes)?,
    };
    let read = start.elapsed();
    let sample = fs::read(folder.join("sample"))?;
    let evidence = prove(&program, &sample, &layout)?;
    Ok(format!(
        "{} rows, {} refused, {} left, {:.2} of {} ulps; read in {read:?}",
        evidence.rows, evidence.refused, evidence.left, evidence.largest_ulps, evidence.bound_ulps
    ))
}

fn layout(order: &serde_json::Value) -> Option<Layout> {
    if order["tensors"].is_array() {
        return Some(Layout::Tensors);
    }
    let kinds: Vec<&str> = order["kinds"]
        .as_array()?
        .iter()
        .filter_map(|kind| kind.as_str())
        .collect();
    let names: Option<Vec<String>> = order["names"].as_array().map(|names| {
        names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    });
    let alike = kinds.iter().all(|kind| *kind == kinds[0]);
    if alike && kinds[0] != "string" {
        let dtype = match kinds[0] {
            "boolean" => DType::Bool,
            "integer" => DType::Int32,
            "long" => DType::Int64,
            "float" => DType::Float32,
            _ => DType::Float64,
        };
        return Some(Layout::Dense {
            dtype,
            columns: names.map(Into::into),
        });
    }
    let fields = kinds.iter().zip(names?).map(|(kind, name)| {
        let ty = match *kind {
            "boolean" => DataType::Boolean,
            "integer" => DataType::Int32,
            "long" => DataType::Int64,
            "float" => DataType::Float32,
            "double" => DataType::Float64,
            _ => DataType::Utf8,
        };
        Field::new(name, ty, false)
    });
    Some(Layout::Batch(Arc::new(Schema::new(
        fields.collect::<Vec<_>>(),
    ))))
}
