//! A Python as it is: `--env-manager local`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::environments::Environment;
use crate::lock::Package;
use crate::python::{OLDEST_MINOR, inspect};
use crate::spec::{RequirementKind, Spec};

/// A local Python that cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// It does not run.
    #[error("'{python}' is no Python that runs ({problem}); give one with --python")]
    NotPython {
        /// The path.
        python: PathBuf,
        /// What happened.
        problem: String,
    },
    /// It is too old.
    #[error("'{python}' is Python {version}; the worker needs 3.{OLDEST_MINOR} or newer")]
    TooOld {
        /// The path.
        python: PathBuf,
        /// Its version.
        version: String,
    },
    /// It lacks packages.
    #[error(
        "'{python}' lacks {packages}, which serving needs; install it there, or let sluis build an environment with --env-manager uv"
    )]
    Lacks {
        /// The path.
        python: PathBuf,
        /// What is missing.
        packages: String,
    },
}

const LIST: &str = "import importlib.metadata as m\nfor d in m.distributions():\n    print((d.metadata['Name'] or '').lower().replace('_', '-').replace('.', '-') + '==' + (d.version or ''))";

/// The given Python as an environment. Versions that differ from the model's pins are warnings, as in MLflow.
pub fn local(python: &Path, spec: &Spec) -> Result<Environment, LocalError> {
    let interpreter = inspect(python).map_err(|problem| LocalError::NotPython {
        python: python.to_owned(),
        problem,
    })?;
    if interpreter.version.major != 3 || interpreter.version.minor < OLDEST_MINOR {
        return Err(LocalError::TooOld {
            python: python.to_owned(),
            version: interpreter.version.to_string(),
        });
    }
    let packages = packages(&interpreter.path);
    let has = |name: &str| packages.iter().any(|package| package.name == name);
    let mut lacking: Vec<&str> = ["pandas", "numpy"]
        .into_iter()
        .filter(|name| !has(name))
        .collect();
    if !has("mlflow") && !has("mlflow-skinny") {
        lacking.insert(0, "mlflow");
    }
    if !lacking.is_empty() {
        return Err(LocalError::Lacks {
            python: python.to_owned(),
            packages: lacking.join(", "),
        });
    }
    let mut warnings = mismatches(spec, &packages);
    if let Some(asked) = spec
        .python
        .as_ref()
        .filter(|asked| !asked.version.same_minor(interpreter.version))
    {
        warnings.insert(
            0,
            format!(
                "the model was made with Python {}, this is {}",
                asked.version, interpreter.version
            ),
        );
    }
    Ok(Environment {
        python: interpreter.path,
        version: interpreter.version,
        digest: None,
        packages,
        reused: true,
        warnings,
    })
}

fn packages(python: &Path) -> Vec<Package> {
    let output = Command::new(python)
        .args(["-c", LIST])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let package = |line: &str| {
        let (name, version) = line.split_once("==")?;
        Some(Package {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    };
    text.lines().filter_map(package).collect()
}

fn mismatches(spec: &Spec, packages: &[Package]) -> Vec<String> {
    let mut differing = Vec::new();
    for requirement in spec
        .requirements
        .iter()
        .filter(|requirement| requirement.kind == RequirementKind::Package)
    {
        let (Some(name), Some(wanted)) = (&requirement.name, requirement.version()) else {
            continue;
        };
        match packages.iter().find(|package| package.name == *name) {
            Some(package) if package.version == wanted => {}
            Some(package) => {
                differing.push(format!("{name} {} instead of {wanted}", package.version))
            }
            None => differing.push(format!("no {name} (the model has {wanted})")),
        }
    }
    if differing.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "this Python differs from the model's environment: {}",
        differing.join(", ")
    )]
}
