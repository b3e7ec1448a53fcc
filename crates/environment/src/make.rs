//! Making an environment that is not there: uv, Python, lock, directory, in this order.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::build::Tools;
use crate::environments::Environments;
use crate::error::BuildError;
use crate::lock::{self, Lock, Solver};
use crate::process::{Cancel, Run};
use crate::progress::{Progress, Step};
use crate::python::{
    self, Interpreter, NEWEST_MINOR, OLDEST_MINOR, PythonChoice, PythonPolicy, Version,
};
use crate::spec::Spec;
use crate::uv::{self, Uv};

const FETCH_PYTHON_LIMIT: Duration = Duration::from_secs(600);

/// One making; the progress is told of every step.
pub(crate) struct Making<'a> {
    environments: &'a Environments,
    spec: &'a Spec,
    cancel: &'a Cancel,
    progress: &'a mut dyn Progress,
}

impl<'a> Making<'a> {
    pub(crate) fn new(
        environments: &'a Environments,
        spec: &'a Spec,
        cancel: &'a Cancel,
        progress: &'a mut dyn Progress,
    ) -> Self {
        Self {
            environments,
            spec,
            cancel,
            progress,
        }
    }

    /// The interpreter and the lock of the environment, and whether it was built already.
    pub(crate) fn make(
        mut self,
        mut choice: PythonChoice,
    ) -> Result<(PythonChoice, Interpreter, Lock, bool), BuildError> {
        self.check_data_dir()?;
        let first = choice.candidates.first();
        let any = first.map_or_else(|| PathBuf::from("python3"), |python| python.path.clone());
        let uv = uv::locate(self.data_dir(), &any, self.cancel, self.progress)?;
        if !choice.is_exact()
            && let Some(asked) = choice.asked
            && let Some(fetched) = self.fetch_python(asked, &uv)?
        {
            choice.candidates.insert(0, fetched);
        }
        if choice.candidates.is_empty() {
            return Err(self.no_python(choice.asked));
        }
        let (python, lock) = self.solve(&choice, &uv)?;
        let place = self.environments.place(&lock);
        let reused = place.is_built();
        if !reused {
            let tools = Tools {
                uv: &uv,
                spec: self.spec,
                cancel: self.cancel,
            };
            place.build(&lock, &tools, self.progress)?;
        }
        let digest = lock::spec_digest(self.spec, &python);
        lock::keep(self.data_dir(), &digest, &lock)?;
        Ok((choice, python, lock, reused))
    }

    /// Solves for the best candidate; for a next one when a package does not support the first.
    fn solve(&mut self, choice: &PythonChoice, uv: &Uv) -> Result<(Interpreter, Lock), BuildError> {
        let mut first_problem = None;
        for python in &choice.candidates {
            let digest = lock::spec_digest(self.spec, python);
            if let Some(lock) = lock::load(self.data_dir(), &digest) {
                return Ok((python.clone(), lock));
            }
            let start = Instant::now();
            self.progress.begin(&Step::Solve);
            let log = self.log(&format!("solve-{digest}"));
            let solver = Solver {
                spec: self.spec,
                uv,
                log: &log,
                cancel: self.cancel,
            };
            match solver.solve(python) {
                Ok(lock) => {
                    self.progress.done(&Step::Solve, start.elapsed());
                    return Ok((python.clone(), lock));
                }
                // Another Python helps only where the model's own could not be had, and this one is the reason.
                Err(
                    problem @ BuildError::Packages {
                        is_of_python: true, ..
                    },
                ) if !choice.is_exact() => {
                    let text = format!("Python {} does not do: {problem}", python.version);
                    self.progress.warn(&text);
                    first_problem = first_problem.or(Some(problem));
                }
                Err(problem) => return Err(problem),
            }
        }
        Err(first_problem.unwrap_or_else(|| self.no_python(choice.asked)))
    }

    fn fetch_python(&mut self, asked: Version, uv: &Uv) -> Result<Option<Interpreter>, BuildError> {
        if asked.major != 3 || !(OLDEST_MINOR..=NEWEST_MINOR).contains(&asked.minor) {
            return Ok(None);
        }
        let minor = asked.minor_text();
        let (start, step) = (Instant::now(), Step::FetchPython(minor.clone()));
        self.progress.begin(&step);
        let folder = self.environments.pythons();
        let log = self.log(&format!("python-{minor}"));
        let mut command =
            uv.command(&["python", "install", "--quiet", "--no-bin", "--install-dir"]);
        command.arg(&folder).arg(&minor);
        let run = Run {
            what: "fetching Python",
            limit: FETCH_PYTHON_LIMIT,
            log: &log,
            cancel: self.cancel,
        };
        match run.run(&command) {
            Ok(outcome) if outcome.success => {}
            Ok(_) | Err(BuildError::TimedOut { .. }) => {
                let text = format!("Python {minor} could not be fetched; see {}", log.display());
                self.progress.warn(&text);
                return Ok(None);
            }
            Err(problem) => return Err(problem),
        }
        self.progress.done(&step, start.elapsed());
        let found = python::on_this_machine(&[folder]);
        Ok(found
            .into_iter()
            .find(|python| python.version.same_minor(asked)))
    }

    fn no_python(&self, asked: Option<Version>) -> BuildError {
        let found = python::on_this_machine(&[self.environments.pythons()]);
        let mut found: Vec<Version> = found.iter().map(|python| python.version).collect();
        found.sort();
        let found: Vec<String> = found.iter().map(Version::to_string).collect();
        let is_too_old = asked.is_some_and(|asked| (asked.major, asked.minor) < (3, OLDEST_MINOR));
        let install = match is_too_old {
            true => "",
            false => "install it, or ",
        };
        let chosen = self.environments.settings.python_version;
        let remedy = match (chosen, self.environments.policy()) {
            (Some(_), _) => "give another --python-version, or none to follow the model's",
            (None, PythonPolicy::Exact) => "allow a newer one with --python-version-policy nearest",
            (None, PythonPolicy::Nearest) => "choose one with --python-version",
        };
        let remedy = format!("; {install}{remedy}");
        let version = asked.map_or_else(|| "3.8 or newer".to_owned(), Version::minor_text);
        let asked = match (chosen, is_too_old) {
            (Some(_), true) => format!(
                "Python {version} was asked for and is too old for serving (3.{OLDEST_MINOR} is the oldest)"
            ),
            (Some(_), false) => format!("Python {version} was asked for"),
            (None, true) => format!(
                "the model needs Python {version}, which is too old for serving (3.{OLDEST_MINOR} is the oldest)"
            ),
            (None, false) => format!("the model needs Python {version}"),
        };
        BuildError::Python {
            asked,
            found: match found.is_empty() {
                true => "no Python was found on this machine".to_owned(),
                false => format!("this machine has {}", found.join(", ")),
            },
            remedy,
        }
    }

    /// Says so before minutes of work when nothing can be kept.
    fn check_data_dir(&self) -> Result<(), BuildError> {
        let folder = self.data_dir();
        let check = || {
            fs::create_dir_all(folder)?;
            tempfile::tempfile_in(folder).map(drop)
        };
        check().map_err(|source| BuildError::DataFolder {
            path: folder.to_owned(),
            source,
        })
    }

    fn data_dir(&self) -> &'a Path {
        &self.environments.settings.data_dir
    }

    fn log(&self, name: &str) -> PathBuf {
        self.data_dir().join("logs").join(format!("{name}.log"))
    }
}
