//! What decoding costs: payload bytes to typed blocks, on one thread, with the memory that it takes.
//!
//! `cargo bench -p sluis-mlflow --bench decode -- MODEL PAYLOAD SECONDS` prints one JSON line. The payload's ending names
//! its form: `csv`, `parquet`, `arrow`, `v2` (Open Inference as JSON), else MLflow's JSON. `bench/decode.py` runs it
//! side by side with MLflow's own path.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sluis_mlflow::model::Model;
use sluis_mlflow::open_inference::{InferRequest, Prepared};
use sluis_mlflow::{Contract, Decoded, Refusal, Work};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|one| one != "--bench");
    let usage = "usage: decode MODEL PAYLOAD SECONDS";
    let (model, payload) = (
        arguments.next().ok_or(usage)?,
        arguments.next().ok_or(usage)?,
    );
    let limit = Duration::from_secs_f64(arguments.next().ok_or(usage)?.parse()?);
    let model = Model::open(&model)?;
    let contract = Contract::compile(&model)
        .beside("3.17.2")
        .with_pandas("3.1.1");
    let ending = Path::new(&payload)
        .extension()
        .and_then(|ending| ending.to_str());
    let body = Bytes::from(std::fs::read(&payload)?);
    let before = peak_memory()?;
    let mut seconds = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < limit || seconds.is_empty() {
        let start = Instant::now();
        let decoded = decode(&contract, &model, ending, std::hint::black_box(&body));
        seconds.push(start.elapsed().as_secs_f64());
        if !matches!(decoded, Decoded::Call(_)) {
            return Err("Rust did not decode the payload".into());
        }
    }
    let taken = peak_memory()?.saturating_sub(before);
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(
        "{{\"bytes\": {}, \"calls\": {}, \"median_s\": {median}, \"mb_per_s\": {}, \"memory_bytes\": {taken}}}",
        body.len(),
        seconds.len(),
        body.len() as f64 / 1e6 / median,
    );
    Ok(())
}

fn decode(contract: &Contract, model: &Model, ending: Option<&str>, body: &Bytes) -> Decoded {
    let of = |work: Result<Work, Refusal>| match work {
        Ok(Work::Call(call)) => Decoded::Call(call),
        Ok(Work::Raw(_)) => Decoded::AsItCame,
        Err(refusal) => Decoded::Refused(refusal),
    };
    match ending {
        Some("csv") => contract.decode_csv(body),
        Some("parquet") => contract.decode_parquet(body),
        Some("arrow") => of(contract.decode_arrow(body)),
        Some("v2") => {
            let prepared = InferRequest::read(body, None).and_then(|request| {
                contract.from_open_inference(request, model.signature.as_ref())
            });
            match prepared {
                Ok(Prepared::Call(call)) => Decoded::Call(call),
                Ok(_) => Decoded::AsItCame,
                Err(refusal) => Decoded::Refused(refusal),
            }
        }
        _ => contract.decode_json(body),
    }
}

/// The highest resident memory of this process so far, in bytes (Linux).
fn peak_memory() -> Result<usize, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: usize = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .ok_or("no VmHWM in /proc/self/status")?
        .trim()
        .parse()?;
    Ok(kilobytes * 1024)
}
