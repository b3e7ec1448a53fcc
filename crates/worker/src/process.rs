//! The process of a worker: how it is made, and that it ends.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use std::{fmt, io};

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::guardian::{Guardian, Watched};
use crate::output::{self, LastLines};
use crate::program::Program;
use crate::protocol::{CONTROL_FD, DATA_FD};

/// How long the pipe of an ended process may take to run dry.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A worker process with our ends of its channels. Dropping it kills its whole process group.
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
    _watched: Option<Watched>,
    last_lines: LastLines,
    readers: Vec<JoinHandle<()>>,
}

/// Our ends of the channels.
pub(crate) struct Channels {
    pub(crate) control: UnixStream,
    pub(crate) data: UnixStream,
}

/// What a process is made from.
pub(crate) struct Launch<'a> {
    pub(crate) python: &'a Path,
    pub(crate) program: &'a Program,
    pub(crate) env: &'a [(OsString, OsString)],
    pub(crate) instance: &'a str,
}

impl Process {
    /// Starts Python on the worker program, in a process group of its own.
    pub(crate) fn start(launch: &Launch<'_>, guardian: &Guardian) -> io::Result<(Self, Channels)> {
        let (control, their_control) = pair()?;
        let (data, their_data) = pair()?;
        let mut command = Command::new(launch.python);
        command
            .arg("-u")
            .arg(&launch.program.folder)
            .env("PYTHONUNBUFFERED", "1")
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mapping = |parent_fd: OwnedFd, child_fd: i32| FdMapping {
            parent_fd,
            child_fd,
        };
        command
            .fd_mappings(vec![
                mapping(their_control, CONTROL_FD),
                mapping(their_data, DATA_FD),
            ])
            .map_err(io::Error::other)?;
        let mut child = command.spawn()?;
        // The command still holds the worker's ends: it must go, or the channels would never end.
        drop(command);
        let id = child.id();
        let last_lines = LastLines::default();
        let instance = || launch.instance.to_owned();
        let mut readers = Vec::with_capacity(2);
        if let Some(stream) = child.stderr.take() {
            readers.push(tokio::spawn(output::log(
                stream,
                "stderr",
                instance(),
                last_lines.clone(),
            )));
        }
        if let Some(stream) = child.stdout.take() {
            readers.push(tokio::spawn(output::log(
                stream,
                "stdout",
                instance(),
                LastLines::default(),
            )));
        }
        let process = Self {
            group: id.and_then(|id| Pid::from_raw(id as i32)),
            _watched: id.map(|id| guardian.watch(id)),
            child,
            last_lines,
            readers,
        };
        Ok((process, Channels { control, data }))
    }

    /// Waits for the end, and ends what the process left behind. Cancel-safe.
    pub(crate) async fn ended(&mut self) -> Ending {
        let status = self.child.wait().await.ok();
        self.kill_group();
        // The process is reaped: its number may be another's from now on.
        self.group = None;
        Ending(status)
    }

    /// The last lines of standard error, of a process that has ended.
    pub(crate) async fn last_words(&mut self) -> Vec<String> {
        if let Some(reader) = self.readers.first_mut() {
            // A child that left the group may hold the pipe open: then what is there must do.
            let _late = timeout(LAST_WORDS, reader).await;
        }
        self.last_lines.take()
    }

    /// Kills the whole group, and waits for the end.
    pub(crate) async fn kill(&mut self) -> Ending {
        self.kill_group();
        self.ended().await
    }

    fn kill_group(&self) {
        if let Some(group) = self.group
            && let Err(error) = kill_process_group(group, Signal::KILL)
        {
            tracing::debug!(%error, "the process group had ended before");
        }
    }
}

impl Drop for Process {
    /// The readers are left to themselves: they end with the pipes, and may still hold the last lines of a crash.
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// How a process ended.
pub(crate) struct Ending(Option<ExitStatus>);

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(status) = self.0 else {
            return formatter.write_str("its end is not known");
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => write!(formatter, "exit code {code}"),
            (None, Some(9)) => {
                formatter.write_str("killed with signal 9, by a person or for want of memory")
            }
            (None, Some(11)) => formatter.write_str("a crash in native code, signal 11"),
            (None, Some(signal)) => write!(formatter, "signal {signal}"),
            (None, None) => formatter.write_str("its end is not known"),
        }
    }
}

fn pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs.into()))
}
