//! Native scoring of the real binary: proved once, then without Python until Python is needed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::server::{Server, model, predict};

pub(crate) const IRIS: &str = r#"{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"], "data": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}}"#;

pub(crate) fn has_python(server: &Server) -> bool {
    server.descendants().into_iter().any(|id| {
        let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains("python")
    })
}

/// A data folder of this test's own.
pub(crate) fn data(folder: &Path) -> Vec<&str> {
    vec!["--data-dir", folder.to_str().unwrap()]
}

#[test]
fn a_proved_model_is_served_without_python_and_what_its_model_refuses_starts_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = data(folder.path());
    let mut first = Server::start_with(&model("sk_cols"), &options);
    assert_eq!(
        first.predict(IRIS),
        (200, "{\"predictions\": [0, 2]}".into())
    );
    assert!(!has_python(&first));
    assert_eq!(first.terminate(), Some(0));
    let begun = Instant::now();
    first = Server::start_with(&model("sk_cols"), &options);
    assert_eq!(first.predict(IRIS).0, 200);
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(5),
        "a second start took {took:?}"
    );
    assert!(!has_python(&first));
    let csv = b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n";
    assert_eq!(
        first.post("/invocations", "text/csv", csv),
        (200, "{\"predictions\": [0]}".into())
    );
    let infinite = IRIS.replace("5.1", "1e400");
    let (status, body) = first.predict(&infinite);
    assert_eq!(status, 400, "the model itself refuses infinity: {body}");
    assert!(has_python(&first), "and in its own words");
    assert_eq!(first.terminate(), Some(0));
}

#[test]
fn a_changed_program_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let options = data(folder.path());
    assert_eq!(
        Server::start_with(&model("sk_cols"), &options).terminate(),
        Some(0)
    );
    let programs = fs::read_dir(folder.path().join("programs")).unwrap();
    let program = programs.flatten().map(|entry| entry.path().join("program"));
    let program = program.into_iter().find(|file| file.is_file()).unwrap();
    let mut bytes = fs::read(&program).unwrap();
    let last = bytes.len() - 4;
    bytes[last] ^= 0x40;
    fs::write(&program, bytes).unwrap();
    let server = Server::start_with(&model("sk_cols"), &options);
    assert_eq!(
        server.predict(IRIS),
        (200, "{\"predictions\": [0, 2]}".into())
    );
    let log = server.rest_of_log().join("\n");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn predict_asks_the_program_too() {
    let output = predict(&model("sk_cols"), IRIS, &["--scorer", "native"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "{\"predictions\": [0, 2]}",
        "{text}"
    );
    assert!(text.contains("in Rust"), "{text}");
}
