//! Specs of every MLflow version, and real builds of small environments.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

struct Quiet(Vec<Step>);

impl Progress for Quiet {
    fn begin(&mut self, step: &Step) {
        self.0.push(step.clone());
    }
    fn done(&mut self, _: &Step, _: Duration) {}
    fn warn(&mut self, _: &str) {}
}

fn conformance(path: &str) -> ModelFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../conformance")
        .join(path);
    assert!(folder.is_dir(), "{} is missing", folder.display());
    ModelFiles {
        folder,
        ..ModelFiles::default()
    }
}

fn lines(spec: &Spec) -> Vec<&str> {
    spec.requirements
        .iter()
        .map(|requirement| requirement.text.as_str())
        .collect()
}

#[test]
fn folders_of_every_mlflow_version_are_read() {
    let current = read_spec(&conformance("mlflow/models/sk_cols")).unwrap();
    assert_eq!(lines(&current)[0], "mlflow==3.17.2");
    assert_eq!(
        current.python.as_ref().unwrap().version.to_string(),
        "3.11.7"
    );
    assert_eq!(
        current
            .additions
            .iter()
            .map(|addition| addition.requirement.as_str())
            .collect::<Vec<_>>(),
        ["pyarrow"]
    );
    for version in ["1.30.1", "2.22.1", "3.17.2"] {
        let spec = read_spec(&conformance(&format!(
            "mlflow/models-of-other-versions/{version}/sk_cols"
        )))
        .unwrap();
        assert!(
            spec.requirements.iter().any(|line| line
                .name
                .as_deref()
                .is_some_and(|name| name.starts_with("mlflow"))),
            "{version}"
        );
        assert!(spec.python.is_some(), "{version}");
    }
    let article = read_spec(&conformance("article")).unwrap();
    assert!(
        lines(&article).contains(&"dataclasses==0.6"),
        "{:?}",
        lines(&article)
    );
    assert_eq!(article.python.unwrap().version.to_string(), "3.10.11");
}

fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, ModelFiles) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let model = ModelFiles {
        folder: folder.path().to_owned(),
        ..ModelFiles::default()
    };
    (folder, model)
}

#[test]
fn every_form_of_conda_file_is_read() {
    let conda = "channels: [conda-forge]\ndependencies:\n- python=3.8\n- pip\n- libgomp\n- defaults::openjdk=11\n- pip:\n  - mlflow\n  - six==1.16.0\n- pip:\n  - ignored\n";
    let (_kept, model) = folder(&[("conda.yaml", conda)]);
    let spec = read_spec(&model).unwrap();
    assert_eq!(lines(&spec), ["mlflow", "six==1.16.0"]);
    assert_eq!(spec.conda_packages, ["libgomp", "openjdk=11"]);
    assert_eq!(spec.python.unwrap().version.to_string(), "3.8");
    assert!(spec.warnings[0].contains("mlflow"));
    let (_kept, model) = folder(&[
        ("conda.yaml", "dependencies: [python=3.9, {pip: [a]}]"),
        ("requirements.txt", "b==1\n-c constraints.txt\n"),
    ]);
    let spec = read_spec(&model).unwrap();
    assert_eq!(lines(&spec), ["b==1"]);
    assert!(
        spec.warnings
            .iter()
            .any(|warning| warning.contains("constraints.txt"))
    );
}

#[test]
fn files_that_lead_astray_are_refused() {
    let problem = |files: &[(&str, &str)]| {
        let (_kept, model) = folder(files);
        read_spec(&model).unwrap_err().to_string()
    };
    assert!(problem(&[("conda.yaml", "a: [")]).contains("conda.yaml"));
    assert!(problem(&[("conda.yaml", "dependencies: [python=three]")]).contains("three"));
    assert!(
        problem(&[("requirements.txt", "-r requirements.txt")]).contains("include one another")
    );
    assert!(problem(&[("requirements.txt", "x\n-r ../../etc/passwd")]).contains("line 2"));
    let (_kept, model) = folder(&[]);
    assert!(read_spec(&model).unwrap().warnings[0].contains("no environment files"));
}

/// A spec without the additions, so that its environment is small.
fn small(lines: &str) -> (tempfile::TempDir, Spec) {
    let (kept, model) = folder(&[("requirements.txt", lines)]);
    let mut spec = read_spec(&model).unwrap();
    spec.additions.clear();
    (kept, spec)
}

fn environments(data_dir: &Path) -> Environments {
    Environments::new(Settings {
        data_dir: data_dir.to_owned(),
        policy: PythonPolicy::Nearest,
        python_version: None,
    })
}

