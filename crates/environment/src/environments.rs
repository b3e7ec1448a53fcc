//! The environments of a data folder: chosen, solved, built, found again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::build::Place;
use crate::error::BuildError;
use crate::lock::{self, Lock, Package};
use crate::process::{Cancel, Run};
use crate::progress::{Progress, Step};
use crate::python::{
    self, Interpreter, NEWEST_MINOR, OLDEST_MINOR, PythonChoice, PythonPolicy, Version,
};
use crate::spec::Spec;
use crate::uv::{self, Uv, python_of};

const FETCH_PYTHON_LIMIT: Duration = Duration::from_secs(600);

/// How environments are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where they are kept.
    pub data_dir: PathBuf,
    /// What happens when the model's Python cannot be had.
    pub policy: PythonPolicy,
    /// A Python version that the user chose over the model's.
    pub python_version: Option<Version>,
}

/// An environment that is ready.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its interpreter.
    pub python: PathBuf,
    /// Its Python.
    pub version: Version,
    /// The digest that names it; none for a local Python.
    pub digest: Option<String>,
    /// Its packages.
    pub packages: Vec<Package>,
    /// Whether it was there already.
    pub reused: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The environments of one data folder.
#[derive(Clone, Debug)]
pub struct Environments {
    settings: Settings,
}

impl Environments {
    /// Touches nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// The interpreters that a spec may get, of those on this machine. Starts each of them once; no network.
    pub fn choose(&self, spec: &Spec) -> PythonChoice {
        let found = python::on_this_machine(&[self.pythons()]);
        PythonChoice::among(self.asked(spec), self.policy(), &found)
    }

    /// The lock's digest and whether its environment is built, when the spec was solved before.
    pub fn known(&self, spec: &Spec, python: &Interpreter) -> Option<(String, Vec<Package>, bool)> {
        let lock = lock::load(&self.settings.data_dir, &lock::spec_digest(spec, python))?;
        let digest = lock.digest();
        let built = Place::new(&self.settings.data_dir, &digest).is_built();
        Some((digest, lock.packages(), built))
    }

    /// The environment of a spec: found, or solved and built.
    pub fn ensure(
        &self,
        spec: &Spec,
        cancel: &Cancel,
        progress: &mut dyn Progress,
    ) -> Result<Environment, BuildError> {
        if !spec.conda_packages.is_empty() {
            return Err(BuildError::Conda {
                packages: spec.conda_packages.join(", "),
            });
        }
        let mut choice = self.choose(spec);
        if let Some(environment) = self.find(spec, &choice) {
            return Ok(environment);
        }
        let any = choice
            .candidates
            .first()
            .map_or_else(|| PathBuf::from("python3"), |python| python.path.clone());
        let uv = uv::locate(&self.settings.data_dir, &any, cancel, progress)?;
        if !choice.is_exact()
            && let Some(asked) = choice.asked
            && let Some(fetched) = self.fetch_python(asked, &uv, cancel, progress)?
        {
            choice.candidates.insert(0, fetched);
        }
        if choice.candidates.is_empty() {
            return Err(self.no_python(choice.asked));
        }
        let (python, lock) = self.solve(spec, &choice, &uv, cancel, progress)?;
        let place = Place::new(&self.settings.data_dir, &lock.digest());
        let reused = place.is_built();
        if !reused {
            place.build(&lock, &spec.additions, &uv, cancel, progress)?;
        }
        lock::keep(
            &self.settings.data_dir,
            &lock::spec_digest(spec, &python),
            &lock,
        )?;
        Ok(environment(
            spec,
            &choice,
            &python,
            &lock,
            &place.path(),
            reused,
        ))
    }

    /// An environment that was solved and built before: no uv, no network.
    fn find(&self, spec: &Spec, choice: &PythonChoice) -> Option<Environment> {
        choice.candidates.iter().find_map(|python| {
            let lock = lock::load(&self.settings.data_dir, &lock::spec_digest(spec, python))?;
            let place = Place::new(&self.settings.data_dir, &lock.digest());
            place
                .is_built()
                .then(|| environment(spec, choice, python, &lock, &place.path(), true))
        })
    }

