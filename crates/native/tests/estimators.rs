//! Every covered estimator, fitted by the real libraries, exported by their Python, and proved here.
//!
//! `tests/estimators/driver.py` fits and exports, `cases.py` lists what. The Python is that of `SLUIS_TEST_PYTHON`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by a panic"
)]

use std::path::Path;
use std::process::Command;

#[test]
fn every_covered_estimator_is_equal_to_python() {
    let python = std::env::var_os("SLUIS_TEST_PYTHON")
        .expect("SLUIS_TEST_PYTHON names a Python with the packages of conformance/environment; ./check builds one");
    // Examples are built with the tests of their crate, beside the folder of this test.
    let own = std::env::current_exe().unwrap();
    let prove = own
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples/prove");
    let out = tempfile::tempdir().unwrap();
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/estimators/driver.py");
    let done = Command::new(python)
        .arg("-B")
        .arg(driver)
        .arg(prove)
        .arg(out.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{text}\n{errors}");
}
