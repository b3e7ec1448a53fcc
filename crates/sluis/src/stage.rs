//! From a model folder to instances that are up: what `serve`, `predict` and `demo` share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use sluis_gateway::Methods;
use sluis_mlflow::contract::{Layout, Strictness};
use sluis_mlflow::model::Model;
use sluis_mlflow::{Contract, Decoded, RawRequest, Work};
use sluis_scoring::{LazyPythonScorer, Trust};
use sluis_worker::{Export, Guardian, Instance, Program, Ready, Warmed, WorkerConfig};

use crate::environment::{self, EnvironmentOptions};
use crate::error::CliError;
use crate::native::{self, Candidate, EXPORT_LIMIT, Proved};
use crate::steps::Steps;

/// How a model is brought up.
#[derive(Args, Clone, Debug)]
pub(crate) struct StageArgs {
    #[command(flatten)]
    pub(crate) environment: EnvironmentOptions,
    /// Who scores. `auto`: Rust where it was proved equal to the model's Python, else Python.
    #[arg(long, value_enum, default_value_t = ScorerChoice::Auto)]
    pub(crate) scorer: ScorerChoice,
    /// What becomes of values that fit the signature only by a cast: `mlflow` does as MLflow's server, `azure` answers
    /// /score as Azure does for MLflow models deployed without code, `strict` refuses casts that lose or surprise.
    #[arg(long, value_name = "LEVEL", default_value_t, value_parser = PossibleValuesParser::new(Strictness::ALL.map(Strictness::name)).try_map(|name| name.parse::<Strictness>()))]
    pub(crate) strictness: Strictness,
    /// The method of the model that scores, such as predict_proba, margin or transform, instead of the function that it was
    /// logged with. docs/methods.md lists which models have which; a request may name another.
    #[arg(long, value_name = "NAME")]
    pub(crate) method: Option<String>,
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
    /// Rust; an error where it cannot be proved equal to Python. Where a live answer turns out not to be, Python takes over all
    /// the same.
    Native,
}

/// A model that can be asked.
pub(crate) struct Staged {
    pub(crate) model: Model,
    pub(crate) contract: Arc<Contract>,
    pub(crate) scorers: Scorers,
    pub(crate) mlflow_version: String,
    /// The methods of the model, and the one that is asked.
    pub(crate) methods: Methods,
    /// Its last handle ends the guardian: to be kept as long as the instances.
    pub(crate) guardian: Guardian,
}

/// Who scores.
pub(crate) enum Scorers {
    /// Python instances that are up.
    Python(Vec<Instance>),
    /// A program; what it leaves to Python starts a process.
    Native {
        proved: Box<Proved>,
        launch: Box<Launch>,
    },
}

/// How instances are made.
#[derive(Clone)]
pub(crate) struct Launch {
    config: WorkerConfig,
    guardian: Guardian,
    example: Option<Work>,
}

impl Launch {
    /// An instance that is down.
    pub(crate) fn instance(&self, index: usize) -> Instance {
        let mut config = self.config.clone();
        config.instance = index.to_string();
        Instance::new(config, self.guardian.clone(), self.example.clone())
    }

    /// A scorer that starts its process when it is needed, or at once and for good where it is kept `warm`.
    pub(crate) fn lazy(&self, index: usize, warm: bool, trust: Trust) -> LazyPythonScorer {
        let launch = self.clone();
        let idle = (!warm).then_some(IDLE);
        LazyPythonScorer::new(move || launch.instance(index), idle, trust)
    }
}

/// A Python process that stands behind a program ends after this long without work.
const IDLE: Duration = Duration::from_secs(300);

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

/// Finds or makes what scores a model: a proved program, or `count` Python instances that are up.
pub(crate) async fn stage(
    model: Model,
    args: &StageArgs,
    count: usize,
    data_dir: &Path,
    steps: &mut Steps,
) -> Result<Staged, CliError> {
    args.strictness.admits(&model).map_err(|why| {
        CliError::failed("this model cannot be served with --strictness azure")
            .because(&why)
            .hint("leave --strictness out: MLflow's own rules know such columns")
    })?;
    args.environment.check()?;
    let guardian = Guardian::start()
        .map_err(|error| CliError::failed("no worker can be started").because(&error))?;
    let program = Program::install(data_dir)
        .map_err(|error| CliError::failed("no worker can be started").because(&error))?;
    let mut staging = Staging {
        contract: Contract::compile(&model).with_strictness(args.strictness),
        model,
        args,
        data_dir,
        steps,
        guardian,
        program,
        python: None,
    };
    if args.scorer != ScorerChoice::Python {
        match staging.native().await? {
            Ok(proved) => return staging.proved(proved),
            Err(reason) if args.scorer == ScorerChoice::Native => {
                return Err(
                    CliError::failed(format!("Rust cannot score this model: {reason}"))
                        .hint("with --scorer auto, Python scores it"),
                );
            }
            Err(reason) => staging
                .steps
                .done("native", &format!("Python scores: {reason}")),
        }
    }
    staging.instances(count).await
}

/// A model on its way.
struct Staging<'a> {
    model: Model,
    contract: Contract,
    args: &'a StageArgs,
    data_dir: &'a Path,
    steps: &'a mut Steps,
    guardian: Guardian,
    program: Program,
    /// The interpreter, once it is known.
    python: Option<PathBuf>,
}

