//! `sluis serve`: one model over HTTP, with the option names of `mlflow models serve`.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use prometheus_client::registry::Registry;
use sluis_gateway::{GatewayMetrics, Identity, Limits, Served, Server, router};
use sluis_mlflow::Params;
use sluis_mlflow::describe::{Subject, Swagger, openapi};
use sluis_mlflow::model::Model;
use sluis_scoring::{
    Drained, NativeScorer, PythonScorer, ScoringConfig, ScoringMetrics, ScoringService, Trust,
};
use tokio_util::sync::CancellationToken;

use crate::data_dir;
use crate::error::CliError;
use crate::model_arg::ModelArg;
use crate::recheck::RecheckArgs;
use crate::signals::Signals;
use crate::stage::{self, ScorerChoice, Scorers, StageArgs, Staged};
use crate::steps::Steps;

/// How long a stopping server waits for requests in work, in addition to their own time limit at most.
const DRAIN_GRACE: Duration = Duration::from_secs(30);

/// What is left of that at least for requests whose connections took all of it.
const LAST_GRACE: Duration = Duration::from_millis(500);

/// Arguments of `sluis serve`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,
    /// The address to listen on.
    #[arg(short = 'h', long, env = "MLFLOW_HOST", default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// The port to listen on; 0 takes a free one.
    #[arg(short = 'p', long, env = "MLFLOW_PORT", default_value_t = 5000)]
    pub(crate) port: u16,
    /// Python processes, each with a copy of the model. Where Rust scores: so many at most, and only while they are needed.
    #[arg(short = 'w', long, env = "MLFLOW_MODELS_WORKERS", default_value = "1")]
    pub(crate) workers: NonZeroUsize,
    /// Where Rust scores: start one of them at once and keep it, so that the first payload that Rust leaves to Python need not
    /// wait until the model is loaded. Takes the memory that native scoring saves.
    #[arg(long)]
    pub(crate) warm_python: bool,
    /// Seconds until a request without an answer ends with 504.
    #[arg(short = 't', long, env = "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub(crate) timeout: u64,
    /// Requests that may be waiting or in work; one more is answered with 429 at once.
    #[arg(long, value_name = "COUNT", default_value = "1024")]
    pub(crate) max_requests: NonZeroUsize,
    /// Megabytes of a request body; a larger one is answered with 413.
    #[arg(long, value_name = "MB", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=2047))]
    pub(crate) max_body_size: u32,
    /// The model's name in /v1/models/{name} and /v2/models/{name}; that of its registry, else of its folder, when left out.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) model_name: Option<String>,
    /// The model's version in those routes; that of its registry, else 1, when left out.
    #[arg(long, value_name = "VERSION", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) model_version: Option<String>,
    #[command(flatten)]
    pub(crate) recheck: RecheckArgs,
    #[command(flatten)]
    pub(crate) stage: StageArgs,
}

/// A model that is being served.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    service: ScoringService,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
    timeout: Duration,
    /// Outlives the instances: its last handle ends the guardian.
    _guardian: sluis_worker::Guardian,
}

pub(crate) async fn run(args: ServeArgs, data_dir: Option<PathBuf>) -> Result<(), CliError> {
    let mut signals = Signals::listen()?;
    let mut steps = Steps::new();
    let started = tokio::select! {
        started = start(&args, data_dir, &mut steps) => started?,
        signal = signals.next() => return Err(CliError::failed(format!("ended by {signal} before the model was served"))),
    };
    tracing::info!(address = %started.address, "ready: POST http://{}/invocations", started.address);
    let signal = signals.next().await;
    tracing::info!(signal, "stopping: requests in work are finished first");
    tokio::select! {
        stopped = started.stop() => stopped,
        signal = signals.next() => Err(CliError::failed(format!("ended at once by a second {signal}"))),
    }
}

/// Brings a model up and answers callers.
pub(crate) async fn start(
    args: &ServeArgs,
    data_dir: Option<PathBuf>,
    steps: &mut Steps,
) -> Result<Serving, CliError> {
    args.recheck.check(args.stage.scorer)?;
    if args.warm_python && args.stage.scorer == ScorerChoice::Python {
        let message = "--warm-python has no effect with --scorer python";
        return Err(
            CliError::usage(message).hint("leave one of them out: there, Python is always up")
        );
    }
    let data_dir = data_dir::resolve(data_dir)?;
    let model = stage::open(args.model.location())?;
    steps.done(
        "model",
        &format!("{} in '{}'", model.name, model.folder.display()),
    );
    // The port is taken first: a model that loads for a minute should not then find it taken.
    let server = Server::bind(resolve(&args.host, args.port)?)?;
    let staged = stage::stage(model, &args.stage, args.workers.get(), &data_dir, steps).await?;
    serve(args, server, staged)
}

