//! `sluis predict`: a file in, a file out, with the option names of `mlflow models predict`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use sluis_mlflow::contract::Strictness;
use sluis_mlflow::encode::{self, EncodeError, Shape, Table, TableFormat};
use sluis_mlflow::{Answer, Contract, Decoded, HttpAnswer, RawRequest, Work, from_input_data};
use sluis_scoring::{DirectScorer, NativeScorer};
use sluis_worker::CallError;
use tokio::time::{Duration, Instant};

use crate::data_dir;
use crate::error::CliError;
use crate::model_arg::ModelArg;
use crate::stage::{self, Scorers, StageArgs, Staged};
use crate::steps::Steps;

/// Arguments of `sluis predict`.
#[derive(Args, Clone, Debug)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    model: ModelArg,
    /// The file to score; standard input when left out.
    #[arg(short = 'i', long, value_name = "FILE")]
    input_path: Option<PathBuf>,
    /// The file for the answer: .json as MLflow writes it, .jsonl, .csv or .parquet; standard output, as JSON, when left out.
    #[arg(short = 'o', long, value_name = "FILE")]
    output_path: Option<PathBuf>,
    /// The form of the input; by the file's ending when left out, else json.
    #[arg(short = 't', long, value_enum)]
    content_type: Option<ContentType>,
    /// Seconds that scoring may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    timeout: u64,
    #[command(flatten)]
    stage: StageArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ContentType {
    /// A request of MLflow's scoring protocol.
    Json,
    /// Comma-separated, with a header line.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl ContentType {
    fn of(path: Option<&Path>) -> Self {
        match path
            .and_then(Path::extension)
            .and_then(|ending| ending.to_str())
        {
            Some("csv") => ContentType::Csv,
            Some("parquet" | "pqt") => ContentType::Parquet,
            _ => ContentType::Json,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            ContentType::Json => "application/json",
            ContentType::Csv => "text/csv",
            ContentType::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// What is written.
#[derive(Clone, Copy)]
enum OutputForm {
    Json,
    Table(TableFormat),
}

impl OutputForm {
    fn of(path: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = path else {
            return Ok(OutputForm::Json);
        };
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("json") | None => Ok(OutputForm::Json),
            Some("jsonl") => Ok(OutputForm::Table(TableFormat::JsonLines)),
            Some("csv") => Ok(OutputForm::Table(TableFormat::Csv)),
            Some("parquet" | "pqt") => Ok(OutputForm::Table(TableFormat::Parquet)),
            Some(other) => Err(CliError::usage(format!(
                "an answer cannot be written as '.{other}'"
            ))
            .hint("end the output file in .json, .jsonl, .csv or .parquet")),
        }
    }
}

pub(crate) async fn run(args: PredictArgs, data_dir: Option<PathBuf>) -> Result<(), CliError> {
    let data_dir = data_dir::resolve(data_dir)?;
    let form = OutputForm::of(args.output_path.as_deref())?;
    let model = stage::open(args.model.location())?;
    let content_type = args
        .content_type
        .unwrap_or_else(|| ContentType::of(args.input_path.as_deref()));
    let body = read(args.input_path.as_deref())?;
    let mut steps = Steps::new();
    let staged = stage::stage(model, &args.stage, 1, &data_dir, &mut steps).await?;
    steps.begin(
        "score",
        &format!("{} bytes of {}", body.len(), content_type.media_type()),
    );
    let work = work(&staged.contract, content_type, body)?.with_method(staged.methods.chosen());
    let answer = accepted(answer(staged, &work, Duration::from_secs(args.timeout)).await?)?;
    steps.done("score", "answered");
    write(answer, form, args.output_path.as_deref())
}

/// Asks the program, and Python where there is none or it leaves the work to Python.
async fn answer(staged: Staged, work: &Work, limit: Duration) -> Result<Answer, CliError> {
    // Kept until the instance has ended.
    let _guardian = staged.guardian;
    let mut instance = match staged.scorers {
        Scorers::Python(mut instances) => instances
            .pop()
            .ok_or_else(|| CliError::failed("no instance was started"))?,
        Scorers::Native { proved, launch } => {
            let defaults = staged.contract.params().plain_defaults();
            let native = NativeScorer::new(proved.programs(), defaults);
            if let Work::Call(call) = work
                && let Some(answer) = native.score(call)
            {
                return Ok(answer);
            }
            let mut instance = launch.instance(0);
            instance.start().await?;
            instance
        }
    };
    let answer = instance.call(work, Instant::now() + limit).await;
    instance.stop(Duration::from_secs(5)).await;
    answer.map_err(call_error)
}

fn work(contract: &Contract, content_type: ContentType, body: Bytes) -> Result<Work, CliError> {
    let azure = contract.strictness() == Strictness::Azure && content_type == ContentType::Json;
    if azure && matches!(from_input_data(&body), Ok(Some(_))) {
        return Ok(Work::Raw(RawRequest::score(body)));
    }
    let decoded = match content_type {
        ContentType::Json => contract.decode_json(&body),
        ContentType::Csv => contract.decode_csv(&body),
        ContentType::Parquet => contract.decode_parquet(&body),
    };
    match decoded {
        Decoded::Call(call) => Ok(Work::Call(call)),
        Decoded::Refused(refusal) => Err(CliError::refused(refusal.message)),
        Decoded::AsItCame => {
            let request = RawRequest::invocation(content_type.media_type(), body);
            Ok(Work::Raw(request))
        }
    }
}

fn read(path: Option<&Path>) -> Result<Bytes, CliError> {
    let read = match path {
        Some(path) => fs::read(path),
        None => {
            let mut body = Vec::new();
            io::stdin().read_to_end(&mut body).map(|_| body)
        }
    };
    let name = path.map_or_else(
        || "standard input".to_owned(),
        |path| format!("'{}'", path.display()),
    );
    read.map(Bytes::from)
        .map_err(|error| CliError::usage(format!("{name} cannot be read")).because(&error))
}

fn call_error(error: CallError) -> CliError {
    match error {
        CallError::Raised(raised) => CliError::refused(format!("the model raised {raised}")),
        CallError::TimedOut => {
            CliError::failed("the model did not answer in time").hint("give it more with --timeout")
        }
        CallError::Ended { cause } => CliError::failed(format!(
            "the model's process ended while it scored: {cause}"
        )),
    }
}

/// The answer, unless MLflow's code refused the input.
fn accepted(answer: Answer) -> Result<Answer, CliError> {
    match answer {
        Answer::Http(HttpAnswer { status, body, .. }) if status >= 400 => {
            let cleaned = sluis_mlflow::without_private_parts(&body);
            let text = String::from_utf8_lossy(cleaned.as_deref().unwrap_or(&body)).into_owned();
            let document: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            let message = document
                .as_ref()
                .and_then(|document| document.get("message")?.as_str());
            Err(CliError::refused(
                message.unwrap_or(&text).trim().to_owned(),
            ))
        }
        Answer::Http(HttpAnswer { body, .. }) => Ok(Answer::Json(body)),
        other => Ok(other),
    }
}

fn write(answer: Answer, form: OutputForm, path: Option<&Path>) -> Result<(), CliError> {
    let problem = |error: &dyn std::error::Error| {
        let name = path.map_or_else(
            || "standard output".to_owned(),
            |path| format!("'{}'", path.display()),
        );
        CliError::failed(format!("{name} cannot be written")).because(error)
    };
    let Some(path) = path else {
        let mut out = io::stdout();
        return write_answer(answer, form, &mut out).map_err(|error| problem(&error));
    };
    // The answer stands under its name when it is complete, and not before.
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let file = tempfile::Builder::new()
        .prefix(".sluis-")
        .tempfile_in(folder)
        .map_err(|error| problem(&error))?;
    let mut out = BufWriter::new(file.as_file());
    write_answer(answer, form, &mut out).map_err(|error| problem(&error))?;
    out.flush().map_err(|error| problem(&error))?;
    drop(out);
    readable(file.as_file()).map_err(|error| problem(&error))?;
    file.persist(path).map_err(|error| problem(&error.error))?;
    Ok(())
}

/// Temporary files are the owner's alone; an answer has the rights of any new file.
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

fn write_answer(
    answer: Answer,
    form: OutputForm,
    out: &mut (impl Write + Send),
) -> Result<(), EncodeError> {
    match form {
        OutputForm::Json => {
            let body = encode::response(answer, Shape::Wrapped)?;
            Ok(out.write_all(&body)?)
        }
        OutputForm::Table(format) => Table::of(answer)?.write(format, out),
    }
}
