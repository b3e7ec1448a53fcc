//! Locks: exact versions for one interpreter, and the digest that names the environment made of them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::BuildError;
use crate::process::{Cancel, Run};
use crate::python::Interpreter;
use crate::spec::{Addition, Requirement, RequirementKind, Spec, fitting, for_uv};
use crate::uv::{Uv, explain};

/// Part of every digest: another way of building makes other environments.
const FORMAT: &str = "sluis-environment-1";

/// Part of what a spec is kept under: other rules of solving make other locks.
const RULES: &str = "rules-2";

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
    /// Requirement lines with exact versions and the hashes that the model asks for, sorted.
    pub(crate) lines: Vec<String>,
    /// Digests of the files and folders on this machine that lines name.
    #[serde(default)]
    pub(crate) content: Vec<String>,
}

impl Lock {
    /// The lock of what uv solved.
    fn of(spec: &Spec, python: &Interpreter, solved: &str) -> Self {
        let lines = solved.lines().map(str::trim).filter(is_package);
        let mut lines: Vec<String> = lines.map(|line| with_hashes(line, spec)).collect();
        lines.sort();
        Self {
            python: python.path.clone(),
            python_version: python.version.to_string(),
            lines,
            content: content(spec, |line| line.kind != RequirementKind::Option),
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
                .chain(self.lines.iter().map(String::as_str))
                .chain(self.content.iter().map(String::as_str)),
        )
    }

    /// The packages of the lock.
    pub(crate) fn packages(&self) -> Vec<Package> {
        let package = |line: &String| {
            let line = line.split(';').next().unwrap_or(line);
            let line = line.split(" --hash").next().unwrap_or(line).trim();
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
        text_of(self.lines.iter().map(String::as_str))
    }
}

/// Lines as a file.
pub(crate) fn text_of<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

/// uv leaves hashes out of what it solves; they are checked when packages are installed.
fn with_hashes(line: &str, spec: &Spec) -> String {
    let is_meant = |requirement: &&Requirement| {
        let name = requirement.name.as_deref();
        name.is_some_and(|name| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with("=="))
        })
    };
    let hashes = spec
        .requirements
        .iter()
        .filter(is_meant)
        .flat_map(|requirement| &requirement.hashes);
    hashes.fold(line.to_owned(), |line, hash| {
        format!("{line} --hash={hash}")
    })
}

/// Digests of what lines name on this machine: another file under the same name is another package.
fn content(spec: &Spec, counts: impl Fn(&Requirement) -> bool) -> Vec<String> {
    let lines = spec.requirements.iter().filter(|line| counts(line));
    let paths = lines.filter_map(|line| line.path.as_deref());
    paths
        .map(|path| {
            let mut hash = Sha256::new();
            // A file that cannot be read is uv's to complain about.
            let _unread = read_into(&mut hash, path);
            hex(hash)
        })
        .collect()
}

/// All of a file, or of a folder's files in the order of their names.
fn read_into(hash: &mut Sha256, path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        io::copy(&mut fs::File::open(path)?, hash)?;
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| !path.is_symlink())
        .collect();
    entries.sort();
    for entry in entries {
        hash.update(entry.as_os_str().as_encoded_bytes());
        read_into(hash, &entry)?;
    }
    Ok(())
}

/// A digest of texts, short enough for a path.
pub(crate) fn hash<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    let digest = hash.finalize();
    let bytes = digest.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a spec for one interpreter: what is asked, not what it solves to.
pub(crate) fn spec_digest(spec: &Spec, python: &Interpreter) -> String {
    let version = python.version.to_string();
    let path = python.path.display().to_string();
    let lines = spec.requirements.iter().flat_map(|requirement| {
        let hashes = requirement.hashes.iter().map(String::as_str);
        std::iter::once(requirement.text.as_str()).chain(hashes)
    });
    let additions = spec
        .additions
        .iter()
        .map(|addition| addition.requirement.as_str());
    // Files that lines name are part of what is asked.
    let files = content(spec, |_| true);
    let fixed = [FORMAT, RULES, version.as_str(), path.as_str()].into_iter();
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

/// Solves what models ask for.
pub(crate) struct Solver<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) uv: &'a Uv,
    pub(crate) log: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

impl Solver<'_> {
    /// Solves the model's lines and the additions together; a second time where an addition does not fit what came out.
    pub(crate) fn solve(&self, python: &Interpreter) -> Result<Lock, BuildError> {
        let lock = self.solve_with(&self.spec.additions, python)?;
        match fitting(&self.spec.additions, &lock.packages()) {
            Some(additions) => self.solve_with(&additions, python),
            None => Ok(lock),
        }
    }

    fn solve_with(&self, additions: &[Addition], python: &Interpreter) -> Result<Lock, BuildError> {
        let spec = self.spec;
        let folder = tempfile::tempdir().map_err(BuildError::files(std::env::temp_dir()))?;
        let (input, output) = (
            folder.path().join("requirements.in"),
            folder.path().join("lock.txt"),
        );
        let (options, arguments) = for_uv(&spec.requirements);
        let lines = spec
            .requirements
            .iter()
            .filter(|requirement| requirement.kind != RequirementKind::Option)
            .map(|requirement| requirement.text.as_str());
        let extra = additions
            .iter()
            .map(|addition| addition.requirement.as_str());
        let options = options.iter().map(String::as_str);
        let text = text_of(options.chain(lines).chain(extra));
        fs::write(&input, text).map_err(BuildError::files(&input))?;
        let mut command = self.uv.command(&[
            "pip",
            "compile",
            "--quiet",
            "--no-header",
            "--no-annotate",
            "--python",
        ]);
        command
            .arg(&python.path)
            .args(arguments)
            .arg("--output-file")
            .arg(&output)
            .arg(&input);
        let outcome = Run {
            what: "solving",
            limit: SOLVE_LIMIT,
            log: self.log,
            cancel: self.cancel,
        }
        .run(&command)?;
        if !outcome.success {
            let failure = explain(&outcome.output, additions);
            return Err(BuildError::Packages {
                sentence: failure.sentence,
                is_of_python: failure.is_of_python,
                log: self.log.to_owned(),
            });
        }
        let text = fs::read_to_string(&output).map_err(BuildError::files(&output))?;
        Ok(Lock::of(spec, python, &text))
    }
}

fn is_package(line: &&str) -> bool {
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("--")
}
