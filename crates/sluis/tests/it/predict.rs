//! `sluis predict`: every form in, every form out.

use std::fs;
use std::path::Path;

use super::server::{model, sluis, test_python};

fn predict(folder: &Path, input: &Path, output: Option<&Path>) -> (i32, String, String) {
    let mut command = sluis();
    command
        .args(["predict", "--env-manager", "local", "--python"])
        .arg(test_python())
        .arg("-m")
        .arg(folder)
        .arg("-i")
        .arg(input);
    if let Some(output) = output {
        command.arg("-o").arg(output);
    }
    let done = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        done.status.code().unwrap(),
        text(done.stdout),
        text(done.stderr),
    )
}

#[test]
fn csv_in_becomes_each_form_out() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.csv");
    // Integers in a double column: MLflow's own command refuses them here, its server takes them.
    fs::write(
        &input,
        "sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0\n6.7,3.0,5.2,2.3\n",
    )
    .unwrap();
    let iris = model("sk_cols");
    let (code, out, err) = predict(&iris, &input, None);
    assert_eq!(
        (code, out.as_str()),
        (0, "{\"predictions\": [0, 2]}"),
        "{err}"
    );
    for (name, expected) in [
        ("out.json", "{\"predictions\": [0, 2]}"),
        ("out.jsonl", "{\"predictions\": 0}\n{\"predictions\": 2}\n"),
        ("out.csv", "predictions\n0\n2\n"),
    ] {
        let output = folder.path().join(name);
        let (code, _, err) = predict(&iris, &input, Some(&output));
        assert_eq!(code, 0, "{err}");
        assert_eq!(fs::read_to_string(&output).unwrap(), expected);
    }
    let output = folder.path().join("out.parquet");
    assert_eq!(predict(&iris, &input, Some(&output)).0, 0);
    assert!(fs::read(&output).unwrap().starts_with(b"PAR1"));
}

#[test]
fn refused_input_ends_with_three_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.json");
    fs::write(
        &input,
        r#"{"dataframe_split": {"columns": ["sepal_length"], "data": [[5.1]]}}"#,
    )
    .unwrap();
    let output = folder.path().join("out.json");
    let (code, _, err) = predict(&model("sk_cols"), &input, Some(&output));
    assert_eq!(code, 3, "{err}");
    assert!(
        err.contains("Model is missing inputs ['sepal_width', 'petal_length', 'petal_width']"),
        "{err}"
    );
    assert!(!output.exists());
}

#[test]
fn a_method_that_the_model_lacks_ends_with_those_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.csv");
    fs::write(
        &input,
        "sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0\n",
    )
    .unwrap();
    let asked = |method: &str| {
        let mut command = sluis();
        command
            .args(["predict", "--env-manager", "local", "--python"])
            .arg(test_python())
            .args(["--method", method, "-m"])
            .arg(model("sk_cols"))
            .arg("-i")
            .arg(&input);
        command.output().unwrap()
    };
    let refused = asked("transform");
    let text = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{text}");
    assert!(
        text.contains("no method 'transform'. It has predict, predict_proba"),
        "{text}"
    );
    let answered = asked("predict_proba");
    assert_eq!(answered.status.code(), Some(0));
    assert!(answered.stdout.starts_with(b"{\"predictions\": [[0.9"));
}
