//! The guardian: a tiny process that outlives this one by a moment.
//!
//! It reads from a pipe whose other end only this process holds. When this process ends, however it ends, the guardian
//! kills every process group that is still registered: workers stuck in native code, and what models started themselves.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

/// Deaf to the signals that end a session: it ends with the pipe.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=""
while read -r line; do
  group="${line#?}"
  kept=""
  for one in $groups; do [ "$one" = "$group" ] || kept="$kept $one"; done
  groups="$kept"
  case "$line" in +*) groups="$groups $group" ;; esac
done
for one in $groups; do kill -s KILL -- "-$one" 2>/dev/null; done
"#;

/// A guardian that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the process that watches over workers could not be started (/bin/sh)")]
pub struct GuardianError(#[from] io::Error);

/// A handle, cheap to clone. The guardian ends with the last handle.
#[derive(Clone, Debug)]
pub struct Guardian(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pipe: Mutex<Option<ChildStdin>>,
    process: Mutex<Child>,
}

impl Guardian {
    /// Starts the guardian, in a process group of its own so that no signal to ours reaches it.
    pub fn start() -> Result<Self, GuardianError> {
        let mut process = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = Mutex::new(process.stdin.take());
        Ok(Self(Arc::new(Inner {
            pipe,
            process: Mutex::new(process),
        })))
    }

    /// Registers a process group until the returned value is dropped.
    pub fn watch(&self, group: u32) -> Watched {
        self.say('+', group);
        Watched {
            guardian: self.clone(),
            group,
        }
    }

    fn say(&self, sign: char, group: u32) {
        if let Ok(mut pipe) = self.0.pipe.lock()
            && let Some(pipe) = pipe.as_mut()
            && let Err(error) = pipe.write_all(format!("{sign}{group}\n").as_bytes())
        {
            tracing::error!(%error, "the process that watches over workers is gone");
        }
    }
}

/// A process group under watch.
#[derive(Debug)]
pub struct Watched {
    guardian: Guardian,
    group: u32,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.guardian.say('-', self.group);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Ok(pipe) = self.pipe.get_mut() {
            drop(pipe.take());
        }
        if let Ok(process) = self.process.get_mut()
            && let Err(error) = process.wait()
        {
            tracing::debug!(%error, "the guardian had ended before");
        }
    }
}
