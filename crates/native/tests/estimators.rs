//! Every covered estimator, fitted by the real libraries, exported by their Python, and proved here.
//!
//! `tests/estimators/driver.py` fits and exports, `cases.py`, `cases_methods.py`, `catboost_cases.py`, `families.py` and `wrapped.py` list what. The Pythons are those of
//! `SLUIS_TEST_PYTHON` and, for an older scikit-learn, `SLUIS_TEST_PYTHON_AZURE`, side by side; without the second, the first alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by a panic"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

#[test]
fn every_covered_estimator_is_equal_to_python() {
    let python = std::env::var_os("SLUIS_TEST_PYTHON")
        .expect("SLUIS_TEST_PYTHON names a Python with the packages of conformance/environment; ./check builds one");
    let older = std::env::var_os("SLUIS_TEST_PYTHON_AZURE");
    // Examples are built with the tests of their crate, beside the folder of this test.
    let own = std::env::current_exe().unwrap();
    let prove = own
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples/prove");
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/estimators/driver.py");
    let pythons = [Some(python), older].into_iter().flatten();
    let started: Vec<(Child, TempDir)> = pythons
        .map(|python| {
            let out = tempfile::tempdir().unwrap();
            let child = Command::new(python)
                .arg("-B")
                .arg(&driver)
                .arg(&prove)
                .arg(out.path())
                // Small models: threads would wait for each other.
                .env("OMP_NUM_THREADS", "1")
                .env("OPENBLAS_NUM_THREADS", "1")
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            (child, out)
        })
        .collect();
    let done: Vec<_> = started
        .into_iter()
        .map(|(child, _out)| child.wait_with_output().unwrap())
        .collect();
    for done in done {
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{text}");
    }
}