fn serve(args: &ServeArgs, server: Server, staged: Staged) -> Result<Serving, CliError> {
    let address = server.address();
    let listening = server.listen()?;
    let timeout = Duration::from_secs(args.timeout);
    let config = ScoringConfig {
        max_requests: args.max_requests.get(),
        request_timeout: timeout,
        merge: staged.model.row_wise(),
        ..ScoringConfig::default()
    };
    let limits = Limits {
        max_body_bytes: (args.max_body_size as usize) << 20,
        ..Limits::default()
    };
    let mut registry = Registry::with_prefix("sluis");
    let scoring_metrics = ScoringMetrics::register(&mut registry);
    let metrics = GatewayMetrics::register(&mut registry);
    let defaults = staged.contract.params().plain_defaults();
    let service = service(args, staged.scorers, defaults, config, scoring_metrics);
    let identity = identity(args, &staged.model);
    let page = openapi(Subject {
        model: &staged.model,
        name: &identity.name,
        version: &identity.version,
        strictness: staged.contract.strictness(),
    });
    let served = Arc::new(Served {
        openapi: page,
        swagger: Swagger::of(&staged.model),
        contract: staged.contract,
        identity,
        methods: staged.methods,
        scoring: service.clone(),
        mlflow_version: staged.mlflow_version,
        limits,
        metrics,
        registry: Arc::new(registry),
    });
    let stop = CancellationToken::new();
    let running = listening.run(
        router(served),
        limits,
        stop.clone(),
        timeout.min(DRAIN_GRACE),
    );
    Ok(Serving {
        address,
        service,
        stop,
        server: tokio::spawn(running),
        timeout,
        _guardian: staged.guardian,
    })
}

/// What scores, behind its queue.
fn service(
    args: &ServeArgs,
    scorers: Scorers,
    defaults: Params,
    config: ScoringConfig,
    metrics: ScoringMetrics,
) -> ScoringService {
    match scorers {
        Scorers::Python(instances) => {
            let scorers = instances.into_iter().map(PythonScorer::new).collect();
            ScoringService::start(config, scorers, metrics)
        }
        Scorers::Native { proved, launch } => {
            let trust = Trust::default();
            let lazy = |index| launch.lazy(index, args.warm_python && index == 0, trust.clone());
            let scorers = (0..args.workers.get()).map(lazy).collect();
            let direct = Arc::new(NativeScorer::new(proved.programs(), defaults));
            let refuted = Box::new(move |difference: &str| proved.refute(difference));
            ScoringService::start(config, scorers, metrics).with_direct(
                direct,
                trust,
                args.recheck.config(),
                refuted,
            )
        }
    }
}

/// Name and version that callers know the model by.
fn identity(args: &ServeArgs, model: &Model) -> Identity {
    let mut identity = Identity::of(model);
    if let Some(name) = &args.model_name {
        identity.name.clone_from(name);
    }
    if let Some(version) = &args.model_version {
        identity.version.clone_from(version);
    }
    identity
}

impl Serving {
    /// Accepts no more, answers what is in work, ends the processes.
    pub(crate) async fn stop(self) -> Result<(), CliError> {
        // One deadline for both: connections end first, then what they were waiting for.
        let end = Instant::now() + self.timeout.min(DRAIN_GRACE);
        self.stop.cancel();
        self.server
            .await
            .map_err(|error| CliError::failed("the server ended early").because(&error))?;
        match self
            .service
            .drain(
                end.saturating_duration_since(Instant::now())
                    .max(LAST_GRACE),
            )
            .await
        {
            Drained::Clean => Ok(()),
            Drained::Interrupted(left) => Err(CliError::failed(format!(
                "{left} requests were still in work and were dropped"
            ))),
        }
    }
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, CliError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let found = (host, port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next());
    found.ok_or_else(|| {
        CliError::usage(format!("'{host}' is no address of this machine"))
            .hint("give one with --host, 127.0.0.1 say")
    })
}
