//! The worker's Python files, carried in this binary and written once into the data folder.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The package, file by file; a test compares it with the folder.
const FILES: &[(&str, &str)] = &[
    ("__init__.py", include_str!("../../../python/worker/sluis_worker/__init__.py")),
    ("__main__.py", include_str!("../../../python/worker/sluis_worker/__main__.py")),
    ("app.py", include_str!("../../../python/worker/sluis_worker/app.py")),
    ("control.py", include_str!("../../../python/worker/sluis_worker/control.py")),
    ("errors.py", include_str!("../../../python/worker/sluis_worker/errors.py")),
    ("frames.py", include_str!("../../../python/worker/sluis_worker/frames.py")),
    ("framing.py", include_str!("../../../python/worker/sluis_worker/framing.py")),
    ("loader.py", include_str!("../../../python/worker/sluis_worker/loader.py")),
    ("logs.py", include_str!("../../../python/worker/sluis_worker/logs.py")),
    ("protocol.py", include_str!("../../../python/worker/sluis_worker/protocol.py")),
    ("scorer.py", include_str!("../../../python/worker/sluis_worker/scorer.py")),
];

const PACKAGE: &str = "sluis_worker";

/// The installed worker program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The folder that goes on Python's path.
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

fn digest() -> String {
    let mut hash = Sha256::new();
    for (name, text) in FILES {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    let bytes = hash.finalize();
    bytes.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn write(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let building = tempfile::Builder::new().prefix(".building-").tempdir_in(parent)?;
    let package = building.path().join(PACKAGE);
    fs::create_dir(&package)?;
    for (name, text) in FILES {
        fs::File::create(package.join(name))?.write_all(text.as_bytes())?;
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
    fn every_file_of_the_package_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/worker").join(PACKAGE);
        let mut there: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".py"))
            .collect();
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
