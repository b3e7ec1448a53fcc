//! `sluis demo`: a bundled model from folder to answer, each step shown with its time.

use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;

use crate::data_dir;
use crate::error::CliError;
use crate::model_arg::ModelArg;
use crate::recheck::RecheckArgs;
use crate::serve::{self, ServeArgs};
use crate::signals::Signals;
use crate::stage::StageArgs;
use crate::steps::Steps;

/// The bundled model: scikit-learn's diabetes data, made by `demo/train.py`.
const MODEL: &[(&str, &[u8])] = &[
    ("MLmodel", include_bytes!("../../../demo/diabetes/MLmodel")),
    (
        "conda.yaml",
        include_bytes!("../../../demo/diabetes/conda.yaml"),
    ),
    (
        "input_example.json",
        include_bytes!("../../../demo/diabetes/input_example.json"),
    ),
    (
        "model.skops",
        include_bytes!("../../../demo/diabetes/model.skops"),
    ),
    (
        "python_env.yaml",
        include_bytes!("../../../demo/diabetes/python_env.yaml"),
    ),
    (
        "requirements.txt",
        include_bytes!("../../../demo/diabetes/requirements.txt"),
    ),
    ("serving_input_example.json", EXAMPLE),
];

/// The request that is sent: the model's own example.
const EXAMPLE: &[u8] = include_bytes!("../../../demo/diabetes/serving_input_example.json");

/// Arguments of `sluis demo`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DemoArgs {
    /// End after the answer.
    #[arg(long)]
    once: bool,
    /// The port to listen on; 0 takes a free one.
    #[arg(short = 'p', long, default_value_t = 0)]
    port: u16,
    #[command(flatten)]
    stage: StageArgs,
}

pub(crate) async fn run(args: DemoArgs, data_dir: Option<PathBuf>) -> Result<(), CliError> {
    let mut signals = Signals::listen()?;
    let data_dir = data_dir::resolve(data_dir)?;
    let folder = data_dir.join("demo").join("diabetes");
    install(&folder).map_err(|error| {
        CliError::failed(format!(
            "the demo model cannot be written to '{}'",
            folder.display()
        ))
        .because(&error)
    })?;
    eprintln!(
        "sluis demo: a scikit-learn model of diabetes, from its MLflow folder to an answer\n"
    );
    let mut steps = Steps::new();
    let serve_args = serve_args(&args, &folder);
    let serving = tokio::select! {
        serving = serve::start(&serve_args, Some(data_dir), &mut steps) => serving?,
        signal = signals.next() => return Err(CliError::failed(format!("ended by {signal} before the model was served"))),
    };
    steps.begin(
        "score",
        &format!("POST http://{}/invocations", serving.address),
    );
    let answer = post(serving.address).await?;
    steps.done("score", "answered");
    show(serving.address, &answer);
    if !args.once {
        eprintln!("\nServing at http://{} until Ctrl-C.", serving.address);
        signals.next().await;
    }
    serving.stop().await
}

fn install(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in MODEL {
        let path = folder.join(name);
        if fs::read(&path).ok().as_deref() != Some(*bytes) {
            let file = tempfile::NamedTempFile::new_in(folder)?;
            fs::write(file.path(), bytes)?;
            file.persist(path)?;
        }
    }
    Ok(())
}

fn serve_args(args: &DemoArgs, folder: &Path) -> ServeArgs {
    ServeArgs {
        model: ModelArg::of(folder),
        host: "127.0.0.1".to_owned(),
        port: args.port,
        workers: NonZeroUsize::MIN,
        warm_python: false,
        timeout: 60,
        max_requests: NonZeroUsize::MIN.saturating_add(1023),
        max_body_size: 100,
        model_name: None,
        model_version: None,
        recheck: RecheckArgs::default(),
        stage: args.stage.clone(),
    }
}

/// Sends the example over HTTP, as any caller would; the answer's body.
async fn post(address: SocketAddr) -> Result<String, CliError> {
    let problem =
        |error: &dyn std::error::Error| CliError::failed("the demo request failed").because(error);
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .map_err(|error| problem(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| problem(&error))?;
    tokio::spawn(connection);
    let request = Request::post("/invocations")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(EXAMPLE)))
        .map_err(|error| problem(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| problem(&error))?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|error| problem(&error))?
        .to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() {
        Ok(text)
    } else {
        Err(CliError::failed(format!(
            "the demo request was answered with {status}: {text}"
        )))
    }
}

fn show(address: SocketAddr, answer: &str) {
    let example: Result<serde_json::Value, _> = serde_json::from_slice(EXAMPLE);
    let compact = example
        .map(|example| example.to_string())
        .unwrap_or_default();
    println!(
        "\nrequest:\n  curl http://{address}/invocations -H 'Content-Type: application/json' -d '{compact}'"
    );
    println!("\nanswer:\n  {answer}");
}
