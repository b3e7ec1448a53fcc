//! From a lock to a directory: built beside its place and renamed, so that it is complete or not there.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::BuildError;
use crate::lock::{Lock, text_of};
use crate::process::{Cancel, Run};
use crate::progress::{Progress, Step};
use crate::spec::{Spec, for_uv};
use crate::uv::{Uv, explain, python_of, without_secrets};

const INSTALL_LIMIT: Duration = Duration::from_secs(3600);

/// How often a builder that waits for another one looks whether it was told to stop.
const LOOK: Duration = Duration::from_millis(50);

/// What a build is made with.
pub(crate) struct Tools<'a> {
    pub(crate) uv: &'a Uv,
    /// Its options say where packages are; its additions are named where one of them does not install.
    pub(crate) spec: &'a Spec,
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

    /// What interrupted builds left: of this environment, whose lock we hold, and of others whose lock nobody holds.
    fn remove_leftovers(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Some((digest, _)) = name
                .strip_prefix(".building-")
                .and_then(|rest| rest.split_once('-'))
            else {
                continue;
            };
            let other = match digest == self.digest {
                true => None,
                false => match File::create(self.folder.join(format!("{digest}.lock"))) {
                    Ok(lock) if lock.try_lock().is_ok() => Some(lock),
                    _ => continue,
                },
            };
            // What cannot be removed is tried again next time.
            let _remains = fs::remove_dir_all(entry.path());
            drop(other);
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
        self.step("making the environment", &venv, tools)?;
        let kept = folder.join("sluis-lock.txt");
        fs::write(&kept, without_secrets(&lock.text())).map_err(BuildError::files(&kept))?;
        // Options may hold the password of an index: what uv reads does not stay.
        let (options, arguments) = for_uv(&tools.spec.requirements);
        let options = options.iter().map(String::as_str);
        let options = options.filter(|option| !option.starts_with("-c "));
        let lines = lock.lines.iter().map(String::as_str);
        let mut requirements =
            tempfile::NamedTempFile::new().map_err(BuildError::files(std::env::temp_dir()))?;
        requirements
            .write_all(text_of(options.chain(lines)).as_bytes())
            .map_err(BuildError::files(requirements.path()))?;
        let mut install = tools
            .uv
            .command(&["pip", "install", "--quiet", "--no-deps", "--python"]);
        install
            .arg(python_of(folder))
            .args(arguments)
            .arg("--requirement")
            .arg(requirements.path());
        self.step("installing packages", &install, tools)
    }

    fn step(
        &self,
        what: &'static str,
        command: &Command,
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
        let failure = explain(&outcome.output, &tools.spec.additions);
        Err(BuildError::Packages {
            sentence: failure.sentence,
            is_of_python: failure.is_of_python,
            log: self.log.clone(),
        })
    }
}
