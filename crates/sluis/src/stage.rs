//! From a model folder to instances that are up: what `serve`, `predict` and `demo` share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sluis_mlflow::contract::Layout;
use sluis_mlflow::model::Model;
use sluis_mlflow::{Contract, Decoded, RawRequest, Work};
use sluis_worker::{Guardian, Instance, Program, Ready, Warmed, WorkerConfig};

use crate::environment::{self, EnvironmentOptions};
use crate::error::CliError;
use crate::steps::Steps;

/// How a model is brought up.
#[derive(Args, Clone, Debug)]
pub(crate) struct StageArgs {
    #[command(flatten)]
    pub(crate) environment: EnvironmentOptions,
    /// Who scores. `auto` chooses the fastest that is proved equal to Python; today that is Python itself.
    #[arg(long, value_enum, default_value_t = ScorerChoice::Auto)]
    pub(crate) scorer: ScorerChoice,
    /// Seconds that a model may take to load.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) start_timeout: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScorerChoice {
    /// The fastest one that is equal to Python.
    Auto,
    /// The model's own Python.
    Python,
    /// Not yet: scoring in Rust comes with a later version.
    Native,
}

/// A model whose instances are up.
pub(crate) struct Staged {
    pub(crate) model: Model,
    pub(crate) contract: Arc<Contract>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) ready: Ready,
    /// Its last handle ends the guardian: to be kept as long as the instances.
    pub(crate) guardian: Guardian,
}

/// The largest body between this process and a worker; requests are limited far below.
const MAX_WORKER_BODY: usize = 2 << 30;

/// Reads the model at `location`; refuses one whose files are missing.
pub(crate) fn open(location: &str) -> Result<Model, CliError> {
    let model = Model::open(location)?;
    if let Some(file) = model.missing_files.first() {
        let message = format!(
            "the model in '{}' lacks the file '{file}' that its MLmodel names",
            model.folder.display()
        );
        return Err(CliError::usage(message)
            .hint("copy the whole folder; 'sluis plan' lists everything that is missing"));
    }
    Ok(model)
}

/// Builds the environment of a model and starts `count` instances.
pub(crate) async fn stage(
    model: Model,
    args: &StageArgs,
    count: usize,
    data_dir: &Path,
    steps: &mut Steps,
) -> Result<Staged, CliError> {
    if args.scorer == ScorerChoice::Native {
        return Err(CliError::usage("native scoring is not in this version")
            .hint("--scorer auto takes it up by itself where it will be proved equal"));
    }
    let python = environment::python_of(&model, &args.environment, data_dir, steps).await?;
    steps.begin(
        "load",
        &format!(
            "{count} Python process{}",
            if count == 1 { "" } else { "es" }
        ),
    );
    let contract = Contract::compile(&model);
    let guardian = Guardian::start()
        .map_err(|error| CliError::failed("no worker can be started").because(&error))?;
    let program = Program::install(data_dir)
        .map_err(|error| CliError::failed("no worker can be started").because(&error))?;
    let config = |index: usize| WorkerConfig {
        python: python.clone(),
        program: program.clone(),
        model: model.folder.clone(),
        columns: contract.columns().cloned(),
        raw_eager: matches!(contract.layout(), Layout::Python(_)),
        env: Vec::new(),
        instance: index.to_string(),
        start_timeout: Duration::from_secs(args.start_timeout),
        max_body: MAX_WORKER_BODY,
    };
    let example = example(&model, &contract);
    let mut starting = tokio::task::JoinSet::new();
    for index in 0..count {
        let mut instance = Instance::new(config(index), guardian.clone(), example.clone());
        starting.spawn(async move {
            let started = instance.start().await;
            (instance, started)
        });
    }
    let (mut instances, mut first) = (Vec::with_capacity(count), None);
    while let Some(joined) = starting.join_next().await {
        let (instance, started) = joined
            .map_err(|error| CliError::failed("an instance failed to start").because(&error))?;
        first = started?.or(first);
        instances.push(instance);
    }
    let (ready, warmed) = first.ok_or_else(|| CliError::failed("no instance was started"))?;
    let version = ready.versions.mlflow.as_deref().unwrap_or_default();
    let pandas = ready.versions.pandas.as_deref().unwrap_or_default();
    let numpy = ready.versions.numpy.as_deref().unwrap_or_default();
    let contract = contract.beside(version).with_pandas(pandas);
    let contract = Arc::new(contract.with_numpy(numpy));
    tell(&ready, &warmed, steps);
    Ok(Staged {
        model,
        contract,
        instances,
        ready,
        guardian,
    })
}

fn tell(ready: &Ready, warmed: &Warmed, steps: &mut Steps) {
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
    let versions = format!(
        "Python {}, MLflow {}, pandas {}",
        ready.python,
        version(&ready.versions.mlflow),
        version(&ready.versions.pandas)
    );
    let tried = match warmed {
        Warmed::NoExample => "the model has no input example to try",
        Warmed::Scored(_) => "its input example was scored",
        Warmed::Raised(_) => "its input example was NOT scored",
    };
    steps.done("load", &format!("{versions}; {tried}"));
    if let Warmed::Raised(raised) = warmed {
        steps.warn(&format!(
            "the model raised on its own input example: {raised}"
        ));
    }
}

/// The model's own example, as the work that it is when a caller sends it.
fn example(model: &Model, contract: &Contract) -> Option<Work> {
    let request = model.example_request()?;
    Some(match contract.decode_json(&request.body) {
        Decoded::Call(call) => Work::Call(call),
        // A model that refuses its own example says so itself.
        Decoded::Refused(_) | Decoded::AsItCame => {
            Work::Raw(RawRequest::invocation("application/json", request.body))
        }
    })
}
