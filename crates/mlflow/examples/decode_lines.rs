//! Decodes payloads line by line, for the comparison with real MLflow in `conformance/differential`.
//!
//! Arguments: the versions of MLflow, pandas and numpy. A line in: `{"model": folder, "body": hex}`. A line out: what became
//! of it, with the input in the forms of the worker protocol.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};

use serde_json::{Value, json};
use sluis_mlflow::model::Model;
use sluis_mlflow::{Check, Contract, Decoded, DenseBlock, Input, ModelCall};

fn main() -> Result<(), Box<dyn Error>> {
    let versions: Vec<String> = std::env::args().skip(1).collect();
    let [mlflow, pandas, numpy] = versions.as_slice() else {
        return Err("expected the versions of MLflow, pandas and numpy".into());
    };
    let mut contracts: HashMap<String, Contract> = HashMap::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let (Some(folder), Some(body)) = (line["model"].as_str(), line["body"].as_str()) else {
            return Err("a line needs 'model' and 'body'".into());
        };
        if !contracts.contains_key(folder) {
            let contract = Contract::compile(&Model::open(folder)?);
            let contract = contract
                .beside(mlflow)
                .with_pandas(pandas)
                .with_numpy(numpy);
            contracts.insert(folder.to_owned(), contract);
        }
        let decoded = contracts[folder].decode_json(&unhex(body)?);
        writeln!(out, "{}", shown(&decoded)?)?;
    }
    Ok(())
}

fn shown(decoded: &Decoded) -> Result<Value, Box<dyn Error>> {
    Ok(match decoded {
        Decoded::AsItCame => json!({"decided": "python"}),
        Decoded::Refused(refusal) => {
            let code = match refusal.check {
                Check::Parse => "BAD_REQUEST",
                Check::Schema | Check::Params => "INVALID_PARAMETER_VALUE",
            };
            json!({"decided": "refused", "code": code, "message": refusal.message})
        }
        Decoded::Call(call) => input(call)?,
    })
}

fn input(call: &ModelCall) -> Result<Value, Box<dyn Error>> {
    let lossy: Vec<&str> = call.lossy.iter().map(|lossy| lossy.cast.name()).collect();
    let mut shown = match &call.input {
        Input::Frame(block) => {
            let mut head = head(block);
            head["as"] = "frame".into();
            head["columns"] = match &block.columns {
                Some(columns) => json!(columns.as_ref()),
                None => json!(block.shape.get(1)),
            };
            json!({"kind": "dense", "head": head, "body": hex(&block.bytes)})
        }
        Input::Tensor(block) => {
            let mut head = head(block);
            head["as"] = "tensor".into();
            json!({"kind": "dense", "head": head, "body": hex(&block.bytes)})
        }
        Input::Tensors(tensors) => {
            let (mut heads, mut body) = (Vec::new(), Vec::new());
            for (name, block) in tensors {
                let mut head = head(block);
                head["name"] = name.as_str().into();
                head["offset"] = body.len().into();
                head["length"] = block.bytes.len().into();
                heads.push(head);
                body.extend_from_slice(&block.bytes);
            }
            json!({"kind": "tensors", "head": {"tensors": heads}, "body": hex(&body)})
        }
        Input::Batch(batch) => {
            let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema())?;
            writer.write(batch)?;
            json!({"kind": "arrow", "head": {}, "body": hex(&writer.into_inner()?)})
        }
    };
    shown["decided"] = "call".into();
    shown["lossy"] = json!(lossy);
    Ok(shown)
}

fn head(block: &DenseBlock) -> Value {
    json!({"dtype": block.dtype.name(), "shape": block.shape})
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16))
        .collect()
}
