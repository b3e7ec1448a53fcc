//! The README's first command.

use super::server::{sluis, test_python};

#[test]
fn the_demo_scores_its_example_once_and_ends() {
    let output = sluis()
        .args(["demo", "--once", "--env-manager", "local", "--python"])
        .arg(test_python())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{err}");
    assert!(
        out.contains("curl http://127.0.0.1:") && out.contains("{\"predictions\": ["),
        "{out}"
    );
    for step in ["model", "environment", "native", "score"] {
        assert!(
            err.contains(&format!("✓ {step}")),
            "no step '{step}':\n{err}"
        );
    }
}
