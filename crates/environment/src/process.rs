//! Children: run with a deadline and a way to stop them, their output kept in a log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::BuildError;
use crate::uv::without_secrets;

/// How often a running child is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Tells a build to stop. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops the build: its children are killed.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a tool is run.
pub(crate) struct Run<'a> {
    /// What the user reads when it takes too long.
    pub(crate) what: &'static str,
    pub(crate) limit: Duration,
    pub(crate) log: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

/// How a tool ended.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// What it printed, without secrets.
    pub(crate) output: String,
}

impl Run<'_> {
    /// Runs a command to its end. Its output is appended to the log.
    pub(crate) fn run(&self, mut command: Command) -> Result<Outcome, BuildError> {
        let mut output = tempfile::tempfile().map_err(BuildError::files(std::env::temp_dir()))?;
        let stream = || output.try_clone().map(Stdio::from);
        let (out, err) = (stream(), stream());
        let program = PathBuf::from(command.get_program());
        let failed = |source| BuildError::Files {
            path: program.clone(),
            source,
        };
        command
            .stdin(Stdio::null())
            .stdout(out.map_err(failed)?)
            .stderr(err.map_err(failed)?)
            .process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let ended = self.wait(&mut child);
        let text = read_back(&mut output).map_err(failed)?;
        self.keep(&command, &text)
            .map_err(BuildError::files(self.log))?;
        Ok(Outcome {
            success: ended?.success(),
            output: text,
        })
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, BuildError> {
        let end = Instant::now() + self.limit;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if self.cancel.is_cancelled() => {
                    end_group(child);
                    return Err(BuildError::Cancelled);
                }
                Ok(None) if Instant::now() > end => {
                    end_group(child);
                    return Err(BuildError::TimedOut {
                        what: self.what,
                        limit: self.limit,
                        log: self.log.to_owned(),
                    });
                }
                Ok(None) => std::thread::sleep(LOOK),
                Err(source) => {
                    return Err(BuildError::Files {
                        path: self.log.to_owned(),
                        source,
                    });
                }
            }
        }
    }

    fn keep(&self, command: &Command, text: &str) -> io::Result<()> {
        if let Some(folder) = self.log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log)?;
        let words: Vec<String> = command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let line = format!(
            "$ {} {}\n",
            command.get_program().to_string_lossy(),
            words.join(" ")
        );
        log.write_all(without_secrets(&line).as_bytes())?;
        log.write_all(text.as_bytes())
    }
}

fn end_group(child: &mut Child) {
    if let Some(group) = Pid::from_raw(child.id() as i32) {
        // An error says that the group has ended by itself.
        let _ended = kill_process_group(group, Signal::KILL);
    }
    let _status = child.wait();
}

fn read_back(output: &mut File) -> io::Result<String> {
    output.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    output.read_to_end(&mut bytes)?;
    Ok(without_secrets(&String::from_utf8_lossy(&bytes)))
}
