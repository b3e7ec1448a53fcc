//! ONNX models by the real binary: their own runtime, called without Python.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::native::{data, has_python};
use super::recheck::metric;
use super::server::{Server, eventually, model, predict, root, test_python};

const TWO: &str = r#"{"inputs": {"X": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}}"#;

/// Models of `crates/native/tests/onnx/graphs.py`, saved by MLflow.
fn saved(names: &[&str], out: &Path) {
    let folder = root().join("crates/native/tests/onnx");
    let code = "import sys; sys.path.insert(0, sys.argv[1]); import driver, graphs, os\n\
        for case in graphs.all_cases():\n    if case.name in sys.argv[3:]: driver.save(case, os.path.join(sys.argv[2], case.name))";
    let done = Command::new(test_python())
        .args(["-B", "-c", code])
        .arg(folder)
        .arg(out)
        .args(names)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
}

fn asked(model: &Path, body: &str, scorer: &str) -> (String, String) {
    let output = predict(model, body, &["--scorer", scorer]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_graph_is_served_without_python_and_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--data-dir", folder.path().to_str().unwrap()];
    let python = Server::start(&model("onnx_tensor"), &[]);
    let expected = python.predict(TWO);
    assert_eq!(expected.0, 200);
    for _ in 0..2 {
        let begun = Instant::now();
        let server = Server::start_with(&model("onnx_tensor"), &options);
        assert_eq!(server.predict(TWO), expected);
        assert!(!has_python(&server), "after {:?}", begun.elapsed());
        let wrong = TWO.replace(", 0.2]", "]").replace(", 2.3]", "]");
        assert_eq!(server.predict(&wrong), python.predict(&wrong));
        assert_eq!(server.terminate(), Some(0));
    }
}

#[test]
fn frames_and_tensors_are_answered_as_python_answers_them() {
    let out = tempfile::tempdir().unwrap();
    let cases = [
        (
            "columns",
            r#"{"dataframe_split": {"columns": ["a", "b"], "data": [[0.1, 3], [-2.5e-7, 40]]}}"#,
        ),
        (
            "maps",
            r#"{"dataframe_split": {"columns": ["a", "b"], "data": [[0.1, 3], [0.25, -40.0], [7, 7]]}}"#,
        ),
        (
            "tokens",
            r#"{"inputs": {"ids": [[3, 1], [99, 0]], "mask": [[1, 1], [1, 0]]}}"#,
        ),
    ];
    let names: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
    saved(&names, out.path());
    for (name, body) in cases {
        let (expected, log) = asked(&out.path().join(name), body, "python");
        assert!(expected.contains("predictions"), "{name}: {log}");
        let (answer, log) = asked(&out.path().join(name), body, "native");
        assert_eq!(answer, expected, "{name}: {log}");
        assert!(log.contains("by ONNX Runtime"), "{name}: {log}");
    }
}

#[test]
fn whole_calls_are_scored_again_since_rows_may_depend_on_each_other() {
    let (out, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    saved(&["totals"], out.path());
    let every = [
        &data(folder.path())[..],
        &["--recheck", "1", "--recheck-interval", "1"],
        &["--scorer", "native", "--method", "predict"],
    ]
    .concat();
    let server = Server::start_with(&out.path().join("totals"), &every);
    let rows: Vec<String> = (0..700).map(|row| format!("[{row}.1, 2.5, -7]")).collect();
    let body = format!("{{\"inputs\": {{\"x\": [{}]}}}}", rows.join(","));
    for _ in 0..3 {
        let (status, answer) = server.predict(&body);
        assert_eq!(status, 200, "{answer}");
    }
    let checked = "sluis_scoring_recheck_checked_total";
    eventually("three calls are checked", || {
        (metric(&server, checked) == 3).then_some(())
    });
    assert_eq!(metric(&server, "sluis_scoring_recheck_differing_total"), 0);
    assert_eq!(metric(&server, "sluis_scoring_native"), 1);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_graph_without_native_form_says_why() {
    let out = tempfile::tempdir().unwrap();
    saved(&["half"], out.path());
    let body = r#"{"dataframe_split": {"columns": ["a"], "data": [[1.0]]}}"#;
    let (_, log) = asked(&out.path().join("half"), body, "native");
    let expected = "output 'y' of the graph is a tensor(float16), which has no native form";
    assert!(log.contains(expected), "{log}");
    let (answer, log) = asked(&out.path().join("half"), body, "auto");
    assert!(answer.contains("predictions"), "{log}");
}
