//! What is kept of exports: `programs/<digest>/` in the data folder, with `evidence.json` and, where proved, `program`.
//!
//! The digest is that of the model's files, of what its environment is made from, and of the exporter. A kept verdict holds as
//! long as the packages that it was reached with are untouched.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sluis_native::{Evidence, Program};

const EVIDENCE: &str = "evidence.json";
const PROGRAM: &str = "program";

/// The version of this form, and of what a proof takes.
const FORMAT: u32 = 3;

/// Starts that may end within a trial before there are no more of them.
const TRIALS: u8 = 3;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// How an export ended, and what it was reached with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Verdict {
    format: u32,
    /// The class of the model.
    pub(crate) class: Option<String>,
    /// What the proof found; none where Python has to score.
    pub(crate) evidence: Option<Evidence>,
    /// Why Python has to score.
    pub(crate) refused: Option<String>,
    /// Values at which the model's answer may change, and their neighbours.
    pub(crate) turning_points: u64,
    /// The interpreter of the model's environment, and its version.
    pub(crate) python: PathBuf,
    pub(crate) python_version: String,
    /// Versions of packages that answers depend on.
    pub(crate) versions: BTreeMap<String, String>,
    /// The methods that the model has in Python.
    pub(crate) methods: Vec<String>,
    /// Folders of packages, with the time of their last change.
    folders: Vec<(PathBuf, u128)>,
    /// The digest of the program's file.
    program: Option<String>,
}

/// What an exporter tells beside the program.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    python: String,
    versions: BTreeMap<String, String>,
    folders: Vec<PathBuf>,
    #[serde(default)]
    methods: Vec<String>,
    pub(crate) refused: Option<String>,
    pub(crate) failed: Option<String>,
    pub(crate) exported: Option<Exported>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Exported {
    pub(crate) turning_points: u64,
}

impl Verdict {
    /// The verdict of an export.
    pub(crate) fn new(outcome: &Outcome, python: &Path) -> Self {
        let folders = outcome.folders.iter();
        Self {
            format: FORMAT,
            class: None,
            evidence: None,
            refused: outcome.refused.clone(),
            turning_points: outcome
                .exported
                .as_ref()
                .map_or(0, |exported| exported.turning_points),
            python: python.to_owned(),
            python_version: outcome.python.clone(),
            versions: outcome.versions.clone(),
            methods: outcome.methods.clone(),
            folders: folders
                .map(|folder| (folder.clone(), changed(folder).unwrap_or(0)))
                .collect(),
            program: None,
        }
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

    /// The verdict that is kept and still holds, with the program where it was proved.
    pub(crate) fn load(&self, model: &Path) -> Option<(Verdict, Option<Program>)> {
        let verdict: Verdict =
            serde_json::from_slice(&fs::read(self.0.join(EVIDENCE)).ok()?).ok()?;
        if !verdict.holds() {
            return None;
        }
        let Some(digest) = &verdict.program else {
            return verdict.refused.is_some().then_some((verdict, None));
        };
        let bytes = fs::read(self.0.join(PROGRAM)).ok()?;
        if text(Sha256::new_with_prefix(&bytes)) != *digest {
            tracing::warn!(folder = %self.0.display(), "the kept scoring program was changed; it is exported anew");
            return None;
        }
        match Program::read_beside(&bytes, model) {
            Ok(program) => Some((verdict, Some(program))),
            Err(error) => {
                tracing::warn!(%error, "the kept scoring program cannot be read; it is exported anew");
                None
            }
        }
    }

    /// Keeps a verdict, and the program where it was proved: complete, or not at all.
    pub(crate) fn keep(&self, mut verdict: Verdict, program: Option<&[u8]>) -> io::Result<Verdict> {
        let parent = self.0.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)?;
        let building = tempfile::Builder::new()
            .prefix(".building-")
            .tempdir_in(parent)?;
        if let Some(bytes) = program {
            fs::write(building.path().join(PROGRAM), bytes)?;
            verdict.program = Some(text(Sha256::new_with_prefix(bytes)));
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

    /// A folder to export into, removed with its value.
    pub(crate) fn workshop(&self) -> io::Result<tempfile::TempDir> {
        let parent = self.0.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)?;
        tempfile::Builder::new()
            .prefix(".exporting-")
            .tempdir_in(parent)
    }
}

/// A trial of native code in this process: its file is there as long as it runs, and stays where the process ends with it.
#[derive(Debug)]
pub(crate) struct Trial(PathBuf);

impl Place {
    /// Begins a trial, unless so many starts have ended within theirs.
    pub(crate) fn trial(&self) -> Result<Trial, String> {
        let file = self.0.with_extension("trying");
        let begun = fs::read(&file).map_or(0, |bytes| bytes.len());
        if begun >= usize::from(TRIALS) {
            return Err(format!(
                "{TRIALS} starts ended while its library was tried in this process; delete {} to try again",
                file.display()
            ));
        }
        fs::write(&file, "x".repeat(begun + 1))
            .map_err(|error| format!("the data folder cannot be written ({error})"))?;
        Ok(Trial(file))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // Starts at the same time share the file.
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        if let Err(error) = fs::remove_file(&self.0)
            && !gone(&error)
        {
            tracing::warn!(file = %self.0.display(), %error, "the file of a trial that is over cannot be deleted");
        }
    }
}

fn text(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
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
            "python": "3.11.7", "versions": {"mlflow": "3.1.0"}, "folders": [folder], "refused": "KNN has no native form",
        });
        Verdict::new(&serde_json::from_value(outcome).unwrap(), python)
    }

    #[test]
    fn a_library_that_ended_three_starts_is_not_tried_again() {
        let data = tempfile::tempdir().unwrap();
        let place = Place(data.path().join("abc"));
        for _ in 0..5 {
            place.trial().unwrap();
        }
        for _ in 0..3 {
            std::mem::forget(place.trial().unwrap());
        }
        let refused = place.trial().unwrap_err();
        assert!(refused.contains("abc.trying"), "{refused}");
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
            .keep(verdict(&python, packages.path()), None)
            .unwrap();
        let (kept, program) = place().load(model.path()).unwrap();
        assert_eq!(kept.refused.as_deref(), Some("KNN has no native form"));
        assert!(program.is_none());
        fs::write(packages.path().join("numpy"), "").unwrap();
        assert!(place().load(model.path()).is_none(), "a package came");
        place()
            .keep(verdict(&python, packages.path()), None)
            .unwrap();
        assert!(place().load(model.path()).is_some());
        fs::write(model.path().join("MLmodel"), "flavors: []").unwrap();
        assert!(place().load(model.path()).is_none(), "the model changed");
    }
}
