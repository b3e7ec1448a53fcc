//! What decoding costs: payload bytes to typed blocks, on one thread, with the memory that it takes.
//!
//! `cargo bench -p sluis-mlflow --bench decode -- MODEL PAYLOAD SECONDS` prints one JSON line; `bench/decode.py` runs it
//! side by side with MLflow's own path.

use std::time::{Duration, Instant};

use sluis_mlflow::{Contract, Decoded, model::Model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|one| one != "--bench");
    let usage = "usage: decode MODEL PAYLOAD SECONDS";
    let (model, payload) = (
        arguments.next().ok_or(usage)?,
        arguments.next().ok_or(usage)?,
    );
    let limit = Duration::from_secs_f64(arguments.next().ok_or(usage)?.parse()?);
    let contract = Contract::compile(&Model::open(&model)?);
    let body = std::fs::read(payload)?;
    let before = peak_memory()?;
    let mut seconds = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < limit || seconds.is_empty() {
        let start = Instant::now();
        let decoded = contract.decode_json(std::hint::black_box(&body));
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
