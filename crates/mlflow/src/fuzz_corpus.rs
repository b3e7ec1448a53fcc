//! Replays the corpora of `fuzz/`: what the fuzzers start from, and what they once found, decodes or is refused, and never
//! panics.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::answer::Answer;
use crate::contract::{Contract, Strictness};
use crate::decode::{Decoded, from_input_data};
use crate::model::{Model, Signature};
use crate::open_inference::{InferRequest, Prepared, Responder};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Every input of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap();
    let inputs: Vec<Vec<u8>> = entries
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    inputs
}

fn opened(mlmodel: &[u8]) -> Option<Model> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("MLmodel"), mlmodel).unwrap();
    Model::open(&folder.path().to_string_lossy()).ok()
}

fn mlmodel(texts: [Option<&str>; 3]) -> String {
    let [inputs, outputs, params] = texts.map(|text| {
        text.map_or("null".to_owned(), |text| {
            format!("'{}'", text.replace('\'', "''"))
        })
    });
    format!(
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\nsignature:\n  inputs: {inputs}\n  outputs: {outputs}\n  params: {params}\n"
    )
}

/// The contracts that the first byte of a payload chooses from, with their signatures.
fn contracts() -> Vec<(Contract, Option<Signature>)> {
    let text = std::fs::read_to_string(fuzz().join("signatures.json")).unwrap();
    let signatures: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    signatures
        .iter()
        .map(|signature| {
            let inputs = signature["inputs"].to_string();
            let params = Some(&signature["params"]).filter(|params| !params.is_null());
            let params = params.map(ToString::to_string);
            let text = mlmodel([Some(&inputs), None, params.as_deref()]);
            let model = opened(text.as_bytes()).unwrap();
            (Contract::compile(&model), model.signature)
        })
        .collect()
}

/// Every payload of a target with the contract that it chooses.
fn replay(target: &str, mut decode: impl FnMut(&Contract, Option<&Signature>, &[u8])) {
    let contracts = contracts();
    for input in corpus(target) {
        if let Some((choice, body)) = input.split_first() {
            let (contract, signature) = &contracts[usize::from(*choice) % contracts.len()];
            decode(contract, signature.as_ref(), body);
        }
    }
}

#[test]
fn models_and_signatures() {
    let opened = corpus("mlmodel")
        .iter()
        .filter(|text| opened(text).is_some())
        .count();
    assert!(opened > 0, "the corpus holds real models");
    for texts in corpus("signature") {
        let Ok(texts) = String::from_utf8(texts) else {
            continue;
        };
        let mut lines = texts.splitn(3, '\n');
        let lines = [(); 3].map(|()| lines.next().filter(|text| !text.is_empty()));
        if let Some(model) = self::opened(mlmodel(lines).as_bytes()) {
            let _contract = Contract::compile(&model);
        }
    }
}

#[test]
fn payloads_of_json() {
    let mut called = 0;
    replay("json", |contract, _, body| {
        called += usize::from(matches!(contract.decode_json(body), Decoded::Call(_)));
        let strict = contract.clone().with_strictness(Strictness::Strict);
        let _checked = strict.decode_json(body);
    });
    assert!(called > 0, "some payloads fit their contract");
    replay("azure", |contract, _, body| {
        if let Ok(Some(rewritten)) = from_input_data(body) {
            let _decoded = contract.decode_json(&rewritten);
        }
    });
    replay("tensorflow", |contract, signature, body| {
        if let Ok(request) = contract.from_tensorflow(body, signature) {
            let _decoded = contract.decode_json(&request.body);
        }
    });
}

#[test]
fn tables() {
    replay("csv", |contract, _, body| {
        let _decoded = contract.decode_csv(body);
    });
    replay("parquet", |contract, _, body| {
        let _decoded = contract.decode_parquet(&Bytes::copy_from_slice(body));
    });
    replay("arrow", |contract, _, body| {
        let _decoded = contract.decode_arrow(&Bytes::copy_from_slice(body));
    });
}

#[test]
fn requests_of_open_inference() {
    replay("open_inference", |contract, signature, body| {
        let Some((length, body)) = body.split_first_chunk::<2>() else {
            return;
        };
        let length = usize::from(u16::from_le_bytes(*length));
        let body = Bytes::copy_from_slice(body);
        let Ok(request) = InferRequest::read(&body, (length > 0).then_some(length)) else {
            return;
        };
        let responder = Responder::to(&request, "m", "1", signature);
        let _response = responder.respond(Answer::Json(body.clone()));
        if let Ok(Prepared::Json(rewritten)) = contract.from_open_inference(request, signature) {
            let _decoded = contract.decode_json(&rewritten);
        }
    });
}
