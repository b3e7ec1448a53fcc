//! From a model to a proved program, or to the reason why Python scores it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sluis_environment::read_spec;
use sluis_mlflow::model::Model;
use sluis_native::{Evidence, Program, prove};
use sluis_worker::{Export, Guardian, Program as WorkerProgram};

use super::cache::{Outcome, Place, Verdict};
use super::candidate::Candidate;
use crate::environment::{self, EnvManager, EnvironmentOptions};

/// A program that may be used.
pub(crate) struct Proved {
    pub(crate) program: Arc<Program>,
    pub(crate) verdict: Verdict,
}

/// How a model is scored.
pub(crate) type Outlook = Result<Proved, String>;

/// What was found out before about this model in its environment, if that still holds; and the place where it is kept.
pub(crate) fn find(
    model: &Model,
    options: &EnvironmentOptions,
    data_dir: &Path,
) -> Result<(Place, Option<Outlook>), String> {
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
    let found = place
        .load(&model.folder)
        .map(|(verdict, program)| match program {
            Some(program) => Ok(Proved {
                program: Arc::new(program),
                verdict,
            }),
            None => Err(verdict.refused.unwrap_or_default()),
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

/// Has the model's Python export it, proves the program, and keeps what was found.
pub(crate) async fn make(
    model: &Model,
    candidate: &Candidate,
    export: &Export,
    place: &Place,
    guardian: &Guardian,
) -> Outlook {
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
    let outcome = fs::read(workshop.path().join("outcome.json"))
        .map_err(|error| problem("the exporter left no outcome", &error))?;
    let outcome: Outcome = serde_json::from_slice(&outcome)
        .map_err(|error| problem("the exporter's outcome cannot be read", &error))?;
    if let Some(failed) = outcome.failed {
        return Err(format!("the export failed: {failed}"));
    }
    let mut verdict = Verdict::new(&outcome, &export.python);
    if verdict.refused.is_some() {
        return refuse(place, verdict);
    }
    let (folder, layout) = (workshop.path().to_owned(), candidate.layout.clone());
    let trial = candidate.is_graph().then(|| place.trial()).transpose()?;
    let model = model.folder.clone();
    let tried = tokio::task::spawn_blocking(move || attempt(&folder, &model, &layout)).await;
    drop(trial);
    match tried.map_err(|error| problem("the proof broke", &error))? {
        Ok((program, bytes, evidence)) => {
            verdict.class = Some(program.name().to_owned());
            verdict.evidence = Some(evidence);
            let verdict = place
                .keep(verdict, Some(&bytes))
                .map_err(|error| problem("the program cannot be kept", &error))?;
            Ok(Proved {
                program: Arc::new(program),
                verdict,
            })
        }
        Err(reason) => {
            verdict.refused = Some(format!("not proved equal to Python: {reason}"));
            refuse(place, verdict)
        }
    }
}

fn refuse(place: &Place, verdict: Verdict) -> Outlook {
    let reason = verdict.refused.clone().unwrap_or_default();
    if let Err(error) = place.keep(verdict, None) {
        tracing::warn!(%error, "the outcome of the export cannot be kept; the next start exports again");
    }
    Err(reason)
}

type Attempt = Result<(Program, Vec<u8>, Evidence), String>;

fn attempt(folder: &Path, model: &Path, layout: &sluis_native::Layout) -> Attempt {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let bytes = read("program")?;
    let program = Program::read_beside(&bytes, model).map_err(|error| error.to_string())?;
    let evidence = prove(&program, &read("sample")?, layout).map_err(|error| error.to_string())?;
    Ok((program, bytes, evidence))
}

impl Proved {
    /// What was proved, as one line.
    pub(crate) fn sentence(&self) -> String {
        let Some(evidence) = &self.verdict.evidence else {
            return String::new();
        };
        let equal = match evidence.bound_ulps {
            0 => "equal to the bit".to_owned(),
            bound => format!(
                "within {:.1} units in the last place (the bound is {bound})",
                evidence.largest_ulps
            ),
        };
        let points = match self.verdict.turning_points {
            0 => String::new(),
            points => format!(" and {points} turning points"),
        };
        format!(
            "{}: proved on {} rows{points}, {equal}; {} rows that Python refuses go there",
            self.program.title(),
            evidence.rows,
            evidence.refused + evidence.left,
        )
    }
}

/// How long an export may take; the exporter's own patience is far below.
pub(crate) const EXPORT_LIMIT: Duration = Duration::from_secs(900);
