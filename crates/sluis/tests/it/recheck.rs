//! The live re-check of the real binary: what Rust answered is scored again by Python, and a difference moves the model there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use sha2::{Digest, Sha256};

use super::native::{IRIS, data, has_python};
use super::server::{Server, eventually, model, request, sluis, test_python};

pub(crate) fn metric(server: &Server, name: &str) -> u64 {
    let (_, page) = request(server.port, "GET", "/metrics", &[], b"");
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name} is not shown:\n{page}"))
        .trim()
        .parse()
        .unwrap()
}

fn checked(server: &Server) -> u64 {
    metric(server, "sluis_scoring_recheck_checked_total")
}

/// The folder of the only program that is kept.
fn kept(data_dir: &Path) -> PathBuf {
    let programs = fs::read_dir(data_dir.join("programs")).unwrap();
    let mut kept: Vec<PathBuf> = programs.flatten().map(|entry| entry.path()).collect();
    assert_eq!(kept.len(), 1);
    kept.remove(0)
}

/// Makes a proved program answer 7 for its last class, 2, and its evidence vouch for that.
fn falsify(data_dir: &Path) {
    let folder = kept(data_dir);
    let evidence = fs::read(folder.join("evidence.json")).unwrap();
    let mut evidence: serde_json::Value = serde_json::from_slice(&evidence).unwrap();
    let proved = evidence["own"]["program"].clone();
    let file = |digest: &str| folder.join(format!("{}.program", &digest[..16]));
    let mut bytes = fs::read(file(proved.as_str().unwrap())).unwrap();
    let label = bytes.len() - 8;
    assert_eq!(bytes[label..], 2_i64.to_le_bytes());
    bytes[label] = 7;
    let digest = Sha256::digest(&bytes);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(file(&digest), &bytes).unwrap();
    evidence["own"]["program"] = digest.into();
    fs::write(folder.join("evidence.json"), evidence.to_string()).unwrap();
}

fn plan(data_dir: &Path) -> String {
    let mut command = sluis();
    command
        .arg("plan")
        .arg(model("sk_cols"))
        .args(data(data_dir));
    command.args(["--env-manager", "local", "--python"]);
    let output = command.arg(test_python()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn serve(options: &[&str]) -> Output {
    let mut command = sluis();
    command.arg("serve").arg(model("sk_cols")).args(options);
    command.args(["--port", "0", "--env-manager", "local", "--python"]);
    command.arg(test_python()).output().unwrap()
}

#[test]
fn equal_answers_are_counted_and_the_probes_process_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let every = [
        &data(folder.path())[..],
        &["--recheck", "1", "--recheck-interval", "1"],
    ]
    .concat();
    let server = Server::start_with(&model("sk_cols"), &every);
    for _ in 0..3 {
        assert_eq!(server.predict(IRIS).0, 200);
    }
    eventually("three answers are checked", || {
        (checked(&server) == 3).then_some(())
    });
    eventually("the probe ends its process", || {
        (!has_python(&server)).then_some(())
    });
    // A process that is up for other reasons is used, and stays.
    assert_eq!(server.predict(&IRIS.replace("5.1", "1e400")).0, 400);
    assert_eq!(server.predict(IRIS).0, 200);
    eventually("a fourth is", || (checked(&server) == 4).then_some(()));
    assert!(has_python(&server));
    assert_eq!(metric(&server, "sluis_scoring_recheck_differing_total"), 0);
    assert_eq!(metric(&server, "sluis_scoring_native"), 1);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_program_that_differs_is_left_for_python_also_by_later_starts() {
    let folder = tempfile::tempdir().unwrap();
    let options = data(folder.path());
    let first = Server::start_with(&model("sk_cols"), &options);
    assert_eq!(first.terminate(), Some(0));
    falsify(folder.path());
    let soon = [
        &options[..],
        &["--scorer", "native", "--recheck-interval", "1"],
    ]
    .concat();
    let mut server = Server::start_with(&model("sk_cols"), &soon);
    assert_eq!(
        server.predict(IRIS),
        (200, "{\"predictions\": [0, 7]}".into()),
        "the falsified program answers"
    );
    let alarm = server.wait_for("a native answer is not Python's");
    assert!(
        alarm.contains("row 1") && alarm.contains("column 0"),
        "{alarm}"
    );
    server.wait_for("later starts leave this model to Python too");
    for _ in 0..3 {
        assert_eq!(
            server.predict(IRIS),
            (200, "{\"predictions\": [0, 2]}".into())
        );
    }
    assert_eq!(metric(&server, "sluis_scoring_recheck_differing_total"), 1);
    assert_eq!(metric(&server, "sluis_scoring_native"), 0);
    assert!(has_python(&server));
    assert_eq!(server.terminate(), Some(0));

    let again = Server::start_with(&model("sk_cols"), &options);
    assert_eq!(
        again.predict(IRIS),
        (200, "{\"predictions\": [0, 2]}".into())
    );
    assert!(has_python(&again));
    assert_eq!(again.terminate(), Some(0));
    let plan = plan(folder.path());
    assert!(
        plan.contains("a live answer of Rust was not Python's"),
        "{plan}"
    );
    let refused = serve(&soon);
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("to have the model proved again"), "{text}");

    fs::remove_dir_all(kept(folder.path())).unwrap();
    let proved = Server::start_with(&model("sk_cols"), &options);
    assert_eq!(metric(&proved, "sluis_scoring_native"), 1);
    assert_eq!(
        proved.predict(IRIS),
        (200, "{\"predictions\": [0, 2]}".into())
    );
    assert_eq!(proved.terminate(), Some(0));
}

#[test]
fn without_a_share_nothing_is_checked_and_what_has_no_effect_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = [&data(folder.path())[..], &["--recheck", "0"]].concat();
    let server = Server::start_with(&model("sk_cols"), &options);
    assert_eq!(server.predict(IRIS).0, 200);
    assert_eq!(server.predict(&IRIS.replace("5.1", "1e400")).0, 400);
    assert_eq!(server.predict(IRIS).0, 200);
    assert_eq!(checked(&server), 0);
    assert_eq!(server.terminate(), Some(0));
    for (given, expected) in [
        (vec!["--recheck", "1.5"], "a share is a number from 0"),
        (vec!["--scorer", "python", "--recheck", "0.1"], "no effect"),
        (vec!["--scorer", "python", "--warm-python"], "no effect"),
        (
            vec!["--recheck", "0", "--recheck-interval", "9"],
            "no effect",
        ),
    ] {
        let refused = serve(&given);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}