impl Staging<'_> {
    /// The interpreter of the model's environment, which is built if need be.
    async fn python(&mut self) -> Result<PathBuf, CliError> {
        if let Some(python) = &self.python {
            return Ok(python.clone());
        }
        let options = &self.args.environment;
        let python =
            environment::python_of(&self.model, options, self.data_dir, self.steps).await?;
        self.python = Some(python.clone());
        Ok(python)
    }

    /// A proved program, or why there is none. What was found out before is not found out again.
    async fn native(&mut self) -> Result<Result<Proved, String>, CliError> {
        let method = self.args.method.as_deref();
        let candidate = match Candidate::of(&self.model, &self.contract) {
            Ok(candidate) => candidate,
            Err(reason) => return Ok(Err(reason)),
        };
        let options = &self.args.environment;
        let (place, found) = match native::find(&self.model, options, self.data_dir) {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(found) = found {
            return Ok(found.outlook(method));
        }
        let export = Export {
            python: self.python().await?,
            program: self.program.clone(),
            limit: EXPORT_LIMIT,
        };
        self.steps.begin(
            "native",
            "the model is exported, and compared with its Python on thousands of rows; once",
        );
        let found = native::make(&self.model, &candidate, &export, &place, &self.guardian).await;
        Ok(found.and_then(|found| found.outlook(method)))
    }

    fn launch(&self, python: PathBuf) -> Launch {
        Launch {
            config: WorkerConfig {
                python,
                program: self.program.clone(),
                model: self.model.folder.clone(),
                columns: self.contract.columns().cloned(),
                raw_eager: self.wants_application()
                    && matches!(self.contract.layout(), Layout::Python(_)),
                env: Vec::new(),
                instance: String::new(),
                start_timeout: Duration::from_secs(self.args.start_timeout),
                max_body: MAX_WORKER_BODY,
            },
            guardian: self.guardian.clone(),
            example: example(&self.model, &self.contract)
                .map(|work| work.with_method(self.args.method.as_deref())),
        }
    }

    /// Whether MLflow's own application is among what answers: Azure's dialect does without.
    fn wants_application(&self) -> bool {
        self.args.strictness != Strictness::Azure
    }

    fn proved(self, proved: Proved) -> Result<Staged, CliError> {
        let methods = methods(&proved.verdict.methods, self.args.method.as_deref())?;
        self.steps.done("native", &proved.sentence());
        let mut launch = self.launch(proved.verdict.python.clone());
        // Whatever starts it is a payload that Rust did not decode.
        launch.config.raw_eager = self.wants_application();
        let mlflow_version = proved
            .verdict
            .version("mlflow")
            .unwrap_or_default()
            .to_owned();
        Ok(Staged {
            methods,
            contract: Arc::new(beside(self.contract, &|name| proved.verdict.version(name))),
            model: self.model,
            scorers: Scorers::Native {
                proved: Box::new(proved),
                launch: Box::new(launch),
            },
            mlflow_version,
            guardian: self.guardian,
        })
    }

    /// Starts Python instances.
    async fn instances(mut self, count: usize) -> Result<Staged, CliError> {
        let python = self.python().await?;
        let plural = if count == 1 { "" } else { "es" };
        self.steps
            .begin("load", &format!("{count} Python process{plural}"));
        let launch = self.launch(python);
        let mut starting = tokio::task::JoinSet::new();
        for index in 0..count {
            let mut instance = launch.instance(index);
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
        let methods = methods(&ready.methods, self.args.method.as_deref())?;
        tell(&ready, &warmed, self.steps);
        let versions = &ready.versions;
        let contract = beside(self.contract, &|name| match name {
            "mlflow" => versions.mlflow.as_deref(),
            "pandas" => versions.pandas.as_deref(),
            _ => versions.numpy.as_deref(),
        });
        let mlflow_version = ready.versions.mlflow.unwrap_or_default();
        Ok(Staged {
            methods,
            contract: Arc::new(contract),
            model: self.model,
            scorers: Scorers::Python(instances),
            mlflow_version,
            guardian: self.guardian,
        })
    }
}

/// The contract beside the packages of the model's environment: what is refused, and in which words, depends on them.
fn beside<'a>(contract: Contract, version: &dyn Fn(&str) -> Option<&'a str>) -> Contract {
    contract
        .beside(version("mlflow").unwrap_or_default())
        .with_pandas(version("pandas").unwrap_or_default())
        .with_numpy(version("numpy").unwrap_or_default())
}

/// The model's methods with the one of the command line chosen.
fn methods(known: &[String], asked: Option<&str>) -> Result<Methods, CliError> {
    let methods = Methods::of(known.to_vec());
    let Some(name) = asked else {
        return Ok(methods);
    };
    methods.choose(name).map_err(|problem| {
        CliError::usage(problem.to_string()).hint("give another --method, or none")
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
    let methods = match ready.methods.join(", ") {
        names if names.is_empty() => String::new(),
        names => format!("; methods: {names}"),
    };
    steps.done("load", &format!("{versions}; {tried}{methods}"));
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
