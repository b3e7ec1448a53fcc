//! How fast a program is on this machine, alone and on one thread: `speed PROGRAM [COLUMNS [MODEL]]`.
//!
//! MODEL is the model's folder, which the program of an ONNX model needs.
//! Rows are random doubles; the answer is not looked at. Medians of repeated runs, in processor time, for one row and for many.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use sluis_mlflow::{DType, DenseBlock, Input};
use sluis_native::Program;

const RUNS: usize = 25;

/// Time on a processor, whatever else the machine does.
fn processor_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("no time")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("speed PROGRAM [COLUMNS [MODEL]]")?;
    let columns: usize = arguments.next().map_or(Ok(30), |text| text.parse())?;
    let program = match arguments.next() {
        Some(model) => Program::read_beside(&fs::read(file)?, Path::new(&model))?,
        None => Program::read(&fs::read(file)?)?,
    };
    let mut state = 1_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 22) as f64 - 2.0
    };
    for (rows, calls) in [(1_usize, 2000), (100, 100), (10_000, 8)] {
        let bytes: Vec<u8> = (0..rows * columns)
            .flat_map(|_| random().to_le_bytes())
            .collect();
        let names: Vec<String> = (0..columns).map(|column| column.to_string()).collect();
        let block = DenseBlock::new(DType::Float64, vec![rows, columns], bytes.into())?;
        let input = Input::Frame(block.with_columns(names.into()));
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = processor_time()?;
            for _ in 0..calls {
                black_box(program.evaluate(black_box(&input)))?;
            }
            times.push((processor_time()? - start) / calls);
        }
        times.sort();
        println!("{rows} rows: {:?}, best {:?}", times[RUNS / 2], times[0]);
    }
    Ok(())
}
