//! Finds uv on PATH, or fetches it once with pip into the data folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Index, Uv};
use crate::error::BuildError;
use crate::process::{Cancel, Run};
use crate::progress::{Progress, Step};

/// The oldest uv whose options are used here.
const OLDEST: (u32, u32) = (0, 4);

/// What pip is asked for.
const REQUIREMENT: &str = "uv>=0.8";

const FETCH_LIMIT: Duration = Duration::from_secs(600);

/// uv, fetched with the pip of `python` where it is not on PATH.
pub(crate) fn locate(
    data_dir: &Path,
    python: &Path,
    cancel: &Cancel,
    progress: &mut dyn Progress,
) -> Result<Uv, BuildError> {
    let index = Index::of_pip(python);
    let kept = data_dir.join("tools").join("uv");
    let fetched = kept.join("bin").join("uv");
    for program in [PathBuf::from("uv"), fetched.clone()] {
        if works(&program) {
            return Ok(Uv { program, index });
        }
    }
    fetch(data_dir, &kept, python, cancel, progress)?;
    Ok(Uv {
        program: fetched,
        index,
    })
}

fn works(program: &Path) -> bool {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(output) = output else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().nth(1).and_then(|version| {
        let mut parts = version.split('.').map(str::parse::<u32>);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    });
    output.status.success() && version.is_some_and(|version| version >= OLDEST)
}

fn fetch(
    data_dir: &Path,
    kept: &Path,
    python: &Path,
    cancel: &Cancel,
    progress: &mut dyn Progress,
) -> Result<(), BuildError> {
    let start = Instant::now();
    progress.begin(&Step::FetchUv);
    let tools = data_dir.join("tools");
    fs::create_dir_all(&tools).map_err(BuildError::files(&tools))?;
    let lock = File::create(tools.join("uv.lock")).map_err(BuildError::files(&tools))?;
    lock.lock().map_err(BuildError::files(&tools))?;
    if works(&kept.join("bin").join("uv")) {
        return Ok(());
    }
    let building = tempfile::Builder::new()
        .prefix(".building-")
        .tempdir_in(&tools)
        .map_err(BuildError::files(&tools))?;
    let log = data_dir.join("logs").join("uv.log");
    let mut command = Command::new(python);
    command
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-deps",
            "--target",
        ])
        .arg(building.path())
        .arg(REQUIREMENT);
    let run = Run {
        what: "fetching uv",
        limit: FETCH_LIMIT,
        log: &log,
        cancel,
    };
    let outcome = run.run(&command)?;
    let problem = |problem: &str| BuildError::Uv {
        problem: problem.to_owned(),
        log: log.clone(),
    };
    if !outcome.success {
        return Err(problem(why(&outcome.output)));
    }
    if !works(&building.path().join("bin").join("uv")) {
        return Err(problem("what pip installed does not run on this machine"));
    }
    if kept.exists() {
        fs::remove_dir_all(kept).map_err(BuildError::files(kept))?;
    }
    fs::rename(building.keep(), kept).map_err(BuildError::files(kept))?;
    progress.done(&Step::FetchUv, start.elapsed());
    Ok(())
}

/// Why pip did not do it. Its last line says that there is no such package when no index answered.
fn why(output: &str) -> &str {
    const UNREACHABLE: [&str; 5] = [
        "NewConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ProxyError",
        "NameResolutionError",
    ];
    if UNREACHABLE.iter().any(|sign| output.contains(sign)) {
        return "the package index cannot be reached";
    }
    let last = output.lines().rfind(|line| !line.trim().is_empty());
    last.map_or("pip failed", str::trim)
}
