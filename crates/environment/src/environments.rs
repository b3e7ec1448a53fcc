//! The environments of a data folder: chosen, found, and made.

use std::path::PathBuf;

use crate::build::Place;
use crate::error::BuildError;
use crate::lock::{self, Lock, Package};
use crate::make::Making;
use crate::process::Cancel;
use crate::progress::Progress;
use crate::python::{self, Interpreter, OLDEST_MINOR, PythonChoice, PythonPolicy, Version};
use crate::spec::Spec;
use crate::uv::python_of;

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
    pub(crate) settings: Settings,
}

impl Environments {
    /// Touches nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// The interpreters that a spec may get, of those on this machine. Starts each of them once; no network.
    pub fn choose(&self, spec: &Spec) -> PythonChoice {
        let found = python::on_this_machine(&[self.pythons()]);
        let asked = spec.python.as_ref().map(|python| python.version);
        PythonChoice::among(
            self.settings.python_version.or(asked),
            self.policy(),
            &found,
        )
    }

    /// Whether the environment of a spec is built, for that interpreter.
    pub fn is_built(&self, spec: &Spec, python: &Interpreter) -> bool {
        let lock = lock::load(&self.settings.data_dir, &lock::spec_digest(spec, python));
        lock.is_some_and(|lock| self.place(&lock).is_built())
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
        for requirement in &spec.requirements {
            if let Some(path) = requirement.path.as_ref().filter(|path| !path.exists()) {
                let (file, line) = requirement.origin.clone();
                return Err(BuildError::Missing {
                    file,
                    line,
                    path: path.clone(),
                });
            }
        }
        let choice = self.choose(spec);
        if let Some((python, lock)) = self.find(spec, &choice) {
            return Ok(self.environment(spec, &choice, &python, &lock).reused());
        }
        let (choice, python, lock, reused) =
            Making::new(self, spec, cancel, progress).make(choice)?;
        let environment = self.environment(spec, &choice, &python, &lock);
        Ok(if reused {
            environment.reused()
        } else {
            environment
        })
    }

    /// An environment that was solved and built before: no uv, no network.
    fn find(&self, spec: &Spec, choice: &PythonChoice) -> Option<(Interpreter, Lock)> {
        choice.candidates.iter().find_map(|python| {
            let digest = lock::spec_digest(spec, python);
            let lock = lock::load(&self.settings.data_dir, &digest)?;
            self.place(&lock).is_built().then(|| (python.clone(), lock))
        })
    }

    fn environment(
        &self,
        spec: &Spec,
        choice: &PythonChoice,
        python: &Interpreter,
        lock: &Lock,
    ) -> Environment {
        let mut warnings = spec.warnings.clone();
        if let Some(asked) = choice
            .asked
            .filter(|asked| !asked.same_minor(python.version))
        {
            let why = match (asked.major, asked.minor) < (3, OLDEST_MINOR) {
                true => "too old for serving",
                false => "not available",
            };
            let warning = format!(
                "the model was made with Python {asked}, which is {why}: Python {} serves it, and may load or score it \
                 otherwise (--python-version-policy exact refuses this)",
                python.version
            );
            warnings.insert(0, warning);
        }
        Environment {
            python: python_of(&self.place(lock).path()),
            version: python.version,
            digest: Some(lock.digest()),
            packages: lock.packages(),
            reused: false,
            warnings,
        }
    }

    pub(crate) fn place(&self, lock: &Lock) -> Place {
        Place::new(&self.settings.data_dir, &lock.digest())
    }

    /// A version that the user chose is meant.
    pub(crate) fn policy(&self) -> PythonPolicy {
        match self.settings.python_version {
            Some(_) => PythonPolicy::Exact,
            None => self.settings.policy,
        }
    }

    /// Where fetched Pythons are kept.
    pub(crate) fn pythons(&self) -> PathBuf {
        self.settings.data_dir.join("pythons")
    }
}

impl Environment {
    fn reused(mut self) -> Self {
        self.reused = true;
        self
    }
}