#[test]
fn an_environment_is_built_once_and_found_again_without_network() {
    let data = tempfile::tempdir().unwrap();
    let (_kept, spec) = small("six==1.16.0\n");
    let build = || {
        let mut progress = Quiet(Vec::new());
        let built = environments(data.path())
            .ensure(&spec, &Cancel::default(), &mut progress)
            .unwrap();
        (built, progress.0)
    };
    let (one, two) = std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(build), scope.spawn(build));
        (one.join().unwrap(), two.join().unwrap())
    });
    assert_eq!(one.0.digest, two.0.digest);
    let installs = one
        .1
        .iter()
        .chain(&two.1)
        .filter(|step| matches!(step, Step::Install(_)))
        .count();
    assert_eq!(installs, 1, "{:?} {:?}", one.1, two.1);
    // Found by its lock: uv is not even started.
    let (again, steps) = build();
    assert!(again.reused && steps.is_empty(), "{steps:?}");
    let says = std::process::Command::new(&again.python)
        .args(["-c", "import six; print(six.__version__)"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&says.stdout).trim(), "1.16.0");
}

#[test]
fn half_made_directories_are_neither_used_nor_kept() {
    let data = tempfile::tempdir().unwrap();
    let (_kept, spec) = small("six==1.16.0\n");
    let mut progress = Quiet(Vec::new());
    let built = environments(data.path())
        .ensure(&spec, &Cancel::default(), &mut progress)
        .unwrap();
    let place = built
        .python
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .to_owned();
    let leftover = place.with_file_name(format!(".building-{}-x", built.digest.unwrap()));
    fs::rename(&place, &leftover).unwrap();
    let again = environments(data.path())
        .ensure(&spec, &Cancel::default(), &mut progress)
        .unwrap();
    assert!(!again.reused && again.python.exists() && !leftover.exists());
}

#[test]
fn what_cannot_be_built_says_which_package_and_why() {
    let data = tempfile::tempdir().unwrap();
    let problem = |lines: &str| {
        let (_kept, spec) = small(lines);
        let error = environments(data.path())
            .ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
            .unwrap_err();
        if let BuildError::Packages { log, .. } = &error {
            assert!(fs::metadata(log).unwrap().len() > 0);
        }
        error.to_string()
    };
    assert!(
        problem("sluis-no-such-package-of-anyone==1.0\n")
            .contains("'sluis-no-such-package-of-anyone'")
    );
    assert!(problem("six==99.99\n").contains("six==99.99"));
    let conflict = problem("six==1.16.0\nsix==1.15.0\n");
    assert!(conflict.contains("six"), "{conflict}");
    let (_kept, mut spec) = small("six\n");
    spec.conda_packages.push("libgomp".to_owned());
    let error = environments(data.path())
        .ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
        .unwrap_err();
    assert!(error.to_string().contains("libgomp"));
}

#[test]
fn a_python_that_is_not_there_is_an_error_only_under_the_exact_policy() {
    let data = tempfile::tempdir().unwrap();
    let (_kept, mut spec) = small("six==1.16.0\n");
    spec.python = Some(PythonAsked {
        text: "3.7.1".into(),
        version: Version::parse("3.7.1").unwrap(),
        source: "conda.yaml".into(),
    });
    let ensure = |policy| {
        let settings = Settings {
            data_dir: data.path().to_owned(),
            policy,
            python_version: None,
        };
        Environments::new(settings).ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
    };
    let exact = ensure(PythonPolicy::Exact).unwrap_err().to_string();
    assert!(
        exact.contains("3.7") && exact.contains("nearest"),
        "{exact}"
    );
    let nearest = ensure(PythonPolicy::Nearest).unwrap();
    assert!(
        nearest.warnings[0].contains("Python 3.7.1"),
        "{:?}",
        nearest.warnings
    );
}

