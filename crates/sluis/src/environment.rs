//! The environment of a model: the options of every command that needs one, and the interpreter that they lead to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use sluis_environment::{
    Cancel, Environment, Environments, ModelFiles, Progress, PythonPolicy, Settings, Spec, Step,
    Version, local, read_spec,
};
use sluis_mlflow::model::Model;

use crate::data_dir;
use crate::error::CliError;
use crate::model_arg::ModelArg;
use crate::steps::Steps;

/// Arguments of `sluis environment`.
#[derive(Args, Clone, Debug)]
pub(crate) struct EnvironmentArgs {
    #[command(subcommand)]
    command: EnvironmentCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum EnvironmentCommand {
    /// Build a model's environment ahead of its first use: what `mlflow models prepare-env` does.
    Build(BuildArgs),
}

#[derive(Args, Clone, Debug)]
struct BuildArgs {
    #[command(flatten)]
    model: ModelArg,
    /// Print the path of the environment's Python on standard output.
    #[arg(long)]
    print_python: bool,
    #[command(flatten)]
    options: EnvironmentOptions,
}

/// Where a model's Python comes from.
#[derive(Args, Clone, Debug)]
pub(crate) struct EnvironmentOptions {
    /// Who makes the environment.
    #[arg(long, value_enum, default_value_t = EnvManager::Uv)]
    pub(crate) env_manager: EnvManager,
    /// The interpreter for --env-manager local [default: python3 on PATH].
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,
    /// The Python version of the environment, instead of the model's own.
    #[arg(long, value_name = "X.Y", value_parser = parse_version)]
    pub(crate) python_version: Option<Version>,
    /// What happens when the model's Python cannot be had.
    #[arg(long, value_enum, default_value_t = Policy::Nearest)]
    pub(crate) python_version_policy: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvManager {
    /// Built by uv from the model's own requirements, and kept. (`virtualenv` means the same here.)
    #[value(alias = "virtualenv")]
    Uv,
    /// A Python that has all it needs, as it is.
    Local,
    /// Not yet: conda packages come with a later version.
    Conda,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// The nearest newer minor version that solves, with a warning.
    Nearest,
    /// An error.
    Exact,
}

fn parse_version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "a version such as 3.11 is expected".to_owned())
}

impl EnvironmentOptions {
    /// The environments of a data folder under these options.
    pub(crate) fn environments(&self, data_dir: &Path) -> Environments {
        Environments::new(Settings {
            data_dir: data_dir.to_owned(),
            policy: match self.python_version_policy {
                Policy::Nearest => PythonPolicy::Nearest,
                Policy::Exact => PythonPolicy::Exact,
            },
            python_version: self.python_version,
        })
    }

    /// Refuses options that contradict each other, since one of them would be ignored.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        match self.env_manager {
            EnvManager::Uv if self.python.is_some() => {
                Err(CliError::usage("--python needs --env-manager local")
                    .hint("choose the version of a built environment with --python-version"))
            }
            EnvManager::Local if self.python_version.is_some() => Err(CliError::usage(
                "--python-version has no meaning for --env-manager local",
            )
            .hint("give the interpreter with --python")),
            EnvManager::Conda => Err(CliError::usage(
                "building with conda is not supported yet",
            )
            .hint("use uv, which installs the model's pip requirements, or local with a conda environment of your own and --python")),
            _ => Ok(()),
        }
    }

    /// The interpreter of `--env-manager local`.
    pub(crate) fn local_python(&self) -> PathBuf {
        self.python
            .clone()
            .unwrap_or_else(|| PathBuf::from("python3"))
    }
}

/// Where a model's folder describes its environment.
pub(crate) fn files(model: &Model) -> ModelFiles {
    ModelFiles {
        folder: model.folder.clone(),
        conda_file: model.python_function.conda_env.clone(),
        python_env_file: model.python_function.python_env.clone(),
        python_version: model.python_function.python_version.clone(),
        mlflow_version: model.mlflow_version.clone(),
    }
}

/// `sluis environment`.
pub(crate) async fn run(args: EnvironmentArgs, data_dir: Option<PathBuf>) -> Result<(), CliError> {
    let EnvironmentCommand::Build(args) = args.command;
    let data_dir = data_dir::resolve(data_dir)?;
    let model = Model::open(args.model.location())?;
    let mut signals = crate::signals::Signals::listen()?;
    let mut steps = Steps::new();
    let python = tokio::select! {
        python = python_of(&model, &args.options, &data_dir, &mut steps) => python?,
        signal = signals.next() => return Err(CliError::failed(format!("ended by {signal} before the environment was built"))),
    };
    if args.print_python {
        println!("{}", python.display());
    }
    Ok(())
}

/// The interpreter that a model is served by: found, or built now. Dropping the future stops a build.
pub(crate) async fn python_of(
    model: &Model,
    options: &EnvironmentOptions,
    data_dir: &Path,
    steps: &mut Steps,
) -> Result<PathBuf, CliError> {
    options.check()?;
    let spec = read_spec(&files(model)).map_err(|error| {
        CliError::usage("the model's environment cannot be read").because(&error)
    })?;
    let cancel = Cancel::default();
    let _stop = StopOnDrop(cancel.clone());
    let (options, data_dir) = (options.clone(), data_dir.to_owned());
    let work = tokio::task::spawn_blocking(move || ready(&spec, &options, &data_dir, &cancel));
    let environment = work.await.map_err(|error| {
        CliError::failed("the environment could not be built").because(&error)
    })??;
    let made = match (&environment.digest, environment.reused) {
        (None, _) => "as it is",
        (Some(_), true) => "built before",
        (Some(_), false) => "built now",
    };
    let text = format!(
        "Python {}, {} packages, {made}",
        environment.version,
        environment.packages.len()
    );
    steps.done("environment", &text);
    for warning in &environment.warnings {
        steps.warn(warning);
    }
    Ok(environment.python)
}

fn ready(
    spec: &Spec,
    options: &EnvironmentOptions,
    data_dir: &Path,
    cancel: &Cancel,
) -> Result<Environment, CliError> {
    match options.env_manager {
        EnvManager::Local => local(&options.local_python(), spec)
            .map_err(|error| CliError::failed("the environment does not do").because(&error)),
        EnvManager::Uv | EnvManager::Conda => options
            .environments(data_dir)
            .ensure(spec, cancel, &mut Shown)
            .map_err(|error| CliError::failed("the environment was not built").because(&error)),
    }
}

/// A build whose caller has gone is stopped.
struct StopOnDrop(Cancel);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Shows the steps of a build.
struct Shown;

impl Progress for Shown {
    fn begin(&mut self, step: &Step) {
        eprintln!("  … {:<12} {}", "environment", describe(step));
    }

    fn done(&mut self, step: &Step, time: Duration) {
        eprintln!(
            "  ✓ {:<12} {}  ({:.2} s)",
            "environment",
            describe(step),
            time.as_secs_f64()
        );
    }

    fn warn(&mut self, text: &str) {
        eprintln!("  ! {text}");
    }
}

fn describe(step: &Step) -> String {
    match step {
        Step::FetchUv => "uv is fetched with pip, once".to_owned(),
        Step::FetchPython(version) => format!("Python {version} is fetched by uv"),
        Step::Wait => "another process builds the same environment".to_owned(),
        Step::Solve => "requirements are solved".to_owned(),
        Step::Install(packages) => format!("{packages} packages are installed"),
    }
}