    /// Solves for the best candidate; for a next one when a package does not support the first.
    fn solve(
        &self,
        spec: &Spec,
        choice: &PythonChoice,
        uv: &Uv,
        cancel: &Cancel,
        progress: &mut dyn Progress,
    ) -> Result<(Interpreter, Lock), BuildError> {
        let mut first_problem = None;
        for python in &choice.candidates {
            let digest = lock::spec_digest(spec, python);
            if let Some(lock) = lock::load(&self.settings.data_dir, &digest) {
                return Ok((python.clone(), lock));
            }
            let start = Instant::now();
            progress.begin(&Step::Solve);
            let log = self
                .settings
                .data_dir
                .join("logs")
                .join(format!("solve-{digest}.log"));
            match lock::solve(spec, python, uv, &log, cancel) {
                Ok(lock) => {
                    progress.done(&Step::Solve, start.elapsed());
                    return Ok((python.clone(), lock));
                }
                // Another Python helps only where the model's own could not be had.
                Err(problem @ BuildError::Packages { .. }) if !choice.is_exact() => {
                    progress.warn(&format!("Python {} does not do: {problem}", python.version));
                    first_problem = first_problem.or(Some(problem));
                }
                Err(problem) => return Err(problem),
            }
        }
        Err(first_problem.unwrap_or_else(|| self.no_python(choice.asked)))
    }

    fn fetch_python(
        &self,
        asked: Version,
        uv: &Uv,
        cancel: &Cancel,
        progress: &mut dyn Progress,
    ) -> Result<Option<Interpreter>, BuildError> {
        if asked.major != 3 || !(OLDEST_MINOR..=NEWEST_MINOR).contains(&asked.minor) {
            return Ok(None);
        }
        let (start, step) = (Instant::now(), Step::FetchPython(asked.minor_text()));
        progress.begin(&step);
        let folder = self.pythons();
        let log = self
            .settings
            .data_dir
            .join("logs")
            .join(format!("python-{}.log", asked.minor_text()));
        let mut command: Command =
            uv.command(&["python", "install", "--quiet", "--no-bin", "--install-dir"]);
        command.arg(&folder).arg(asked.minor_text());
        let run = Run {
            what: "fetching Python",
            limit: FETCH_PYTHON_LIMIT,
            log: &log,
            cancel,
        };
        match run.run(command) {
            Ok(outcome) if outcome.success => {}
            Ok(_) | Err(BuildError::TimedOut { .. }) => {
                progress.warn(&format!(
                    "Python {} could not be fetched; see {}",
                    asked.minor_text(),
                    log.display()
                ));
                return Ok(None);
            }
            Err(problem) => return Err(problem),
        }
        progress.done(&step, start.elapsed());
        let found = python::on_this_machine(&[folder]);
        Ok(found
            .into_iter()
            .find(|python| python.version.same_minor(asked)))
    }

    fn no_python(&self, asked: Option<Version>) -> BuildError {
        let found: Vec<String> = python::on_this_machine(&[self.pythons()])
            .iter()
            .map(|python| python.version.to_string())
            .collect();
        let found = match found.is_empty() {
            true => "no Python was found on this machine".to_owned(),
            false => format!("this machine has {}", found.join(", ")),
        };
        let remedy = match self.policy() {
            PythonPolicy::Exact => {
                "; install it, or allow a newer one with --python-version-policy nearest"
            }
            PythonPolicy::Nearest => "; install it, or choose one with --python-version",
        };
        BuildError::Python {
            asked: asked.map_or_else(|| "3.8 or newer".to_owned(), Version::minor_text),
            found,
            remedy: remedy.to_owned(),
        }
    }

    fn asked(&self, spec: &Spec) -> Option<Version> {
        self.settings
            .python_version
            .or_else(|| spec.python.as_ref().map(|python| python.version))
    }

    /// A version that the user chose is meant.
    fn policy(&self) -> PythonPolicy {
        if self.settings.python_version.is_some() {
            PythonPolicy::Exact
        } else {
            self.settings.policy
        }
    }

    fn pythons(&self) -> PathBuf {
        self.settings.data_dir.join("pythons")
    }
}

fn environment(
    spec: &Spec,
    choice: &PythonChoice,
    python: &Interpreter,
    lock: &Lock,
    place: &Path,
    reused: bool,
) -> Environment {
    let mut warnings = spec.warnings.clone();
    if let Some(asked) = choice
        .asked
        .filter(|asked| !asked.same_minor(python.version))
    {
        warnings.insert(0, format!(
            "the model was made with Python {asked}, which is not available: Python {} serves it, and may load or score it \
             otherwise (--python-version-policy exact refuses this)",
            python.version
        ));
    }
    Environment {
        python: python_of(place),
        version: python.version,
        digest: Some(lock.digest()),
        packages: lock.packages(),
        reused,
        warnings,
    }
}
