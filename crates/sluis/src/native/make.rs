//! From a model to a proved program, or to the reason why Python scores it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sluis_environment::read_spec;
use sluis_mlflow::model::Model;
use sluis_worker::{Export, Guardian, Program as WorkerProgram};

use super::cache::{Attempted, Outcome, Place, Programs, Verdict};
use super::candidate::Candidate;
use super::first_run::FirstRun;
use super::trial::{Trial, Tried};
use crate::environment::{self, EnvManager, EnvironmentOptions};

/// Programs that may be used, that of the method that is asked among them.
pub(crate) struct Proved {
    programs: Programs,
    pub(crate) verdict: Verdict,
    /// The method that is asked; none where it is the model's own function.
    method: Option<String>,
    place: Place,
}

/// How a model is scored.
pub(crate) type Outlook = Result<Proved, String>;

/// What was found out about a model.
pub(crate) struct Found {
    verdict: Verdict,
    programs: Programs,
    place: Place,
}

impl Found {
    /// Who scores where this method is asked; the model's own function without a name.
    pub(crate) fn outlook(self, method: Option<&str>) -> Outlook {
        if let Some(refuted) = self.verdict.refuted {
            return Err(refuted);
        }
        // A model that has no methods is asked for its own function by this name too.
        let none = self.verdict.methods.is_empty();
        let method = method.filter(|name| !(none && *name == "predict"));
        let Some(finding) = self.verdict.of(method) else {
            let name = method.unwrap_or_default();
            return Err(format!("--method {name} is Python's to carry out"));
        };
        if let Some(refused) = &finding.refused {
            return Err(refused.clone());
        }
        Ok(Proved {
            programs: self.programs,
            verdict: self.verdict,
            method: method.map(str::to_owned),
            place: self.place,
        })
    }
}

/// What was found out before about this model in its environment, if that still holds; and the place where it is kept.
pub(crate) fn find(
    model: &Model,
    options: &EnvironmentOptions,
    data_dir: &Path,
) -> Result<(Place, Option<Found>), String> {
    let config = std::env::var("SERVING_MODEL_CONFIG").unwrap_or_default();
    let environment = environment_of(model, options)?;
    let parts = [
        environment.as_str(),
        &WorkerProgram::digest(),
        &config,
        env!("CARGO_PKG_VERSION"),
    ];
    let place = Place::of(data_dir, &model.folder, &parts)
        .map_err(|error| format!("the model's files cannot be read ({error})"))?;
    let found = place.load(&model.folder).map(|(verdict, programs)| Found {
        verdict,
        programs,
        place: place.clone(),
    });
    Ok((place, found))
}

/// What the environment will be made from, as text: nothing is started to know it.
fn environment_of(model: &Model, options: &EnvironmentOptions) -> Result<String, String> {
    if options.env_manager == EnvManager::Local {
        let python = options.local_python();
        return Ok(format!("local {}", on_path(&python).display()));
    }
    let spec = read_spec(&environment::files(model)).map_err(|error| error.to_string())?;
    Ok(format!(
        "uv {:?} {:?} {spec:?}",
        options.python_version, options.python_version_policy
    ))
}

/// The file that a program's name means.
fn on_path(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| program.to_owned())
}

