//! An instance: a worker that is started again when it has ended.

use std::time::Duration;

use sluis_mlflow::{Answer, Raised, Work};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::control::Ready;
use crate::error::{CallError, StartError};
use crate::guardian::Guardian;
use crate::worker::{Worker, WorkerConfig};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A longer time limit is cut to this: the clock must hold it.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Starts that end by themselves are tried this often in a row.
const MAX_STARTS: u32 = 3;

/// What an instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// No process yet, or none any more.
    Down,
    /// A process is loading the model.
    Starting,
    /// A process waits for work or has it.
    Ready,
}

/// How the call that warms a new worker went.
#[derive(Clone, Debug)]
pub enum Warmed {
    /// The model has no example.
    NoExample,
    /// The example was scored.
    Scored(Box<Answer>),
    /// The model raised on its own example.
    Raised(Raised),
}

/// Owns at most one worker.
pub struct Instance {
    config: WorkerConfig,
    guardian: Guardian,
    /// The work that a new worker is warmed with.
    example: Option<Work>,
    worker: Option<Worker>,
    /// Workers in a row that ended without a call served.
    fruitless: u32,
    starts: u64,
    state: watch::Sender<InstanceState>,
}

impl Instance {
    /// An instance that is down.
    pub fn new(config: WorkerConfig, guardian: Guardian, example: Option<Work>) -> Self {
        Self {
            config,
            guardian,
            example,
            worker: None,
            fruitless: 0,
            starts: 0,
            state: watch::Sender::new(InstanceState::Down),
        }
    }

    /// What the instance is doing, from now on.
    pub fn state(&self) -> watch::Receiver<InstanceState> {
        self.state.subscribe()
    }

    /// Workers started so far.
    pub fn starts(&self) -> u64 {
        self.starts
    }

    /// Starts a worker and scores the example, unless one is up. One try; `None` when one was up.
    pub async fn start(&mut self) -> Result<Option<(Ready, Warmed)>, StartError> {
        if self.worker.is_some() {
            return Ok(None);
        }
        self.pause().await;
        self.state.send_replace(InstanceState::Starting);
        self.fruitless += 1;
        self.starts += 1;
        let started = Worker::start(&self.config, &self.guardian).await;
        let warmed = match started {
            Ok((mut worker, ready)) => match self.warm(&mut worker).await {
                Ok(warmed) => Ok((worker, ready, warmed)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match warmed {
            Ok((worker, ready, warmed)) => {
                self.worker = Some(worker);
                self.state.send_replace(InstanceState::Ready);
                Ok(Some((ready, warmed)))
            }
            Err(error) => {
                self.state.send_replace(InstanceState::Down);
                Err(error)
            }
        }
    }

    /// Waits until a worker is up. A model that is refused is reported at once, a process that ends while it loads only
    /// when it has done so several times.
    pub async fn ready(&mut self) -> Result<(), StartError> {
        for attempt in 1.. {
            match self.start().await {
                Ok(_) => break,
                Err(error) if error.may_pass() && attempt < MAX_STARTS => {
                    tracing::warn!(instance = self.config.instance, %error, "a worker did not start; trying again");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn warm(&self, worker: &mut Worker) -> Result<Warmed, StartError> {
        let Some(example) = &self.example else {
            return Ok(Warmed::NoExample);
        };
        match worker
            .call(
                example,
                Instant::now() + self.config.start_timeout.min(LONGEST),
            )
            .await
        {
            Ok(answer) => Ok(Warmed::Scored(Box::new(answer))),
            Err(CallError::Raised(raised)) => Ok(Warmed::Raised(raised)),
            Err(CallError::TimedOut) => Err(StartError::TimedOut {
                limit: self.config.start_timeout,
                stderr: Vec::new(),
            }),
            Err(CallError::Ended { cause }) => Err(StartError::Ended {
                ending: format!("while it scored its input example: {cause}"),
                stderr: Vec::new(),
            }),
        }
    }

    /// Doubles with every worker that served nothing.
    async fn pause(&self) {
        if let Some(doublings) = self.fruitless.checked_sub(1) {
            let pause = FIRST_PAUSE.saturating_mul(1 << doublings.min(16));
            sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    /// Scores one piece of work on the worker that is up.
    pub async fn call(&mut self, work: &Work, deadline: Instant) -> Result<Answer, CallError> {
        let Some(worker) = &mut self.worker else {
            return Err(CallError::Ended {
                cause: "no worker is up".to_owned(),
            });
        };
        let answer = worker.call(work, deadline).await;
        match &answer {
            Ok(_) | Err(CallError::Raised(_)) => self.fruitless = 0,
            Err(_) => self.lose(),
        }
        answer
    }

    /// Waits until the worker that is up has ended by itself. Cancel-safe.
    pub async fn ended(&mut self) {
        if let Some(worker) = &mut self.worker {
            let ending = worker.ended().await;
            tracing::warn!(
                instance = self.config.instance,
                ending,
                "a worker ended by itself"
            );
            self.lose();
        }
    }

    fn lose(&mut self) {
        self.worker = None;
        self.state.send_replace(InstanceState::Down);
    }

    /// Ends the worker: politely, after `grace` by force.
    pub async fn stop(mut self, grace: Duration) {
        if let Some(worker) = self.worker.take() {
            worker.stop(grace).await;
        }
        self.state.send_replace(InstanceState::Down);
    }
}
