//! Azure's dialect in every strictness: the article's own request bodies, casts, refusals, and models that Azure does not start.

use std::fs;
use std::path::{Path, PathBuf};

use super::server::{Server, model, predict, request, root, sluis, test_python};

const JSON: &str = "application/json";

/// A model that answers each row with its sum, behind the signature of `inputs`.
fn summing(folder: &Path, name: &str, inputs: &str) -> PathBuf {
    let model = folder.join(name);
    fs::create_dir_all(model.join("code")).unwrap();
    let code = "import numpy\n\n\nclass Sums:\n    def predict(self, data):\n        \
                if isinstance(data, dict):\n            data = sum(data.values())\n        \
                return numpy.asarray(data).sum(axis=1)\n\n\ndef _load_pyfunc(path):\n    return Sums()\n";
    fs::write(model.join("code/summing_model.py"), code).unwrap();
    let text = format!(
        "flavors:\n  python_function:\n    code: code\n    loader_module: summing_model\nmlflow_version: 3.17.2\n\
         signature:\n  inputs: '{inputs}'\n"
    );
    fs::write(model.join("MLmodel"), text).unwrap();
    model
}

fn article(name: &str) -> String {
    fs::read_to_string(root().join("conformance/article").join(name)).unwrap()
}

#[test]
fn the_articles_bodies_score_and_the_broken_one_has_its_place_named() {
    let folder = tempfile::tempdir().unwrap();
    let names = "age sex trestbps chol fbs restecg thalach exang oldpeak slope ca thal";
    let columns: Vec<String> = names
        .split(' ')
        .map(|name| {
            let ty = if name == "oldpeak" { "double" } else { "long" };
            format!(r#"{{"name": "{name}", "type": "{ty}"}}"#)
        })
        .collect();
    let tensor = |name: &str, dtype: &str| {
        let name = if name.is_empty() {
            String::new()
        } else {
            format!(r#""name": "{name}", "#)
        };
        format!(
            r#"{{{name}"type": "tensor", "tensor-spec": {{"dtype": "{dtype}", "shape": [-1, 12]}}}}"#
        )
    };
    let split = summing(folder.path(), "split", &format!("[{}]", columns.join(", ")));
    let plain = summing(
        folder.path(),
        "plain",
        &format!("[{}]", tensor("", "float64")),
    );
    let tensors = [tensor("tokens", "int64"), tensor("mask", "int64")].join(", ");
    let named = summing(folder.path(), "named", &format!("[{tensors}]"));
    let broken = article("request-tensor.json");
    let mended = broken.replacen("0, 2]\n    [1, 1, 0,", "0, 2],\n    [1, 1, 0,", 1);
    assert_ne!(broken, mended);
    for strictness in ["mlflow", "azure"] {
        let options = ["--strictness", strictness];
        let score = |server: &Server, body: &str| server.post("/score", JSON, body.as_bytes());
        let server = Server::start(&split, &options);
        assert_eq!(
            score(&server, &article("request-split.json")),
            (200, "[540.3]".to_owned()),
            "{strictness}"
        );
        let server = Server::start(&named, &options);
        assert_eq!(
            score(&server, &article("request-named-tensors.json")),
            (200, "[1822]".to_owned()),
            "{strictness}"
        );
        let server = Server::start(&plain, &options);
        assert_eq!(
            score(&server, &mended),
            (200, "[395.3, 395.3, 395.3, 540.3]".to_owned()),
            "{strictness}"
        );
        let (status, text) = score(&server, &broken);
        assert_eq!(status, 400, "{text}");
        assert!(text.contains("line 5 column 5"), "{strictness}: {text}");
        assert!(!text.contains("233"), "no data comes back: {text}");
    }
}

#[test]
fn azure_casts_refuses_and_answers_as_azure() {
    let server = Server::start(&model("sk_cols"), &["--strictness", "azure"]);
    let frame = |rows: &str| {
        format!(
            r#"{{"input_data": {{"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"], "data": {rows}}}}}"#
        )
    };
    let score = |body: &str| server.post("/score", JSON, body.as_bytes());
    let rows = r#"[["5.1", "3.5", 1.4, "0.2"], [6.7, 3, 5.2, 2.3]]"#;
    assert_eq!(score(&frame(rows)), (200, "[0, 2]".to_owned()));
    for (body, status, part) in [
        (
            frame(r#"[["secret", 1, 1, 1]]"#),
            500,
            "error occurred in scoring script",
        ),
        (
            r#"{"input_data": [[1, 2, 3, 4]]}"#.to_owned(),
            500,
            "error occurred in scoring script",
        ),
        (
            r#"{"dataframe_split": {}}"#.to_owned(),
            400,
            "not provided for the 'input_data'",
        ),
    ] {
        let (found, text) = score(&body);
        assert_eq!(found, status, "{text}");
        assert!(text.contains(part) && !text.contains("secret"), "{text}");
    }
    // MLflow's own route stays MLflow's.
    let split = frame("[[5.1, 3.5, 1.4, 0.2]]").replace("input_data", "dataframe_split");
    assert_eq!(
        server.predict(&split),
        (200, "{\"predictions\": [0]}".to_owned())
    );
    assert_eq!(
        request(server.port, "GET", "/", &[], b""),
        (200, "Healthy".to_owned())
    );
}

#[test]
fn a_model_that_azure_does_not_start_is_refused_before_anything_is_built() {
    let output = sluis()
        .arg("serve")
        .arg(model("echo_nested"))
        .args([
            "--strictness",
            "azure",
            "--port",
            "0",
            "--env-manager",
            "local",
            "--python",
        ])
        .arg(test_python())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("input 'arr' is of type Array(double)"),
        "{text}"
    );
    assert!(text.contains("hint: "), "{text}");
}

#[test]
fn predict_reads_input_data() {
    let data = r#"{"input_data": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"], "data": [["5.1", 3.5, 1.4, 0.2]]}}"#;
    let output = predict(&model("sk_cols"), data, &["--strictness", "azure"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "[0]");
}
