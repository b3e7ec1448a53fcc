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

/// Runs a command, and ends its whole group at the end of standard input: the pipe is closed by us, or by the kernel when
/// we are gone, even after `kill -9`. What a build leaves running is ended as well.
const GUARD: &str = r#"exec 3<&0
"$@" </dev/null 3<&- &
child=$!
( while read -r line; do :; done; kill -KILL 0 ) <&3 3<&- >/dev/null 2>&1 &
exec 3<&-
wait "$child""#;

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
    pub(crate) fn run(&self, command: &Command) -> Result<Outcome, BuildError> {
        let mut output = tempfile::tempfile().map_err(BuildError::files(std::env::temp_dir()))?;
        let stream = || output.try_clone().map(Stdio::from);
        let (out, err) = (stream(), stream());
        let program = PathBuf::from(command.get_program());
        let failed = |source| BuildError::Files {
            path: program.clone(),
            source,
        };
        let mut child = guarded(command)
            .stdout(out.map_err(failed)?)
            .stderr(err.map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let ended = self.wait(&mut child);
        let text = read_back(&mut output).map_err(failed)?;
        self.keep(command, &text)
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

/// The command under its guard, whose standard input must be kept open while it runs.
fn guarded(command: &Command) -> Command {
    let mut guarded = Command::new("/bin/sh");
    guarded
        .args(["-c", GUARD, "sluis"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::piped())
        .process_group(0);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    guarded
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(child: &mut Child) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if let Ok(Some(_)) = child.try_wait() {
                return true;
            }
            std::thread::sleep(LOOK);
        }
        false
    }

    #[test]
    fn a_tool_and_its_children_end_with_their_parent() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 1000 & echo $! > \"$1\"; wait", "sh"])
            .arg(file.path());
        let mut child = guarded(&command).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        let grandchild = loop {
            let text = std::fs::read_to_string(file.path()).unwrap();
            if text.ends_with('\n') {
                break text.trim().to_owned();
            }
            assert!(Instant::now() < end, "it did not start");
            std::thread::sleep(LOOK);
        };
        // What the kernel does when we are killed.
        drop(child.stdin.take());
        assert!(ended(&mut child));
        let stat = PathBuf::from("/proc").join(grandchild).join("stat");
        while let Ok(text) = std::fs::read_to_string(&stat) {
            if text.contains(") Z ") || text.contains(") X ") {
                break;
            }
            assert!(Instant::now() < end, "{text}");
            std::thread::sleep(LOOK);
        }
    }

    #[test]
    fn how_a_tool_ended_and_what_it_said_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/x.log");
        let run = |script: &str| {
            let mut command = Command::new("sh");
            command
                .args(["-c", script])
                .env("SAID", "https://u:p@host/");
            let run = Run {
                what: "testing",
                limit: Duration::from_secs(30),
                log: &log,
                cancel: &Cancel::default(),
            };
            run.run(&command).unwrap()
        };
        let good = run("cat; echo $SAID");
        assert_eq!(
            (good.success, good.output.as_str()),
            (true, "https://***@host/\n")
        );
        assert!(!run("exit 3").success);
        assert!(!std::fs::read_to_string(&log).unwrap().contains("u:p"));
    }
}
