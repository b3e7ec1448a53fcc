//! A worker: one process, one model, one piece of work at a time.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sluis_mlflow::{Answer, Work};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::control::{Order, Ready, Report};
use crate::error::{CallError, StartError};
use crate::exchange;
use crate::frame;
use crate::guardian::Guardian;
use crate::process::{Launch, Process};
use crate::program::Program;
use crate::protocol::{MAX_LINE, VERSION};

/// How to start a worker.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The interpreter of the model's environment.
    pub python: PathBuf,
    /// The worker program.
    pub program: Program,
    /// The model folder.
    pub model: PathBuf,
    /// Column names of dense frames.
    pub columns: Option<Arc<[String]>>,
    /// Whether payloads are expected to come as they came, so that MLflow's application is built at once.
    pub raw_eager: bool,
    /// Environment variables in addition to ours.
    pub env: Vec<(OsString, OsString)>,
    /// The name of the instance in logs.
    pub instance: String,
    /// How long loading may take.
    pub start_timeout: Duration,
    /// Bytes of one body, either way.
    pub max_body: usize,
}

/// A process that has loaded its model.
pub struct Worker {
    process: Process,
    control: BufReader<UnixStream>,
    data: UnixStream,
    max_body: usize,
    calls: u64,
}

impl Worker {
    /// Starts the process and waits until the model is loaded.
    pub async fn start(config: &WorkerConfig, guardian: &Guardian) -> Result<(Self, Ready), StartError> {
        let launch = Launch {
            python: &config.python,
            program: &config.program,
            env: &config.env,
            instance: &config.instance,
        };
        let (process, channels) = Process::start(&launch, guardian).map_err(|source| StartError::Spawn {
            python: config.python.display().to_string(),
            source,
        })?;
        let mut worker = Self {
            process,
            control: BufReader::new(channels.control),
            data: channels.data,
            max_body: config.max_body,
            calls: 0,
        };
        let ready = timeout(config.start_timeout, worker.handshake(config)).await;
        match ready {
            Ok(Ok(ready)) => Ok((worker, ready)),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                worker.process.kill().await;
                Err(StartError::TimedOut {
                    limit: config.start_timeout,
                    stderr: worker.process.stderr.take(),
                })
            }
        }
    }

    async fn handshake(&mut self, config: &WorkerConfig) -> Result<Ready, StartError> {
        let python = match self.report().await? {
            Report::Hello { protocol, .. } if protocol != VERSION => {
                return Err(StartError::Protocol {
                    found: protocol,
                    expected: VERSION,
                });
            }
            Report::Hello { python, .. } => python,
            other => return Err(StartError::Garbled(format!("expected its hello, got {other:?}"))),
        };
        let order = Order::Load {
            protocol: VERSION,
            model: &config.model.to_string_lossy(),
            columns: config.columns.as_deref(),
            raw: if config.raw_eager { "eager" } else { "lazy" },
            max_body: config.max_body,
        };
        if self.order(&order).await.is_err() {
            return Err(self.ended_early().await);
        }
        match self.report().await? {
            Report::Ready(ready) => Ok(Ready {
                python,
                versions: ready.versions,
                load_ms: ready.load_ms,
            }),
            Report::Failed { stage, class, message } => Err(StartError::Model { stage, class, message }),
            other @ Report::Hello { .. } => Err(StartError::Garbled(format!("expected its readiness, got {other:?}"))),
        }
    }

    async fn report(&mut self) -> Result<Report, StartError> {
        let mut line = Vec::new();
        let read = (&mut self.control).take(MAX_LINE as u64).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return Err(self.ended_early().await);
        }
        serde_json::from_slice(&line).map_err(|error| StartError::Garbled(error.to_string()))
    }

    async fn order(&mut self, order: &Order<'_>) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.control.get_mut().write_all(&line).await
    }

    async fn ended_early(&mut self) -> StartError {
        // It closed its channel; the end of the process follows, or is made to follow.
        let ended = timeout(Duration::from_secs(5), self.process.ended()).await;
        let ending = match ended {
            Ok(ending) => ending,
            Err(_) => self.process.kill().await,
        };
        StartError::Ended {
            ending: ending.to_string(),
            stderr: self.process.stderr.take(),
        }
    }

    /// Scores one piece of work. After [`CallError::TimedOut`] and [`CallError::Ended`] the process is gone, and every
    /// further call is answered with `Ended`.
    pub async fn call(&mut self, work: &Work, deadline: Instant) -> Result<Answer, CallError> {
        match timeout_at(deadline, self.exchange(work)).await {
            Ok(Ok(answer)) => answer.map_err(CallError::Raised),
            Ok(Err(cause)) => {
                let ending = timeout(Duration::from_millis(500), self.process.ended()).await;
                let ending = match ending {
                    Ok(ending) => ending,
                    Err(_) => self.process.kill().await,
                };
                Err(CallError::Ended {
                    cause: format!("{cause}; {ending}"),
                })
            }
            Err(_) => {
                self.process.kill().await;
                Err(CallError::TimedOut)
            }
        }
    }

    async fn exchange(&mut self, work: &Work) -> Result<Result<Answer, sluis_mlflow::Raised>, String> {
        self.calls += 1;
        let call = exchange::call(work).map_err(|error| error.to_string())?;
        frame::write(&mut self.data, call.kind, self.calls, &call.head, &call.bodies)
            .await
            .map_err(|error| error.to_string())?;
        let (header, head, body) =
            frame::read(&mut self.data, self.max_body).await.map_err(|error| error.to_string())?;
        if header.call_id != self.calls {
            return Err(format!("it answered call {} instead of {}", header.call_id, self.calls));
        }
        exchange::answer(header.kind, &head, body).map_err(|error| error.to_string())
    }

    /// Waits for the end of the process. Cancel-safe.
    pub async fn ended(&mut self) -> String {
        self.process.ended().await.to_string()
    }

    /// Lets a running call finish and ends the process; after `grace` by force, with its whole group.
    pub async fn stop(mut self, grace: Duration) {
        let asked = self.order(&Order::Stop).await.is_ok();
        if !asked || timeout(grace, self.process.ended()).await.is_err() {
            tracing::debug!("a worker did not end by itself");
        }
        self.process.kill().await;
    }
}
