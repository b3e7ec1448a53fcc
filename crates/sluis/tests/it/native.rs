//! Native scoring of the real binary: proved once, then without Python until Python is needed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::recheck::metric;
use super::server::{Server, eventually, model, predict};

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
    let kept = fs::read_dir(folder.path().join("programs")).unwrap();
    let kept = kept.flatten().next().unwrap().path();
    let files = fs::read_dir(kept).unwrap().flatten();
    let mut programs = files.map(|entry| entry.path());
    let program = programs
        .find(|file| file.extension().is_some_and(|ending| ending == "program"))
        .unwrap();
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

#[test]
fn methods_that_were_proved_are_answered_without_python() {
    let folder = tempfile::tempdir().unwrap();
    let options = [&data(folder.path())[..], &["--recheck", "1"]].concat();
    let python = Server::start(&model("sk_cols"), &[]);
    let mut server = Server::start_with(&model("sk_cols"), &options);
    for round in 0..2 {
        for method in ["predict", "predict_proba", "decision_function"] {
            let path = format!("/invocations?method={method}");
            let ask = |server: &Server| server.post(&path, "application/json", IRIS.as_bytes());
            let (status, body) = ask(&server);
            assert_eq!(status, 200, "{body}");
            assert!(near(&body, &ask(&python).1), "{method}: {body}");
        }
        assert!(!has_python(&server), "round {round}");
        if round == 0 {
            // What was proved is found again.
            assert_eq!(server.terminate(), Some(0));
            server = Server::start_with(&model("sk_cols"), &options);
        }
    }
    let (status, _) = server.post(
        "/invocations?method=predict_log_proba",
        "application/json",
        IRIS.as_bytes(),
    );
    assert_eq!(status, 200);
    assert!(has_python(&server), "no program has logarithms");
    eventually("each method's answer is checked by that method", || {
        (metric(&server, "sluis_scoring_recheck_checked_total") == 3).then_some(())
    });
    assert_eq!(metric(&server, "sluis_scoring_recheck_differing_total"), 0);
    let unknown = server.post("/invocations?method=margin", "application/json", b"{}");
    assert_eq!(unknown.0, 400, "{}", unknown.1);
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(python.terminate(), Some(0));
}

/// Whether two answers of numbers are equal but for the last places.
fn near(ours: &str, theirs: &str) -> bool {
    let numbers = |body: &str| -> Vec<f64> {
        let parts = body.split(['[', ']', ',', ' ', '}']);
        parts.filter_map(|part| part.parse().ok()).collect()
    };
    let (ours, theirs) = (numbers(ours), numbers(theirs));
    !ours.is_empty()
        && ours.len() == theirs.len()
        && ours
            .iter()
            .zip(&theirs)
            .all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs())
}

#[test]
fn a_deployments_method_is_scored_in_rust_too() {
    let proba = ["--scorer", "native", "--method", "predict_proba"];
    let output = predict(&model("sk_cols"), IRIS, &proba);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("predict_proba of Pipeline in Rust"), "{text}");
    let python = ["--scorer", "python", "--method", "predict_proba"];
    let theirs = predict(&model("sk_cols"), IRIS, &python);
    let (ours, theirs) = (output.stdout, theirs.stdout);
    let body = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(near(&body(&ours), &body(&theirs)), "{}", body(&ours));
    let log = ["--scorer", "native", "--method", "predict_log_proba"];
    let refused = predict(&model("sk_cols"), IRIS, &log);
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn params_that_repeat_the_defaults_need_no_python() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("model");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(model("sk_cols")).unwrap().flatten() {
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let description = fs::read_to_string(copy.join("MLmodel")).unwrap();
    let params = r#"'[{"name": "p", "type": "double", "default": 0.5, "shape": null}]'"#;
    let with_params = description.replace("params: null", &format!("params: {params}"));
    assert_ne!(with_params, description);
    fs::write(copy.join("MLmodel"), with_params).unwrap();
    let data_dir = folder.path().join("data");
    let server = Server::start_with(&copy, &data(&data_dir));
    let ask = |params: &str| {
        let body = IRIS.strip_suffix('}').unwrap();
        server.predict(&format!("{body}, \"params\": {params}}}"))
    };
    let answer = (200, "{\"predictions\": [0, 2]}".to_owned());
    for params in ["{}", r#"{"p": 0.5}"#, r#"{"p": 5e-1, "unknown": 1}"#] {
        assert_eq!(ask(params), answer, "{params}");
        assert!(!has_python(&server), "{params}");
    }
    assert_eq!(ask(r#"{"p": 0.75}"#), answer);
    assert!(
        has_python(&server),
        "what other params mean is Python's to say"
    );
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn python_is_kept_ready_where_that_is_asked() {
    let server = Server::start_with(&model("sk_cols"), &["--warm-python"]);
    eventually("a process is up", || has_python(&server).then_some(()));
    assert_eq!(
        server.predict(IRIS),
        (200, "{\"predictions\": [0, 2]}".into())
    );
    assert_eq!(metric(&server, "sluis_scoring_native"), 1);
    let python = server.descendants();
    assert_eq!(server.predict(&IRIS.replace("5.1", "1e400")).0, 400);
    assert_eq!(server.descendants(), python, "the process that was ready");
    assert_eq!(server.terminate(), Some(0));
}
