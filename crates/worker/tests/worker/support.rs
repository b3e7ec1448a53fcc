//! What the tests share: configurations, work, and pipes that tell when their last holder is gone.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use bytes::Bytes;
use sluis_mlflow::{DType, DenseBlock, Input, RawRequest, Work};
use sluis_worker::{Program, WorkerConfig};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// A folder for the worker program, and the configuration of a worker with one of the test models.
pub(crate) fn config(model: &str) -> (TempDir, WorkerConfig) {
    let python = std::env::var_os("SLUIS_TEST_PYTHON").map(PathBuf::from).expect(
        "SLUIS_TEST_PYTHON must name the Python of an environment with mlflow, pandas and pyarrow; ./check builds one",
    );
    let data = tempfile::tempdir().unwrap();
    let config = WorkerConfig {
        python,
        program: Program::install(data.path()).unwrap(),
        model: Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/models")
            .join(model),
        columns: Some(vec!["a".to_owned(), "b".to_owned()].into()),
        raw_eager: false,
        env: Vec::new(),
        instance: "test".to_owned(),
        start_timeout: LONG,
        max_body: 1 << 20,
    };
    (data, config)
}

/// Work that tells the probe what to do.
pub(crate) fn act(action: &str) -> Work {
    let columns: [(&str, ArrayRef); 2] = [
        ("do", Arc::new(StringArray::from(vec![action]))),
        ("x", Arc::new(Float64Array::from(vec![0.5]))),
    ];
    Work::from(Input::Batch(RecordBatch::try_from_iter(columns).unwrap()))
}

pub(crate) fn doubles(shape: &[usize], values: &[f64]) -> DenseBlock {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    DenseBlock::new(DType::Float64, shape.to_vec(), bytes.into()).unwrap()
}

pub(crate) fn raw(
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: &'static str,
) -> Work {
    let header = content_type.map(|value| ("content-type".to_owned(), value.to_owned()));
    Work::Raw(RawRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: header.into_iter().collect(),
        body: Bytes::from_static(body.as_bytes()),
        model_method: None,
    })
}

/// A named pipe: says when somebody opened it and wrote a line, and when nobody holds it any more.
pub(crate) struct Pipe {
    pub(crate) path: PathBuf,
    events: mpsc::Receiver<&'static str>,
}

impl Pipe {
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        let (sender, events) = mpsc::channel(2);
        let opened = path.clone();
        // A thread of its own: opening waits for the other side, and a test that fails must not wait for it.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(std::fs::File::open(opened)?);
            reader.read_line(&mut String::new())?;
            let _test_over = sender.blocking_send("started");
            reader.read_to_end(&mut Vec::new())?;
            let _test_over = sender.blocking_send("released");
            std::io::Result::Ok(())
        });
        Self { path, events }
    }

    /// Waits until it was written to.
    pub(crate) async fn started(&mut self) {
        assert_eq!(
            timeout(LONG, self.events.recv()).await.unwrap(),
            Some("started")
        );
    }

    /// Waits until every process that held it is gone.
    pub(crate) async fn released(&mut self) {
        let event = timeout(Duration::from_secs(20), self.events.recv()).await;
        assert_eq!(event.expect("a process was left behind"), Some("released"));
    }
}
