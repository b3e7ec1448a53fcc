//! Paths of a model folder: where it is, what lies in it, and that nothing it names leads out of it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::error::ModelError;
use super::pyfunc::PythonFunction;

pub(crate) const MLMODEL: &str = "MLmodel";

/// Folders looked into for a model when the one given holds none.
const MAX_NEARBY: usize = 1_000;

/// Files counted in a model folder; a folder with more is no model folder that MLflow wrote.
const MAX_FILES: usize = 200_000;

/// The folder of a location: a path, a `file:` URI, or an `MLmodel` file.
pub(crate) fn resolve(location: &str) -> Result<PathBuf, ModelError> {
    let path = local_path(location)?;
    if path.is_file() {
        let is_mlmodel = path.file_name().is_some_and(|name| name == MLMODEL);
        if !is_mlmodel {
            return Err(ModelError::NotAFolder { path });
        }
        // The parent of a bare file name is the empty path, which means the current folder.
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        return absolute(parent.unwrap_or(Path::new(".")));
    }
    if !path.is_dir() {
        return Err(ModelError::Missing { path });
    }
    if !path.join(MLMODEL).is_file() {
        let hint = nearby(&path);
        return Err(ModelError::NoMlmodel { folder: path, hint });
    }
    absolute(&path)
}

/// The folder as an absolute path, since the model's Python runs in a folder of its own.
fn absolute(folder: &Path) -> Result<PathBuf, ModelError> {
    fs::canonicalize(folder).map_err(|source| ModelError::Read {
        path: folder.to_owned(),
        source,
    })
}

fn local_path(location: &str) -> Result<PathBuf, ModelError> {
    if let Some(rest) = location.strip_prefix("file:") {
        let path = rest
            .strip_prefix("//")
            .map_or(rest, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
        // As it is where the result would not be text.
        let decoded = percent_decode_str(path).decode_utf8();
        return Ok(PathBuf::from(&*decoded.unwrap_or(path.into())));
    }
    let scheme = location.split_once(':').map(|(scheme, _)| scheme);
    match scheme {
        Some(scheme) if is_scheme(scheme) && !Path::new(location).exists() => {
            Err(ModelError::Scheme {
                uri: location.to_owned(),
                scheme: scheme.to_owned(),
            })
        }
        _ => Ok(PathBuf::from(location)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// A model folder one or two levels below, as a hint.
fn nearby(folder: &Path) -> String {
    let children = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .take(MAX_NEARBY);
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        paths.sort();
        paths
    };
    let below = children(folder);
    let deeper = below
        .iter()
        .flat_map(|child| children(child))
        .take(MAX_NEARBY);
    let found = below
        .iter()
        .cloned()
        .chain(deeper)
        .find(|path| path.join(MLMODEL).is_file());
    match found {
        Some(path) => format!("; did you mean '{}'?", path.display()),
        None => ", and no folder below it does".to_owned(),
    }
}

/// The registered name where the folder came from a registry, else the folder's own name.
pub(crate) fn name(folder: &Path) -> String {
    registered(folder, "model_name").unwrap_or_else(|| {
        folder.file_name().map_or_else(
            || "model".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    })
}

/// What a registry wrote into the folder that came from it, under `key`: a text or a number.
pub(crate) fn registered(folder: &Path, key: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join("registered_model_meta")).ok()?;
    let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).ok()?;
    match value.get(key)? {
        serde_yaml_ng::Value::String(text) => Some(text.clone()),
        serde_yaml_ng::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The files that the flavor names and the folder lacks; an error when one leads out of the folder.
pub(crate) fn missing_files(
    folder: &Path,
    flavor: &PythonFunction,
) -> Result<Vec<String>, ModelError> {
    let named = [
        ("data", flavor.data.as_deref()),
        ("code", flavor.code.as_deref()),
    ];
    let named = named
        .into_iter()
        .filter_map(|(field, value)| value.map(|value| (field, value)));
    let files = flavor
        .files
        .iter()
        .map(|file| ("model file", file.as_str()));
    absent(folder, named.chain(files))
}

/// The environment files that the flavor names and the folder lacks; an error when one leads out of the folder.
pub(crate) fn missing_environment_files(
    folder: &Path,
    flavor: &PythonFunction,
) -> Result<Vec<String>, ModelError> {
    let named = [
        ("env.conda", flavor.conda_env.as_deref()),
        ("env.virtualenv", flavor.python_env.as_deref()),
    ];
    let named = named
        .into_iter()
        .filter_map(|(field, value)| value.map(|value| (field, value)));
    absent(folder, named)
}

fn absent<'a>(
    folder: &Path,
    named: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<String>, ModelError> {
    let mut missing = Vec::new();
    for (field, value) in named {
        if !inside(folder, value) {
            return Err(ModelError::Outside {
                field: field.to_owned(),
                value: value.to_owned(),
            });
        }
        if !folder.join(value).exists() {
            missing.push(value.to_owned());
        }
    }
    Ok(missing)
}

/// Whether a relative path stays in the folder, also through links.
pub(crate) fn inside(folder: &Path, relative: &str) -> bool {
    let path = Path::new(relative);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let real = fs::canonicalize(folder.join(path));
    let root = fs::canonicalize(folder);
    plain
        && match (real, root) {
            (Ok(real), Ok(root)) => real.starts_with(root),
            _ => true,
        }
}

/// The regular files below the folder with their bytes, by relative path in order; links are not followed.
pub(crate) fn files(folder: &Path) -> Vec<(String, u64)> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) if metadata.is_file() && files.len() < MAX_FILES => {
                    let path = entry.path();
                    let relative = path.strip_prefix(folder).unwrap_or(&path);
                    files.push((relative.to_string_lossy().into_owned(), metadata.len()));
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}
