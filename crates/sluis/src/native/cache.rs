//! What is kept of exports: `programs/<digest>/` in the data folder, with `evidence.json` and a file for each proved program.
//!
//! The digest is that of the model's files, of what its environment is made from, and of the exporter. A kept verdict holds as
//! long as the packages that it was reached with are untouched.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sluis_native::{Evidence, Program};

const EVIDENCE: &str = "evidence.json";
const PROGRAM: &str = "program";

/// The version of this form, and of what a proof takes.
const FORMAT: u32 = 3;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// How an export ended, and what it was reached with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Verdict {
    format: u32,
    /// The model's own function.
    pub(crate) own: Finding,
    /// Its other methods that were tried, by name.
    pub(crate) others: BTreeMap<String, Finding>,
    /// Why nothing of this is believed any more: a live answer that was not Python's.
    pub(crate) refuted: Option<String>,
    /// The interpreter of the model's environment, and its version.
    pub(crate) python: PathBuf,
    pub(crate) python_version: String,
    /// Versions of packages that answers depend on.
    pub(crate) versions: BTreeMap<String, String>,
    /// The methods that the model has in Python.
    pub(crate) methods: Vec<String>,
    /// Folders of packages, with the time of their last change.
    folders: Vec<(PathBuf, u128)>,
}

/// What was found out about one method.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// The class of the model.
    pub(crate) class: Option<String>,
    /// What the proof found; none where Python has to score.
    pub(crate) evidence: Option<Evidence>,
    /// Why Python has to score.
    pub(crate) refused: Option<String>,
    /// Values at which the model's answer may change, and their neighbours.
    pub(crate) turning_points: u64,
    /// The digest of the program's file, once it is kept.
    pub(super) program: Option<String>,
}

impl Finding {
    pub(crate) fn refused(reason: String) -> Self {
        Self {
            refused: Some(reason),
            ..Self::default()
        }
    }
}

/// What an exporter tells beside the programs.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    python: String,
    versions: BTreeMap<String, String>,
    folders: Vec<PathBuf>,
    #[serde(default)]
    methods: Vec<String>,
    pub(crate) failed: Option<String>,
    /// The model's own function; there unless it failed.
    pub(crate) own: Option<Attempted>,
    #[serde(default)]
    pub(crate) others: BTreeMap<String, Attempted>,
}

/// What came of one method.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Attempted {
    Exported {
        turning_points: u64,
    },
    /// It has no native form, for this reason.
    Refused(String),
    /// It is the same function as another method.
    SameAs(String),
}

/// Programs by the method that they stand for; without a name: the model's own function.
pub(crate) type Programs = Vec<(Option<String>, Arc<Program>)>;

impl Verdict {
    /// The verdict of an export.
    pub(crate) fn new(
        outcome: &Outcome,
        python: &Path,
        own: Finding,
        others: BTreeMap<String, Finding>,
    ) -> Self {
        let folders = outcome.folders.iter();
        Self {
            format: FORMAT,
            own,
            others,
            refuted: None,
            python: python.to_owned(),
            python_version: outcome.python.clone(),
            versions: outcome.versions.clone(),
            methods: outcome.methods.clone(),
            folders: folders
                .map(|folder| (folder.clone(), changed(folder).unwrap_or(0)))
                .collect(),
        }
    }

    /// What was found out about a method; about the model's own function without a name.
    pub(crate) fn of(&self, method: Option<&str>) -> Option<&Finding> {
        match method {
            None => Some(&self.own),
            Some(name) => self.others.get(name),
        }
    }

    /// Everything that was found out, by method.
    fn findings(&mut self) -> impl Iterator<Item = (Option<&String>, &mut Finding)> {
        let others = self.others.iter_mut();
        std::iter::once((None, &mut self.own))
            .chain(others.map(|(name, finding)| (Some(name), finding)))
    }

    /// The version of a package that the model was loaded with.
    pub(crate) fn version(&self, package: &str) -> Option<&str> {
        let version = self.versions.get(package);
        let version = match package {
            "mlflow" => version.or_else(|| self.versions.get("mlflow-skinny")),
            _ => version,
        };
        version.map(String::as_str)
    }

    /// Whether nothing that it was reached with has changed.
    fn holds(&self) -> bool {
        self.format == FORMAT
            && self.python.exists()
            && !self.folders.is_empty()
            && self
                .folders
                .iter()
                .all(|(folder, time)| changed(folder).ok() == Some(*time))
    }
}

fn changed(path: &Path) -> io::Result<u128> {
    let time = fs::metadata(path)?.modified()?;
    Ok(time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos())
}

