//! From a lock to a directory: built beside its place and renamed, so that it is complete or not there.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::BuildError;
use crate::lock::Lock;
use crate::process::{Cancel, Run};
use crate::progress::{Progress, Step};
use crate::spec::Addition;
use crate::uv::{Uv, explain, python_of};

const INSTALL_LIMIT: Duration = Duration::from_secs(3600);

/// How often a builder that waits for another one looks whether it was told to stop.
const LOOK: Duration = Duration::from_millis(50);

/// What a build is made with.
pub(crate) struct Tools<'a> {
    pub(crate) uv: &'a Uv,
    /// Named where one of them is what does not install.
    pub(crate) additions: &'a [Addition],
    pub(crate) cancel: &'a Cancel,
}

/// Where an environment stands, and who may build it.
pub(crate) struct Place {
    folder: PathBuf,
    digest: String,
    log: PathBuf,
}

impl Place {
    pub(crate) fn new(data_dir: &Path, digest: &str) -> Self {
        Self {
            folder: data_dir.join("environments"),
            digest: digest.to_owned(),
            log: data_dir
                .join("logs")
                .join(format!("environment-{digest}.log")),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&self.digest)
    }

    /// Whether the environment is there. Its interpreter is a link to one that may have been removed since.
    pub(crate) fn is_built(&self) -> bool {
        python_of(&self.path()).exists()
    }

    /// Builds the environment, unless another process has done so in the meantime.
    pub(crate) fn build(
        &self,
        lock: &Lock,
        tools: &Tools<'_>,
        progress: &mut dyn Progress,
    ) -> Result<(), BuildError> {
        fs::create_dir_all(&self.folder).map_err(BuildError::files(&self.folder))?;
        let _held = self.hold(tools.cancel, progress)?;
        if self.is_built() {
            return Ok(());
        }
        self.remove_leftovers();
        let (start, step) = (Instant::now(), Step::Install(lock.lines.len()));
        progress.begin(&step);
        let prefix = format!(".building-{}-", self.digest);
        let building = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&self.folder)
            .map_err(BuildError::files(&self.folder))?;
        self.fill(building.path(), lock, tools)?;
        let place = self.path();
        if place.exists() {
            fs::remove_dir_all(&place).map_err(BuildError::files(&place))?;
        }
        fs::rename(building.keep(), &place).map_err(BuildError::files(&place))?;
        progress.done(&step, start.elapsed());
        Ok(())
    }

    /// The lock of this environment; a second builder waits for the first.
    fn hold(&self, cancel: &Cancel, progress: &mut dyn Progress) -> Result<File, BuildError> {
        let path = self.folder.join(format!("{}.lock", self.digest));
        let file = File::create(&path).map_err(BuildError::files(&path))?;
        let (start, mut waiting) = (Instant::now(), false);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(BuildError::Files { path, source }),
                Err(TryLockError::WouldBlock) if cancel.is_cancelled() => {
                    return Err(BuildError::Cancelled);
                }
                Err(TryLockError::WouldBlock) if start.elapsed() > INSTALL_LIMIT => {
                    return Err(BuildError::TimedOut {
                        what: "waiting for another build",
                        limit: INSTALL_LIMIT,
                        log: self.log.clone(),
                    });
                }
                Err(TryLockError::WouldBlock) => {
                    if !waiting {
                        progress.begin(&Step::Wait);
                        waiting = true;
                    }
                    std::thread::sleep(LOOK);
                }
            }
        }
        if waiting {
            progress.done(&Step::Wait, start.elapsed());
        }
        Ok(file)
    }

    /// What interrupted builds of this environment left; we hold its lock, so none of them is running.
    fn remove_leftovers(&self) {
        let prefix = format!(".building-{}-", self.digest);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                // A uv that outlived its parent may still write there; what stays is removed next time.
                let _remains = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn fill(&self, folder: &Path, lock: &Lock, tools: &Tools<'_>) -> Result<(), BuildError> {
        let mut venv = tools.uv.command(&[
            "venv",
            "--quiet",
            "--allow-existing",
            "--relocatable",
            "--no-python-downloads",
            "--python",
        ]);
        venv.arg(&lock.python).arg(folder);
        self.step("making the environment", venv, tools)?;
        let requirements = folder.join("sluis-lock.txt");
        fs::write(&requirements, lock.text()).map_err(BuildError::files(&requirements))?;
        let mut install = tools
            .uv
            .command(&["pip", "install", "--quiet", "--no-deps", "--python"]);
        install
            .arg(python_of(folder))
            .arg("--requirement")
            .arg(&requirements);
        self.step("installing packages", install, tools)
    }

    fn step(
        &self,
        what: &'static str,
        command: Command,
        tools: &Tools<'_>,
    ) -> Result<(), BuildError> {
        let outcome = Run {
            what,
            limit: INSTALL_LIMIT,
            log: &self.log,
            cancel: tools.cancel,
        }
        .run(command)?;
        if outcome.success {
            return Ok(());
        }
        Err(BuildError::Packages {
            sentence: explain(&outcome.output, tools.additions),
            log: self.log.clone(),
        })
    }
}
