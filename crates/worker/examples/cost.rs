//! throw-away
use std::time::Duration;
use sluis_mlflow::*; use sluis_worker::*;
#[tokio::main]
async fn main() {
    let model = std::env::args().nth(1).unwrap(); let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let prefix = std::env::args().nth(3).unwrap_or_default();
    let names: Vec<String> = if prefix.is_empty() { "age sex bmi bp s1 s2 s3 s4 s5 s6".split(' ').map(String::from).collect() } else { (0..n).map(|i| format!("{prefix}{i}")).collect() };
    let names: std::sync::Arc<[String]> = names.into();
    let data = tempfile::tempdir().unwrap();
    let config = WorkerConfig { python: std::env::var("SLUIS_TEST_PYTHON").unwrap().into(), program: Program::install(data.path()).unwrap(), model: model.into(), columns: Some(names.clone()), raw_eager: false, env: vec![], instance: "x".into(), start_timeout: Duration::from_secs(100), max_body: 1<<30 };
    let g = Guardian::start().unwrap();
    let (mut w, r) = Worker::start(&config, &g).await.unwrap();
    println!("{r:?}");
    for rows in [1usize, 1000] {
        let bytes: Vec<u8> = (0..n*rows).flat_map(|i| (i as f64 * 1e-3).to_le_bytes()).collect();
        let work = Work::Input(Input::Frame(DenseBlock::new(DType::Float64, vec![rows, n], bytes.into()).unwrap().with_columns(names.clone())));
        let mut t = Vec::new();
        for _ in 0..3000 { let s = std::time::Instant::now(); let a = w.call(&work, tokio::time::Instant::now()+Duration::from_secs(10)).await; t.push(s.elapsed().as_nanos()); if t.len()==1 { println!("{}", format!("{a:?}").chars().take(200).collect::<String>()); } }
        t.sort(); println!("rows {rows}: median {} us, p10 {} p99 {}", t[1500]/1000, t[300]/1000, t[2970]/1000);
    }
    w.stop(Duration::from_secs(10)).await;
}
