//! A worker: one process, one model, one piece of work at a time.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sluis_mlflow::{Answer, ErrorDocument, Raised, Work};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::control::{Order, Ready, Report};
use crate::error::{CallError, StartError};
use crate::exchange::{self, AnswerError};
use crate::frame::{self, FrameError};
use crate::guardian::Guardian;
use crate::process::{Launch, Process};
use crate::program::Program;
use crate::protocol::{MAX_HEAD, MAX_LINE, VERSION};

/// An answer up to this size is read with one system call.
const READ_AHEAD: usize = 64 << 10;

/// How long a process that closed its channel may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// The same for a process that was in a call: others wait for it.
const BREAKING: Duration = Duration::from_millis(500);

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
    data: BufReader<UnixStream>,
    columns: Option<Arc<[String]>>,
    max_body: usize,
    calls: u64,
}

impl Worker {
    /// Starts the process and waits until the model is loaded.
    pub async fn start(
        config: &WorkerConfig,
        guardian: &Guardian,
    ) -> Result<(Self, Ready), StartError> {
        let launch = Launch {
            python: &config.python,
            program: &config.program,
            env: &config.env,
            instance: &config.instance,
        };
        let (process, channels) =
            Process::start(&launch, guardian).map_err(|source| StartError::Spawn {
                python: config.python.display().to_string(),
                source,
            })?;
        let mut worker = Self {
            process,
            control: BufReader::new(channels.control),
            data: BufReader::with_capacity(READ_AHEAD, channels.data),
            columns: config.columns.clone(),
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
                    stderr: worker.process.last_words().await,
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
            other => {
                return Err(StartError::Garbled(format!(
                    "expected its hello, got {other:?}"
                )));
            }
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
                methods: ready.methods,
            }),
            Report::Failed {
                stage,
                class,
                message,
            } => Err(StartError::Model {
                stage,
                class,
                message,
            }),
            other @ Report::Hello { .. } => Err(StartError::Garbled(format!(
                "expected its readiness, got {other:?}"
            ))),
        }
    }

    async fn report(&mut self) -> Result<Report, StartError> {
        let mut line = Vec::new();
        let read = (&mut self.control)
            .take(MAX_LINE as u64)
            .read_until(b'\n', &mut line)
            .await;
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
        let ended = timeout(ENDING, self.process.ended()).await;
        let ending = match ended {
            Ok(ending) => ending,
            Err(_) => self.process.kill().await,
        };
        StartError::Ended {
            ending: ending.to_string(),
            stderr: self.process.last_words().await,
        }
    }

    /// Scores one piece of work. After [`CallError::TimedOut`] and [`CallError::Ended`] the process is gone, and every
    /// further call is answered with `Ended`.
    pub async fn call(&mut self, work: &Work, deadline: Instant) -> Result<Answer, CallError> {
        match timeout_at(deadline, self.exchange(work)).await {
            Ok(Ok(answer)) => answer.map_err(CallError::Raised),
            Ok(Err(Broken(cause))) => {
                let ending = match timeout(BREAKING, self.process.ended()).await {
                    Ok(ending) => ending.to_string(),
                    Err(_) => {
                        self.process.kill().await;
                        "it went on, and was ended".to_owned()
                    }
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

    async fn exchange(&mut self, work: &Work) -> Result<Result<Answer, Raised>, Broken> {
        let call = exchange::call(work, self.columns.as_deref())?;
        let length: usize = call.bodies.iter().map(Bytes::len).sum();
        if length > self.max_body || call.head.len() > MAX_HEAD {
            // Refused on this side, where it costs the process nothing.
            return Ok(Err(too_large(length, self.max_body)));
        }
        // Counted before anything is sent: the answer to an abandoned call is then no answer to the next.
        self.calls += 1;
        frame::write(
            self.data.get_mut(),
            call.kind,
            self.calls,
            &call.head,
            &call.bodies,
        )
        .await?;
        let (header, head, body) = frame::read(&mut self.data, self.max_body).await?;
        if header.call_id != self.calls {
            return Err(Broken(format!(
                "it answered call {} instead of {}",
                header.call_id, self.calls
            )));
        }
        Ok(exchange::answer(header.kind, &head, body)?)
    }

    /// Waits for the end of the process, and says how it ended. Cancel-safe.
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

/// The exchange broke: the process is of no more use.
struct Broken(String);

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        Self(error.to_string())
    }
}

impl From<AnswerError> for Broken {
    fn from(error: AnswerError) -> Self {
        Self(error.to_string())
    }
}

fn too_large(length: usize, limit: usize) -> Raised {
    let message = format!(
        "The decoded request has {length} bytes, the limit is {limit}. Send fewer rows at once."
    );
    let document = ErrorDocument::plain("REQUEST_LIMIT_EXCEEDED", message.clone()).to_json();
    Raised {
        class: "TooLarge".to_owned(),
        message,
        document: String::from_utf8(document)
            .ok()
            .map(|document| (413, document)),
        unserializable: false,
        unasked: true,
    }
}

#[cfg(test)]
mod tests {
    //! What a worker may do wrong before it is ready, played by scripts that need Python's standard library only.

    use super::*;

    async fn start(script: &str, limit: Duration) -> StartError {
        let folder = tempfile::tempdir().unwrap();
        let hello = "import os, sys, json\ncontrol = os.fdopen(3, 'r+b', buffering=0)\n\
                     def say(message): control.write((json.dumps(message) + '\\n').encode())\n";
        std::fs::write(
            folder.path().join("__main__.py"),
            format!("{hello}{script}\n"),
        )
        .unwrap();
        let config = WorkerConfig {
            python: "python3".into(),
            program: Program::at(folder.path()),
            model: "/nowhere".into(),
            columns: None,
            raw_eager: false,
            env: Vec::new(),
            instance: "test".to_owned(),
            start_timeout: limit,
            max_body: 1 << 20,
        };
        let guardian = Guardian::start().unwrap();
        Worker::start(&config, &guardian).await.err().unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn another_version_is_refused_with_both_named() {
        let error = start(
            "say({'type': 'hello', 'protocol': 99, 'python': '3.8.1'}); control.read(1)",
            LONG,
        )
        .await;
        assert_eq!(
            error.to_string(),
            format!("the worker speaks protocol 99, this server speaks {VERSION}")
        );
    }

    #[tokio::test]
    async fn an_early_end_is_told_with_its_code_and_its_last_words() {
        let error = start(
            "print('no such library', file=sys.stderr); sys.exit(7)",
            LONG,
        )
        .await;
        assert!(error.may_pass());
        let text = error.to_string();
        assert!(
            text.contains("exit code 7") && text.contains("no such library"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_worker_that_says_nothing_is_ended_at_the_limit() {
        let error = start("control.read(1)", Duration::from_millis(200)).await;
        assert!(matches!(error, StartError::TimedOut { .. }), "{error}");
        assert!(error.may_pass());
    }

    #[tokio::test]
    async fn other_words_than_agreed_are_an_error() {
        for script in [
            "control.write(b'hello\\n'); control.read(1)",
            "say({'type': 'ready'}); control.read(1)",
        ] {
            let error = start(script, LONG).await;
            assert!(matches!(error, StartError::Garbled(_)), "{error}");
        }
    }

    #[tokio::test]
    async fn a_missing_interpreter_is_named() {
        let guardian = Guardian::start().unwrap();
        let config = WorkerConfig {
            python: "/nowhere/python".into(),
            program: Program::at(std::path::Path::new("/nowhere")),
            model: "/nowhere".into(),
            columns: None,
            raw_eager: false,
            env: Vec::new(),
            instance: "test".to_owned(),
            start_timeout: LONG,
            max_body: 1,
        };
        let error = Worker::start(&config, &guardian).await.err().unwrap();
        assert!(error.to_string().contains("/nowhere/python"), "{error}");
    }
}
