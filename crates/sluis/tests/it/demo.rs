//! The README's first command.

use std::path::Path;

use super::server::{sluis, test_python};

/// What the demo printed: to standard output, and to standard error.
fn demo(data_dir: &Path) -> (String, String) {
    let output = sluis()
        .env("SLUIS_DATA_DIR", data_dir)
        .args(["demo", "--once", "--env-manager", "local", "--python"])
        .arg(test_python())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    assert!(
        out.contains("curl http://127.0.0.1:") && out.contains("{\"predictions\": ["),
        "{out}"
    );
    (out, err)
}

#[test]
fn the_demo_scores_its_example_once_and_ends() {
    let data = tempfile::tempdir().unwrap();
    let (_, first) = demo(data.path());
    for step in ["model", "environment", "native", "score"] {
        assert!(
            first.contains(&format!("✓ {step}")),
            "no step '{step}':\n{first}"
        );
    }
    // What was proved is kept: no Python is looked for any more.
    let (_, second) = demo(data.path());
    for step in ["model", "native", "score"] {
        assert!(
            second.contains(&format!("✓ {step}")),
            "no step '{step}':\n{second}"
        );
    }
    assert!(!second.contains("environment"), "{second}");
}
