//! The exporter: a short process in the model's environment that writes its scoring program, then ends.
//!
//! Knows how it is started and ended; what it is told and what it writes is its caller's matter (`protocol/program.md`).

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio::time::timeout;

use crate::guardian::Guardian;
use crate::output::{self, LastLines};
use crate::program::Program;

/// The file of the worker program that exports.
const SCRIPT: &str = "export.py";

/// How many of its last lines an error quotes.
const QUOTED: usize = 3;

/// How an exporter is run.
#[derive(Clone, Debug)]
pub struct Export {
    /// The interpreter of the model's environment.
    pub python: PathBuf,
    /// The worker program, which the exporter is part of.
    pub program: Program,
    /// How long it may take.
    pub limit: Duration,
}

/// An exporter that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It could not be started.
    #[error("the exporter could not be started with '{python}'")]
    Spawn {
        /// The interpreter.
        python: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It took too long.
    #[error("the exporter took longer than {limit:?}")]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// It ended badly.
    #[error("the exporter ended with {status}: {lines}")]
    Ended {
        /// How.
        status: String,
        /// Its last words.
        lines: String,
    },
}

/// Kills the exporter and what it started.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0
            && let Err(error) = kill_process_group(group, Signal::KILL)
        {
            tracing::debug!(%error, "the exporter had ended before");
        }
    }
}

impl Export {
    /// Runs the exporter on the order in that file. Dropping the future ends the process.
    pub async fn run(&self, order: &Path, guardian: &Guardian) -> Result<(), ExportError> {
        let spawn = |source| ExportError::Spawn {
            python: self.python.display().to_string(),
            source,
        };
        let mut child = Command::new(&self.python)
            .arg("-u")
            .arg(self.program.folder.join(SCRIPT))
            .arg(order)
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(spawn)?;
        let _watched = child.id().map(|id| guardian.watch(id));
        let _group = Group(child.id().and_then(|id| Pid::from_raw(id as i32)));
        let lines = LastLines::default();
        let reader = child.stderr.take().map(|stream| {
            tokio::spawn(output::log(
                stream,
                "stderr",
                "export".to_owned(),
                lines.clone(),
            ))
        });
        let status = match timeout(self.limit, child.wait()).await {
            Ok(status) => status.map_err(spawn)?,
            Err(_) => return Err(ExportError::TimedOut { limit: self.limit }),
        };
        if status.success() {
            return Ok(());
        }
        if let Some(reader) = reader {
            let _late = timeout(Duration::from_secs(1), reader).await;
        }
        let lines = lines.take();
        let lines = &lines[lines.len().saturating_sub(QUOTED)..];
        Err(ExportError::Ended {
            status: status.to_string(),
            lines: lines.join("; "),
        })
    }
}
