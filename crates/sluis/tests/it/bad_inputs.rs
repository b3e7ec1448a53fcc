//! The table of bad inputs: what goes wrong before or while a model is served, the exit code or status, and what is said.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::server::{Server, model, request, sluis, test_python};

/// A copy of a conformance model, changed.
fn changed(folder: &Path, change: impl Fn(&Path)) -> PathBuf {
    let copy = folder.join(format!("model-{}", fs::read_dir(folder).unwrap().count()));
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(model("sk_cols")).unwrap().flatten() {
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    change(&copy);
    copy
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from));
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn what_cannot_be_served_is_said_before_anything_runs() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |change: &dyn Fn(&Path)| changed(scratch.path(), change);
    let empty = scratch.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let python = test_python();
    let python = python.to_str().unwrap();
    let ok = model("sk_cols");
    let table: Vec<(&str, PathBuf, Vec<&str>, i32, &[&str])> = vec![
        (
            "missing folder",
            "/no/such/model".into(),
            vec![],
            2,
            &["there is no folder '/no/such/model'"],
        ),
        ("no MLmodel", empty, vec![], 2, &["holds no file 'MLmodel'"]),
        (
            "a URI",
            "models:/churn/1".into(),
            vec![],
            2,
            &["'models:'", "mlflow artifacts download"],
        ),
        (
            "broken YAML",
            at(&|m| fs::write(m.join("MLmodel"), "flavors: [").unwrap()),
            vec![],
            2,
            &["not valid YAML", "line"],
        ),
        (
            "unknown flavor",
            at(&|m| replace(&m.join("MLmodel"), "python_function:", "other:")),
            vec![],
            2,
            &["python_function", "sklearn"],
        ),
        (
            "missing model file",
            at(&|m| fs::remove_file(m.join("model.skops")).unwrap()),
            vec![],
            2,
            &["model.skops"],
        ),
        (
            "bad signature",
            at(&|m| {
                replace(
                    &m.join("MLmodel"),
                    "\"double\", \"name\": \"sepal_length\"",
                    "\"decimal\", \"name\": \"sepal_length\"",
                )
            }),
            vec![],
            2,
            &["sepal_length", "decimal"],
        ),
        (
            "port taken",
            ok.clone(),
            vec![
                "--env-manager",
                "local",
                "--python",
                python,
                "--port",
                &port,
            ],
            1,
            &["is taken", "--port"],
        ),
        (
            "host of another machine",
            ok.clone(),
            vec!["--host", "192.0.2.1"],
            1,
            &["192.0.2.1", "--host"],
        ),
        (
            "Python missing",
            ok.clone(),
            vec!["--env-manager", "local", "--python", "/no/python"],
            1,
            &["/no/python"],
        ),
        (
            "unknown env manager",
            ok.clone(),
            vec!["--env-manager", "nix"],
            2,
            &["nix", "local"],
        ),
        (
            "conda",
            ok.clone(),
            vec!["--env-manager", "conda"],
            2,
            &["not supported yet", "local"],
        ),
        (
            "native scorer",
            model("outputs"),
            vec!["--scorer", "native"],
            1,
            &["no native form", "--scorer auto"],
        ),
        ("no model", PathBuf::new(), vec![], 2, &["MODEL"]),
    ];
    for (name, folder, options, code, parts) in table {
        let mut command = sluis();
        command.arg("serve");
        if name != "no model" {
            command.arg(&folder);
        }
        if !options.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        let output = command.args(&options).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {text}");
        for part in parts {
            assert!(text.contains(part), "{name}: '{part}' is not in\n{text}");
        }
        assert!(
            !text.contains("panicked") && !text.contains("Traceback"),
            "{name}: {text}"
        );
    }
}

#[test]
fn an_environment_that_cannot_be_built_names_the_package() {
    let scratch = tempfile::tempdir().unwrap();
    let table = [
        (
            "sluis-no-such-package-of-anyone==1.0",
            "'sluis-no-such-package-of-anyone' does not exist",
        ),
        ("six==99.99", "six==99.99"),
        ("pandas==1.0.0", "pandas"),
    ];
    for (line, part) in table {
        let broken = changed(scratch.path(), |m| {
            let file = m.join("requirements.txt");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, format!("{text}\n{line}\n")).unwrap();
        });
        let output = sluis()
            .arg("serve")
            .arg(broken)
            .args(["--port", "0"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{line}: {text}");
        assert!(
            text.contains(part) && text.contains(".log"),
            "{line}: {text}"
        );
    }
}

#[test]
fn a_model_that_does_not_load_says_why() {
    let scratch = tempfile::tempdir().unwrap();
    let broken = changed(scratch.path(), |m| {
        replace(
            &m.join("MLmodel"),
            "loader_module: mlflow.sklearn",
            "loader_module: no_such_module",
        )
    });
    let output = sluis()
        .arg("serve")
        .arg(broken)
        .args(["--port", "0", "--env-manager", "local", "--python"])
        .arg(test_python())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("no_such_module"), "{text}");
}

#[test]
fn bad_requests_get_the_status_that_is_theirs() {
    let server = Server::start(&model("sk_cols"), &["--max-body-size", "1"]);
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let gzip: &[(&str, &str)] = &[
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let deep = "[".repeat(100_000);
    let table: Vec<(&str, &[(&str, &str)], &[u8], u16, &str)> = vec![
        ("malformed JSON", json, b"{\"dataframe_split\": ", 400, "valid JSON"),
        ("empty body", json, b"", 400, "valid JSON"),
        ("wrong content type", &[("content-type", "application/xml")], b"<a/>", 415, "application/json"),
        ("no content type", &[], b"{}", 415, "content-type"),
        ("deep JSON", json, deep.as_bytes(), 400, "nested deeper"),
        ("not gzip", gzip, b"{}", 400, "gzip"),
        ("missing column", json, br#"{"dataframe_split": {"columns": ["sepal_length"], "data": [[1]]}}"#, 400, "Model is missing inputs"),
        ("text for a number", json, br#"{"dataframe_records": [{"sepal_length": "secret", "sepal_width": 1, "petal_length": 1, "petal_width": 1}]}"#, 400, "sepal_length"),
        ("NUL bytes", json, &[0; 64], 400, "valid JSON"),
        ("no Parquet", &[("content-type", "application/vnd.apache.parquet")], b"PAR1", 400, "parse"),
    ];
    for (name, headers, body, status, part) in table {
        let (found, text) = request(server.port, "POST", "/invocations", headers, body);
        assert_eq!(found, status, "{name}: {text}");
        assert!(text.contains(part), "{name}: {text}");
        assert!(
            !text.contains("stack_trace") && !text.contains("site-packages"),
            "{name}: {text}"
        );
    }
}
