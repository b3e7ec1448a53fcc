//! Interpreters on this machine: on PATH, under pyenv's root, and those that were fetched into the data folder.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Interpreter, NEWEST_MINOR, OLDEST_MINOR, Version};

/// An interpreter that takes longer to tell its version is left out.
const PATIENCE: Duration = Duration::from_secs(10);

const TELL: &str = "import sys; print('%d.%d.%d %s' % (sys.version_info[:3] + (sys.executable,)))";

/// All interpreters that run, `python3` of PATH first, each version once. `also` holds folders of installed Pythons.
pub(crate) fn on_this_machine(also: &[PathBuf]) -> Vec<Interpreter> {
    let mut found: Vec<Interpreter> = Vec::new();
    let mut looked_at = BTreeSet::new();
    for path in paths(also) {
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        // pyenv's shims are scripts that fail unless a version is selected; its versions are found by themselves.
        let is_shim = path
            .parent()
            .is_some_and(|folder| folder.ends_with("shims"));
        if is_shim && path.file_name().is_some_and(|name| name != "python3") {
            continue;
        }
        if (is_shim || looked_at.insert(real))
            && let Ok(interpreter) = inspect(&path)
        {
            let known = found
                .iter()
                .any(|other| other.version == interpreter.version);
            let usable =
                interpreter.version.major == 3 && interpreter.version.minor >= OLDEST_MINOR;
            if usable && !known {
                found.push(interpreter);
            }
        }
    }
    found
}

fn paths(also: &[PathBuf]) -> Vec<PathBuf> {
    let mut names = vec!["python3".to_owned()];
    names.extend(
        (OLDEST_MINOR..=NEWEST_MINOR)
            .rev()
            .map(|minor| format!("python3.{minor}")),
    );
    let on_path: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    let mut paths: Vec<PathBuf> = on_path
        .iter()
        .flat_map(|folder| names.iter().map(|name| folder.join(name)))
        .filter(|path| path.is_file())
        .collect();
    let pyenv = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv")));
    let mut roots = also.to_vec();
    roots.extend(pyenv.map(|root| root.join("versions")));
    for root in roots {
        let mut versions: Vec<PathBuf> = fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        versions.sort();
        versions.reverse();
        paths.extend(
            versions
                .into_iter()
                .map(|version| version.join("bin/python3"))
                .filter(|path| path.is_file()),
        );
    }
    paths
}

/// Runs an interpreter to learn what it is; the error says what happened instead.
pub(crate) fn inspect(path: &Path) -> Result<Interpreter, String> {
    let mut child = Command::new(path)
        .args(["-I", "-c", TELL])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let end = Instant::now() + PATIENCE;
    while let Ok(None) = child.try_wait() {
        if Instant::now() > end {
            let _ended = child.kill();
            let _status = child.wait();
            return Err(format!(
                "it did not tell its version within {} s",
                PATIENCE.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (version, executable) = text
        .trim()
        .split_once(' ')
        .ok_or("it did not tell its version")?;
    let version = Version::parse(version).ok_or("it did not tell its version")?;
    Ok(Interpreter {
        path: PathBuf::from(executable),
        version,
    })
}
