//! Locks: exact versions for one interpreter, and the digest that names the environment made of them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::BuildError;
use crate::process::{Cancel, Run};
use crate::python::Interpreter;
use crate::spec::{RequirementKind, Spec};
use crate::uv::{Uv, explain};

/// Part of every digest: another way of building makes other environments.
const FORMAT: &str = "sluis-environment-1";

const SOLVE_LIMIT: Duration = Duration::from_secs(600);

/// A package of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version; a URL or path where it comes from one.
    pub version: String,
}

/// A solved spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lock {
    /// The interpreter that it was solved for.
    pub(crate) python: PathBuf,
    pub(crate) python_version: String,
    /// Index options that the model's own files bring; they are given again when packages are installed.
    pub(crate) options: Vec<String>,
    /// Requirement lines with exact versions, sorted.
    pub(crate) lines: Vec<String>,
}

impl Lock {
    /// The lock of what uv solved.
    fn of(spec: &Spec, python: &Interpreter, solved: &str) -> Self {
        let options = spec
            .requirements
            .iter()
            .filter(|line| line.kind == RequirementKind::Option && !line.text.starts_with("-c "));
        let lines = solved.lines().map(str::trim).filter(is_package);
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        Self {
            python: python.path.clone(),
            python_version: python.version.to_string(),
            options: options.map(|line| line.text.clone()).collect(),
            lines,
        }
    }

    /// The name of the environment: by lines, minor version of Python, and platform.
    pub(crate) fn digest(&self) -> String {
        let minor = self
            .python_version
            .rsplit_once('.')
            .map_or(self.python_version.as_str(), |(minor, _)| minor);
        hash(
            [FORMAT, minor, std::env::consts::OS, std::env::consts::ARCH]
                .into_iter()
                .chain(self.lines.iter().map(String::as_str)),
        )
    }

    /// The packages of the lock.
    pub(crate) fn packages(&self) -> Vec<Package> {
        let package = |line: &String| {
            let line = line.split(';').next().unwrap_or(line).trim();
            let (name, version) = line
                .split_once("==")
                .or_else(|| line.split_once(" @ "))
                .unwrap_or((line, ""));
            Package {
                name: name.trim().to_owned(),
                version: version.trim().to_owned(),
            }
        };
        self.lines.iter().map(package).collect()
    }

    /// The text that packages are installed from.
    pub(crate) fn text(&self) -> String {
        self.options
            .iter()
            .chain(&self.lines)
            .map(|line| format!("{line}\n"))
            .collect()
    }
}

/// A digest of texts, short enough for a path.
pub(crate) fn hash<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The name of a spec for one interpreter: what is asked, not what it solves to.
pub(crate) fn spec_digest(spec: &Spec, python: &Interpreter) -> String {
    let version = python.version.to_string();
    let path = python.path.display().to_string();
    let lines = spec
        .requirements
        .iter()
        .map(|requirement| requirement.text.as_str());
    let additions = spec
        .additions
        .iter()
        .map(|addition| addition.requirement.as_str());
    // Files that lines name are part of what is asked.
    let files = spec.requirements.iter().filter_map(|requirement| {
        let path = requirement.text.strip_prefix("-c ").or_else(|| {
            (requirement.kind == RequirementKind::Path).then_some(requirement.text.as_str())
        })?;
        let bytes = fs::read(path).ok()?;
        Some(hash([String::from_utf8_lossy(&bytes).as_ref()].into_iter()))
    });
    let files: Vec<String> = files.collect();
    let fixed = [FORMAT, version.as_str(), path.as_str()].into_iter();
    hash(
        fixed
            .chain(lines)
            .chain(["additions"])
            .chain(additions)
            .chain(files.iter().map(String::as_str)),
    )
}

/// The lock of a spec that was solved before.
pub(crate) fn load(data_dir: &Path, spec_digest: &str) -> Option<Lock> {
    let text = fs::read(path(data_dir, spec_digest)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Keeps a lock for the next start.
pub(crate) fn keep(data_dir: &Path, spec_digest: &str, lock: &Lock) -> Result<(), BuildError> {
    let path = path(data_dir, spec_digest);
    let folder = path.parent().unwrap_or(data_dir);
    let write = || {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec_pretty(lock)?)?;
        file.persist(&path).map_err(|error| error.error)
    };
    write().map(drop).map_err(BuildError::files(path.clone()))
}

fn path(data_dir: &Path, spec_digest: &str) -> PathBuf {
    data_dir.join("locks").join(format!("{spec_digest}.json"))
}

/// Solves the model's lines and the additions together.
pub(crate) fn solve(
    spec: &Spec,
    python: &Interpreter,
    uv: &Uv,
    log: &Path,
    cancel: &Cancel,
) -> Result<Lock, BuildError> {
    let folder = tempfile::tempdir().map_err(BuildError::files(std::env::temp_dir()))?;
    let (input, output) = (
        folder.path().join("requirements.in"),
        folder.path().join("lock.txt"),
    );
    let lines = spec
        .requirements
        .iter()
        .map(|requirement| requirement.text.as_str());
    let additions = spec
        .additions
        .iter()
        .map(|addition| addition.requirement.as_str());
    let text: String = lines
        .chain(additions)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&input, text).map_err(BuildError::files(&input))?;
    let mut command = uv.command(&[
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--python",
    ]);
    command
        .arg(&python.path)
        .arg("--output-file")
        .arg(&output)
        .arg(&input);
    let outcome = Run {
        what: "solving",
        limit: SOLVE_LIMIT,
        log,
        cancel,
    }
    .run(command)?;
    if !outcome.success {
        return Err(BuildError::Packages {
            sentence: explain(&outcome.output, &spec.additions),
            log: log.to_owned(),
        });
    }
    let text = fs::read_to_string(&output).map_err(BuildError::files(&output))?;
    Ok(Lock::of(spec, python, &text))
}

fn is_package(line: &&str) -> bool {
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("--")
}
