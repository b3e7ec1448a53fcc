//! The worker's Python files, carried in this binary and written once into the data folder.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The program, file by file; a test compares it with the folder.
const FILES: &[(&str, &str)] = &[
    (
        "__main__.py",
        include_str!("../../../python/worker/__main__.py"),
    ),
    (
        "export.py",
        include_str!("../../../python/worker/export.py"),
    ),
    (
        "sluis_exporter/__init__.py",
        include_str!("../../../python/worker/sluis_exporter/__init__.py"),
    ),
    (
        "sluis_exporter/bayes.py",
        include_str!("../../../python/worker/sluis_exporter/bayes.py"),
    ),
    (
        "sluis_exporter/builder.py",
        include_str!("../../../python/worker/sluis_exporter/builder.py"),
    ),
    (
        "sluis_exporter/calibration.py",
        include_str!("../../../python/worker/sluis_exporter/calibration.py"),
    ),
    (
        "sluis_exporter/catboost_trees.py",
        include_str!("../../../python/worker/sluis_exporter/catboost_trees.py"),
    ),
    (
        "sluis_exporter/container.py",
        include_str!("../../../python/worker/sluis_exporter/container.py"),
    ),
    (
        "sluis_exporter/encoders.py",
        include_str!("../../../python/worker/sluis_exporter/encoders.py"),
    ),
    (
        "sluis_exporter/errors.py",
        include_str!("../../../python/worker/sluis_exporter/errors.py"),
    ),
    (
        "sluis_exporter/everything.py",
        include_str!("../../../python/worker/sluis_exporter/everything.py"),
    ),
    (
        "sluis_exporter/frames.py",
        include_str!("../../../python/worker/sluis_exporter/frames.py"),
    ),
    (
        "sluis_exporter/functions.py",
        include_str!("../../../python/worker/sluis_exporter/functions.py"),
    ),
    (
        "sluis_exporter/hist_boosting.py",
        include_str!("../../../python/worker/sluis_exporter/hist_boosting.py"),
    ),
    (
        "sluis_exporter/lightgbm_trees.py",
        include_str!("../../../python/worker/sluis_exporter/lightgbm_trees.py"),
    ),
    (
        "sluis_exporter/linear_models.py",
        include_str!("../../../python/worker/sluis_exporter/linear_models.py"),
    ),
    (
        "sluis_exporter/multiclass.py",
        include_str!("../../../python/worker/sluis_exporter/multiclass.py"),
    ),
    (
        "sluis_exporter/neighbors.py",
        include_str!("../../../python/worker/sluis_exporter/neighbors.py"),
    ),
    (
        "sluis_exporter/onnx_export.py",
        include_str!("../../../python/worker/sluis_exporter/onnx_export.py"),
    ),
    (
        "sluis_exporter/onnx_graph.py",
        include_str!("../../../python/worker/sluis_exporter/onnx_graph.py"),
    ),
    (
        "sluis_exporter/onnx_sample.py",
        include_str!("../../../python/worker/sluis_exporter/onnx_sample.py"),
    ),
    (
        "sluis_exporter/others.py",
        include_str!("../../../python/worker/sluis_exporter/others.py"),
    ),
    (
        "sluis_exporter/quantiles.py",
        include_str!("../../../python/worker/sluis_exporter/quantiles.py"),
    ),
    (
        "sluis_exporter/run.py",
        include_str!("../../../python/worker/sluis_exporter/run.py"),
    ),
    (
        "sluis_exporter/sample.py",
        include_str!("../../../python/worker/sluis_exporter/sample.py"),
    ),
    (
        "sluis_exporter/sklearn_trees.py",
        include_str!("../../../python/worker/sluis_exporter/sklearn_trees.py"),
    ),
    (
        "sluis_exporter/svm.py",
        include_str!("../../../python/worker/sluis_exporter/svm.py"),
    ),
    (
        "sluis_exporter/transformers.py",
        include_str!("../../../python/worker/sluis_exporter/transformers.py"),
    ),
    (
        "sluis_exporter/trees.py",
        include_str!("../../../python/worker/sluis_exporter/trees.py"),
    ),
    (
        "sluis_exporter/walk.py",
        include_str!("../../../python/worker/sluis_exporter/walk.py"),
    ),
    (
        "sluis_exporter/weighted_ensembles.py",
        include_str!("../../../python/worker/sluis_exporter/weighted_ensembles.py"),
    ),
    (
        "sluis_exporter/wrappers.py",
        include_str!("../../../python/worker/sluis_exporter/wrappers.py"),
    ),
    (
        "sluis_exporter/xgboost_trees.py",
        include_str!("../../../python/worker/sluis_exporter/xgboost_trees.py"),
    ),
    (
        "sluis_worker/__init__.py",
        include_str!("../../../python/worker/sluis_worker/__init__.py"),
    ),
    (
        "sluis_worker/application.py",
        include_str!("../../../python/worker/sluis_worker/application.py"),
    ),
    (
        "sluis_worker/azure.py",
        include_str!("../../../python/worker/sluis_worker/azure.py"),
    ),
    (
        "sluis_worker/control.py",
        include_str!("../../../python/worker/sluis_worker/control.py"),
    ),
    (
        "sluis_worker/errors.py",
        include_str!("../../../python/worker/sluis_worker/errors.py"),
    ),
    (
        "sluis_worker/framing.py",
        include_str!("../../../python/worker/sluis_worker/framing.py"),
    ),
    (
        "sluis_worker/inputs.py",
        include_str!("../../../python/worker/sluis_worker/inputs.py"),
    ),
    (
        "sluis_worker/loader.py",
        include_str!("../../../python/worker/sluis_worker/loader.py"),
    ),
    (
        "sluis_worker/logs.py",
        include_str!("../../../python/worker/sluis_worker/logs.py"),
    ),
    (
        "sluis_worker/methods.py",
        include_str!("../../../python/worker/sluis_worker/methods.py"),
    ),
    (
        "sluis_worker/outputs.py",
        include_str!("../../../python/worker/sluis_worker/outputs.py"),
    ),
    (
        "sluis_worker/params.py",
        include_str!("../../../python/worker/sluis_worker/params.py"),
    ),
    (
        "sluis_worker/protocol.py",
        include_str!("../../../python/worker/sluis_worker/protocol.py"),
    ),
    (
        "sluis_worker/scorer.py",
        include_str!("../../../python/worker/sluis_worker/scorer.py"),
    ),
    (
        "sluis_worker/worker.py",
        include_str!("../../../python/worker/sluis_worker/worker.py"),
    ),
];