#[test]
fn a_cancelled_build_ends_and_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let (_kept, spec) = small("six==1.16.0\n");
    let cancel = Cancel::default();
    cancel.cancel();
    let error = environments(data.path())
        .ensure(&spec, &cancel, &mut Quiet(Vec::new()))
        .unwrap_err();
    assert!(matches!(error, BuildError::Cancelled), "{error}");
    let environments: Vec<PathBuf> = fs::read_dir(data.path().join("environments"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert!(
        environments.iter().all(|path| path.extension().is_some()),
        "{environments:?}"
    );
}

#[test]
fn a_local_python_without_the_packages_is_refused_by_name() {
    let (_kept, spec) = small("six==1.16.0\n");
    assert!(matches!(
        local(Path::new("/no/python"), &spec),
        Err(LocalError::NotPython { .. })
    ));
    let data = tempfile::tempdir().unwrap();
    let bare = environments(data.path())
        .ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
        .unwrap();
    let problem = local(&bare.python, &spec).unwrap_err().to_string();
    assert!(problem.contains("mlflow, pandas, numpy"), "{problem}");
}

#[test]
fn an_edited_conda_file_counts_before_stale_requirements() {
    let read = |python: &str, saved_with: &str| {
        let conda = format!("dependencies: [python={python}, {{pip: [a==2, b==1]}}]");
        let (_kept, mut model) =
            folder(&[("conda.yaml", &conda), ("requirements.txt", "a==1\nb==1\n")]);
        model.python_version = Some(saved_with.to_owned());
        let spec = read_spec(&model).unwrap();
        (lines(&spec)[0].to_owned(), spec.warnings)
    };
    let (line, warnings) = read("3.12", "3.7.11");
    assert_eq!(line, "a==2");
    assert!(
        warnings[0].contains("different versions of a; conda.yaml counts"),
        "{warnings:?}"
    );
    let (line, warnings) = read("3.7", "3.7.11");
    assert_eq!(line, "a==1");
    assert!(
        warnings[0].contains("requirements.txt counts"),
        "{warnings:?}"
    );
}

/// A wheel with one module, made by any Python of this machine.
fn wheel(folder: &Path, name: &str, says: &str) {
    const MAKE: &str = "import sys, zipfile\nfile, name, says = sys.argv[1:]\nwith zipfile.ZipFile(file, 'w') as z:\n    z.writestr(name + '/__init__.py', 'says = ' + repr(says))\n    info = name + '-1.0.dist-info/'\n    z.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: ' + name + '\\nVersion: 1.0\\n')\n    z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n    z.writestr(info + 'RECORD', '')\n";
    fs::create_dir_all(folder).unwrap();
    let python = environments(folder).choose(&Spec::default()).candidates[0]
        .path
        .clone();
    let file = folder.join(format!("{name}-1.0-py3-none-any.whl"));
    let status = std::process::Command::new(python)
        .args(["-c", MAKE])
        .arg(file)
        .args([name, says])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn wheels_of_the_model_folder_are_installed_and_followed() {
    let data = tempfile::tempdir().unwrap();
    for line in [
        "wheels/sluis_tiny-1.0-py3-none-any.whl",
        "sluis-tiny @ file:wheels/sluis_tiny-1.0-py3-none-any.whl",
        "--find-links wheels\n--no-index\nsluis-tiny==1.0",
    ] {
        let (_kept, model) = folder(&[("requirements.txt", line)]);
        let mut said = Vec::new();
        for says in ["one", "two"] {
            wheel(&model.folder.join("wheels"), "sluis_tiny", says);
            let mut spec = read_spec(&model).unwrap();
            spec.additions.clear();
            let built = environments(data.path())
                .ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
                .unwrap();
            let output = std::process::Command::new(&built.python)
                .args(["-c", "import sluis_tiny; print(sluis_tiny.says)"])
                .output()
                .unwrap();
            said.push(String::from_utf8_lossy(&output.stdout).trim().to_owned());
            if line.starts_with('-') {
                break;
            }
        }
        let expected: &[&str] = if line.starts_with('-') {
            &["one"]
        } else {
            &["one", "two"]
        };
        assert_eq!(said, expected, "{line}");
    }
    let (_kept, spec) = small("six\nwheels/gone-1.0-py3-none-any.whl\n");
    let error = environments(data.path())
        .ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("requirements.txt, line 2"), "{error}");
}

#[test]
fn hashes_are_checked() {
    let data = tempfile::tempdir().unwrap();
    let build = |hash: &str| {
        let (_kept, spec) = small(&format!(
            "--require-hashes\nsix==1.16.0 \\\n    --hash=sha256:{hash}\n"
        ));
        environments(data.path()).ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
    };
    let right = build("8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254").unwrap();
    assert_eq!(right.packages[0].version, "1.16.0");
    let wrong = build(&"0".repeat(64)).unwrap_err().to_string();
    assert!(wrong.contains("another hash"), "{wrong}");
}

#[test]
fn another_python_is_tried_only_when_python_is_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let solves = |lines: &str| {
        let (_kept, mut spec) = small(lines);
        spec.python = Some(PythonAsked {
            text: "3.7".into(),
            version: Version::parse("3.7").unwrap(),
            source: "conda.yaml".into(),
        });
        let mut progress = Quiet(Vec::new());
        let outcome = environments(data.path()).ensure(&spec, &Cancel::default(), &mut progress);
        let solves = progress.0.iter().filter(|step| **step == Step::Solve);
        (outcome.is_ok(), solves.count())
    };
    assert_eq!(solves("sluis-no-such-package-of-anyone==1.0\n"), (false, 1));
    // The oldest Python here may be new enough already.
    assert!(solves("iniconfig==2.1.0\nidna>=3.11\n").0);
}

#[test]
fn a_data_folder_that_cannot_be_written_to_is_said_at_once() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (_kept, spec) = small("six==1.16.0\n");
    let error = environments(&file.path().join("x"))
        .ensure(&spec, &Cancel::default(), &mut Quiet(Vec::new()))
        .unwrap_err();
    assert!(matches!(error, BuildError::DataFolder { .. }), "{error}");
}