/// The place of one model in one environment.
#[derive(Clone, Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    /// The place; `parts` tell the environment and the exporter apart.
    pub(crate) fn of(data_dir: &Path, model: &Path, parts: &[&str]) -> io::Result<Self> {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash_folder(model, &mut hash)?;
        Ok(Self(data_dir.join("programs").join(&text(hash)[..32])))
    }

    /// The verdict that is kept and still holds, with the programs that were proved: those of the model in that folder. Where one
    /// of them cannot be believed, none is.
    pub(crate) fn load(&self, model: &Path) -> Option<(Verdict, Programs)> {
        let mut verdict: Verdict =
            serde_json::from_slice(&fs::read(self.0.join(EVIDENCE)).ok()?).ok()?;
        if !verdict.holds() {
            return None;
        }
        if verdict.refuted.is_some() {
            return Some((verdict, Vec::new()));
        }
        let mut read: BTreeMap<String, Arc<Program>> = BTreeMap::new();
        let mut programs = Vec::new();
        for (method, finding) in verdict.findings() {
            let Some(digest) = &finding.program else {
                continue;
            };
            let program = match read.get(digest) {
                Some(program) => Arc::clone(program),
                None => Arc::new(self.read(digest, model)?),
            };
            read.insert(digest.clone(), Arc::clone(&program));
            programs.push((method.cloned(), program));
        }
        Some((verdict, programs))
    }

    /// The program whose file has that digest, if it still has.
    fn read(&self, digest: &str, model: &Path) -> Option<Program> {
        let bytes = fs::read(self.0.join(file_name(digest)?)).ok()?;
        if text(Sha256::new_with_prefix(&bytes)) != *digest {
            tracing::warn!(folder = %self.0.display(), "the kept scoring program was changed; it is exported anew");
            return None;
        }
        match Program::read_beside(&bytes, model) {
            Ok(program) => Some(program),
            Err(error) => {
                tracing::warn!(%error, "the kept scoring program cannot be read; it is exported anew");
                None
            }
        }
    }

    /// Keeps a verdict, and the programs that were proved: complete, or not at all. Methods with equal programs share a file.
    pub(crate) fn keep(
        &self,
        mut verdict: Verdict,
        files: &BTreeMap<Option<String>, Arc<Vec<u8>>>,
    ) -> io::Result<Verdict> {
        let parent = self.0.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)?;
        let building = tempfile::Builder::new()
            .prefix(".building-")
            .tempdir_in(parent)?;
        for (method, finding) in verdict.findings() {
            let Some(bytes) = files.get(&method.cloned()) else {
                continue;
            };
            let digest = text(Sha256::new_with_prefix(bytes.as_slice()));
            let name = file_name(&digest).ok_or(io::ErrorKind::InvalidData)?;
            fs::write(building.path().join(name), bytes.as_slice())?;
            finding.program = Some(digest);
        }
        fs::write(
            building.path().join(EVIDENCE),
            serde_json::to_vec_pretty(&verdict)?,
        )?;
        // One that no longer holds makes room. Another process may have been quicker: what it kept is as good.
        if self.0.is_dir() {
            fs::remove_dir_all(&self.0)?;
        }
        let built = building.keep();
        if let Err(error) = fs::rename(&built, &self.0) {
            fs::remove_dir_all(&built)?;
            if !self.0.is_dir() {
                return Err(error);
            }
        }
        Ok(verdict)
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Writes down that a live answer of the program was not Python's. Program and evidence stay for whoever looks into it.
    pub(crate) fn refute(&self, verdict: &Verdict, difference: &str) -> io::Result<()> {
        let mut verdict = verdict.clone();
        verdict.refuted = Some(format!(
            "a live answer of Rust was not Python's ({difference}); remove '{}' to have the model proved again",
            self.0.display()
        ));
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(&serde_json::to_vec_pretty(&verdict)?)?;
        file.as_file().sync_all()?;
        file.persist(self.0.join(EVIDENCE))?;
        Ok(())
    }

    /// A folder to export into, removed with its value.
    pub(crate) fn workshop(&self) -> io::Result<tempfile::TempDir> {
        let parent = self.0.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)?;
        tempfile::Builder::new()
            .prefix(".exporting-")
            .tempdir_in(parent)
    }
}

fn text(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The file of a program by its digest; none for what is no digest.
fn file_name(digest: &str) -> Option<String> {
    let plain = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| format!("{}.{PROGRAM}", &digest[..16]))
}

/// Names and contents of all files below a folder, in order. Links are read as what they lead to.
fn hash_folder(folder: &Path, hash: &mut Sha256) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    let mut chunk = vec![0; CHUNK];
    for path in entries {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        // What Python writes when it imports the model's own code is no part of the model.
        if name == b"__pycache__" {
            continue;
        }
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        if path.is_dir() {
            hash.update(b"/");
            hash_folder(&path, hash)?;
            hash.update(b"/");
            continue;
        }
        let mut file = File::open(&path)?;
        hash.update(file.metadata()?.len().to_le_bytes());
        loop {
            let count = file.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            hash.update(&chunk[..count]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(python: &Path, folder: &Path) -> Verdict {
        let outcome = serde_json::json!({
            "python": "3.11.7", "versions": {"mlflow": "3.1.0"}, "folders": [folder],
        });
        let own = Finding::refused("KNN has no native form".to_owned());
        let outcome = serde_json::from_value(outcome).unwrap();
        Verdict::new(&outcome, python, own, BTreeMap::new())
    }

    #[test]
    fn a_verdict_holds_until_model_or_packages_change() {
        let data = tempfile::tempdir().unwrap();
        let (model, packages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(model.path().join("MLmodel"), "flavors: {}").unwrap();
        let python = packages.path().join("python");
        fs::write(&python, "").unwrap();
        let place = || Place::of(data.path(), model.path(), &["local"]).unwrap();
        assert!(place().load(model.path()).is_none());
        place()
            .keep(verdict(&python, packages.path()), &BTreeMap::new())
            .unwrap();
        let (kept, programs) = place().load(model.path()).unwrap();
        assert_eq!(kept.own.refused.as_deref(), Some("KNN has no native form"));
        assert!(programs.is_empty());
        place().refute(&kept, "row 3: another label").unwrap();
        let (kept, _) = place().load(model.path()).unwrap();
        assert!(kept.refuted.unwrap().contains("row 3: another label"));
        fs::write(packages.path().join("numpy"), "").unwrap();
        assert!(place().load(model.path()).is_none(), "a package came");
        place()
            .keep(verdict(&python, packages.path()), &BTreeMap::new())
            .unwrap();
        assert!(place().load(model.path()).is_some());
        fs::write(model.path().join("MLmodel"), "flavors: []").unwrap();
        assert!(place().load(model.path()).is_none(), "the model changed");
    }
}