const PACKAGES: [&str; 2] = ["sluis_exporter", "sluis_worker"];

/// The installed worker program.
#[derive(Clone, Debug)]
pub struct Program {
    /// What Python runs: the folder with `__main__.py` and the package.
    pub(crate) folder: PathBuf,
}

/// A data folder that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the worker program cannot be written to '{folder}'")]
pub struct ProgramError {
    folder: PathBuf,
    #[source]
    source: io::Error,
}

impl Program {
    /// Writes the program below `data_dir`, unless it is there: complete or not at all.
    pub fn install(data_dir: &Path) -> Result<Self, ProgramError> {
        let folder = data_dir.join("worker").join(digest());
        if !folder.is_dir() {
            write(&folder).map_err(|source| ProgramError {
                folder: folder.clone(),
                source,
            })?;
        }
        Ok(Self { folder })
    }
}

impl Program {
    /// What names this version of the program.
    pub fn digest() -> String {
        digest()
    }
}

#[cfg(test)]
impl Program {
    /// A program that a test wrote.
    pub(crate) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }
}

/// The digest of the program's files: another one may export and answer otherwise.
fn digest() -> String {
    let mut hash = Sha256::new();
    for (name, text) in FILES {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn write(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let building = tempfile::Builder::new()
        .prefix(".building-")
        .tempdir_in(parent)?;
    for package in PACKAGES {
        fs::create_dir(building.path().join(package))?;
    }
    for (name, text) in FILES {
        let mut file = fs::File::create(building.path().join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    let built = building.keep();
    match fs::rename(&built, folder) {
        Ok(()) => Ok(()),
        // Another process was quicker.
        Err(_) if folder.is_dir() => fs::remove_dir_all(built),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_program_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/worker");
        let files = |folder: &Path, prefix: &str| -> Vec<String> {
            let entries = fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name());
            let names = entries.map(|name| name.into_string().unwrap());
            names
                .filter(|name| name.ends_with(".py"))
                .map(|name| format!("{prefix}{name}"))
                .collect()
        };
        let mut there = files(&folder, "");
        for package in PACKAGES {
            there.extend(files(&folder.join(package), &format!("{package}/")));
        }
        there.sort();
        let carried: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, carried);
    }

    #[test]
    fn installing_twice_writes_once() {
        let data = tempfile::tempdir().unwrap();
        let first = Program::install(data.path()).unwrap();
        let again = Program::install(data.path()).unwrap();
        assert_eq!(first.folder, again.folder);
        assert_eq!(fs::read_dir(data.path().join("worker")).unwrap().count(), 1);
    }
}