/// Has the model's Python export it, proves the programs, and keeps what was found.
pub(crate) async fn make(
    model: &Model,
    candidate: &Candidate,
    export: &Export,
    place: &Place,
    guardian: &Guardian,
) -> Result<Found, String> {
    let problem = |what: &str, error: &dyn std::fmt::Display| format!("{what} ({error})");
    let workshop = place
        .workshop()
        .map_err(|error| problem("the data folder cannot be written", &error))?;
    let order = workshop.path().join("order.json");
    fs::write(
        &order,
        candidate.order(&model.folder, workshop.path()).to_string(),
    )
    .map_err(|error| problem("the data folder cannot be written", &error))?;
    export
        .run(&order, guardian)
        .await
        .map_err(|error| error.to_string())?;
    let outcome = outcome(workshop.path())?;
    let attempted = outcome
        .own
        .clone()
        .ok_or("the exporter's outcome does not tell of the model's own function")?;
    let exported = matches!(attempted, Attempted::Exported { .. });
    let first_run = (exported && candidate.is_graph())
        .then(|| FirstRun::begin(place))
        .transpose()?;
    let tried = Trial {
        folder: workshop.path().to_owned(),
        model: model.folder.clone(),
        layout: candidate.layout.clone(),
        own: attempted,
        others: outcome.others.clone(),
    };
    let tried = tokio::task::spawn_blocking(move || tried.run()).await;
    drop(first_run);
    let Tried {
        own,
        others,
        programs,
        files,
    } = tried.map_err(|error| problem("the proof broke", &error))?;
    let verdict = Verdict::new(&outcome, &export.python, own, others);
    let kept = place.keep(verdict.clone(), &files);
    let verdict = match kept {
        Ok(kept) => kept,
        Err(error) if programs.is_empty() => {
            tracing::warn!(%error, "the outcome of the export cannot be kept; the next start exports again");
            verdict
        }
        Err(error) => return Err(problem("the programs cannot be kept", &error)),
    };
    Ok(Found {
        verdict,
        programs,
        place: place.clone(),
    })
}

/// What the exporter left, unless it failed.
fn outcome(workshop: &Path) -> Result<Outcome, String> {
    let bytes = fs::read(workshop.join("outcome.json"))
        .map_err(|error| format!("the exporter left no outcome ({error})"))?;
    let outcome: Outcome = serde_json::from_slice(&bytes)
        .map_err(|error| format!("the exporter's outcome cannot be read ({error})"))?;
    match outcome.failed {
        Some(failed) => Err(format!("the export failed: {failed}")),
        None => Ok(outcome),
    }
}

impl Proved {
    /// The programs, by the method that they stand for.
    pub(crate) fn programs(&self) -> Programs {
        self.programs.clone()
    }

    /// Writes down that a live answer was not Python's: the next start leaves the model to Python.
    pub(crate) fn refute(&self, difference: &str) {
        match self.place.refute(&self.verdict, difference) {
            Ok(()) => tracing::warn!(
                folder = %self.place.folder().display(),
                "later starts leave this model to Python too; remove the folder to have it proved again"
            ),
            Err(error) => tracing::error!(
                %error,
                folder = %self.place.folder().display(),
                "that the program is refuted could not be written down: the next start would use it again"
            ),
        }
    }

    /// What was proved, as one line.
    pub(crate) fn sentence(&self) -> String {
        let finding = self.verdict.of(self.method.as_deref());
        let mut programs = self.programs.iter();
        let program = programs.find(|(method, _)| *method == self.method);
        let (Some(finding), Some((_, program))) = (finding, program) else {
            return String::new();
        };
        let Some(evidence) = &finding.evidence else {
            return String::new();
        };
        let equal = match evidence.bound_ulps {
            0 => "equal to the bit".to_owned(),
            bound => format!(
                "within {:.1} units in the last place (the bound is {bound})",
                evidence.largest_ulps
            ),
        };
        let what = match &self.method {
            Some(method) => format!("{method} of {}", program.title()),
            None => program.title(),
        };
        let points = match finding.turning_points {
            0 => String::new(),
            points => format!(" and {points} turning points"),
        };
        format!(
            "{what}: proved on {} rows{points}, {equal}; {} rows that Python refuses go there{}",
            evidence.rows,
            evidence.refused + evidence.left,
            self.by_name(),
        )
    }

    /// Who scores the methods that a request may name.
    fn by_name(&self) -> String {
        let (native, python): (Vec<_>, Vec<_>) = self
            .verdict
            .others
            .iter()
            .partition(|(_, finding)| finding.refused.is_none());
        let mut told = String::new();
        if !native.is_empty() {
            let names: Vec<&str> = native.iter().map(|(name, _)| name.as_str()).collect();
            told += &format!("; by name: {}", names.join(", "));
        }
        for (name, finding) in python {
            let reason = finding.refused.as_deref().unwrap_or_default();
            told += &format!("; {name} goes to Python ({reason})");
        }
        told
    }
}

/// How long an export may take; the exporter's own patience is far below.
pub(crate) const EXPORT_LIMIT: Duration = Duration::from_secs(900);
