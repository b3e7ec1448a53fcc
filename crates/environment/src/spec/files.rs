//! `python_env.yaml`, `conda.yaml` and `requirements.txt`, in the order in which MLflow believes them.

use std::fs;
use std::path::Path;

use serde_yaml_ng::{Mapping, Value};

use super::options;
use super::requirement::{Requirement, RequirementKind, option_value};
use super::{ModelFiles, PythonAsked, Spec};
use crate::error::SpecError;
use crate::python::Version;

const CONDA: &str = "conda.yaml";
const PYTHON_ENV: &str = "python_env.yaml";
const REQUIREMENTS: &str = "requirements.txt";

/// What builds packages and is no part of a model's own.
const BUILD_TOOLS: [&str; 3] = ["pip", "setuptools", "wheel"];

/// Requirements files within requirements files, at most.
const MAX_INCLUDES: usize = 16;

pub(crate) fn read(model: &ModelFiles) -> Result<Spec, SpecError> {
    let mut reader = Reader {
        folder: &model.folder,
        saved_with: model.python_version.as_deref().and_then(Version::parse),
        spec: Spec {
            folder: model.folder.clone(),
            ..Spec::default()
        },
    };
    let python_env = model.python_env_file.as_deref().unwrap_or(PYTHON_ENV);
    let conda = model.conda_file.as_deref().unwrap_or(CONDA);
    let has_python_env = reader.python_env(python_env)?;
    let has_conda = reader.conda(conda, !has_python_env)?;
    if reader.spec.requirements.is_empty()
        && !has_python_env
        && model.folder.join(REQUIREMENTS).is_file()
    {
        reader.requirements(REQUIREMENTS, 0)?;
    }
    let mut spec = reader.spec;
    if spec.python.is_none()
        && let Some(text) = &model.python_version
    {
        spec.python = Some(python_asked(text, Path::new("MLmodel"), "MLmodel")?);
    }
    if !has_python_env && !has_conda && spec.files.is_empty() {
        spec.warnings.push(
            "the model has no environment files: only what inference needs is installed".to_owned(),
        );
    }
    Ok(spec)
}

struct Reader<'a> {
    folder: &'a Path,
    /// The Python that `MLmodel` names.
    saved_with: Option<Version>,
    spec: Spec,
}

impl Reader<'_> {
    fn yaml(&mut self, file: &str) -> Result<Option<Mapping>, SpecError> {
        let path = self.folder.join(file);
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(|source| SpecError::Read {
            path: path.clone(),
            source,
        })?;
        self.spec.files.push(file.to_owned());
        match serde_yaml_ng::from_str(&text) {
            Ok(Value::Mapping(map)) => Ok(Some(map)),
            Ok(Value::Null) => Ok(Some(Mapping::new())),
            Ok(_) => Err(SpecError::Yaml {
                path,
                problem: "a map of keys was expected".to_owned(),
            }),
            Err(problem) => Err(SpecError::Yaml {
                path,
                problem: problem.to_string(),
            }),
        }
    }

    /// Whether there is such a file.
    fn python_env(&mut self, file: &str) -> Result<bool, SpecError> {
        let Some(map) = self.yaml(file)? else {
            return Ok(false);
        };
        if let Some(python) = map.get("python").map(text) {
            self.spec.python = Some(python_asked(&python, &self.folder.join(file), file)?);
        }
        for (index, line) in list(&map, "dependencies").iter().enumerate() {
            self.line(&text(line), file, index + 1, 0)?;
        }
        Ok(true)
    }

    /// Whether there is such a file. `whole` says that pip's part of it counts too.
    fn conda(&mut self, file: &str, whole: bool) -> Result<bool, SpecError> {
        let Some(map) = self.yaml(file)? else {
            return Ok(false);
        };
        self.spec.channels = list(&map, "channels").iter().map(text).collect();
        let mut pip = None;
        for entry in list(&map, "dependencies") {
            match entry {
                Value::Mapping(part) if pip.is_none() && part.contains_key("pip") => {
                    pip = Some(list(part, "pip"))
                }
                Value::Mapping(_) => {}
                other => self.conda_package(&text(other), file)?,
            }
        }
        if !whole {
            return Ok(true);
        }
        for (index, line) in pip.unwrap_or_default().iter().enumerate() {
            self.line(&text(line), file, index + 1, 0)?;
        }
        if self.folder.join(REQUIREMENTS).is_file() {
            let of_conda = std::mem::take(&mut self.spec.requirements);
            self.requirements(REQUIREMENTS, 0)?;
            self.choose(of_conda, file);
        }
        Ok(true)
    }

    /// Without `python_env.yaml`, MLflow takes Python from the conda file and packages from `requirements.txt`. It writes the
    /// same packages into both. Where they differ, somebody has edited one of them: the conda file, when its Python is not
    /// the one that the model was saved with. Its packages are then those that fit its Python.
    fn choose(&mut self, of_conda: Vec<Requirement>, file: &str) {
        let differing = differing(&of_conda, &self.spec.requirements);
        if differing.is_empty() {
            return;
        }
        let asked = self.spec.python.as_ref().map(|python| python.version);
        let was_edited = asked
            .zip(self.saved_with)
            .filter(|(asked, saved_with)| !asked.same_minor(*saved_with));
        let counts = match was_edited {
            Some((asked, saved_with)) => {
                self.spec.requirements = of_conda;
                format!(
                    "{file} counts: its Python {asked} is not the {saved_with} that the model was saved with, so it was \
                     edited since"
                )
            }
            None => format!("{REQUIREMENTS} counts, as in MLflow"),
        };
        self.spec.warnings.push(format!(
            "{file} and {REQUIREMENTS} ask for different versions of {}; {counts}",
            differing.join(", ")
        ));
    }

    fn conda_package(&mut self, entry: &str, file: &str) -> Result<(), SpecError> {
        let bare = entry.rsplit("::").next().unwrap_or(entry).trim();
        let end = bare
            .find(|c: char| "=<>! ".contains(c))
            .unwrap_or(bare.len());
        let (name, rest) = bare.split_at(end);
        match name {
            "python" if self.spec.python.is_some() || rest.is_empty() => {}
            "python" => self.spec.python = Some(python_asked(rest, &self.folder.join(file), file)?),
            name if BUILD_TOOLS.contains(&name) => {}
            _ => self.spec.conda_packages.push(bare.to_owned()),
        }
        Ok(())
    }

    fn requirements(&mut self, file: &str, depth: usize) -> Result<(), SpecError> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).map_err(|source| SpecError::Read { path, source })?;
        self.spec.files.push(file.to_owned());
        // A line that ends in a backslash goes on in the next.
        let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
        for (index, line) in text.lines().enumerate() {
            self.line(line, file, index + 1, depth)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        line: &str,
        file: &str,
        number: usize,
        depth: usize,
    ) -> Result<(), SpecError> {
        let Some(mut requirement) = Requirement::read(line, file, number) else {
            return Ok(());
        };
        let problem = |included: &str, why| SpecError::Include {
            path: self.folder.join(file),
            line: number,
            included: included.to_owned(),
            why,
        };
        if let Some(included) = option_value(&requirement.text, &["-r", "--requirement"]) {
            if depth >= MAX_INCLUDES {
                return Err(problem(included, "too many files include one another"));
            }
            if !self.is_inside(included) {
                return Err(problem(included, "it is not a file of the model folder"));
            }
            return self.requirements(included, depth + 1);
        }
        if let Some(constraints) = option_value(&requirement.text, &["-c", "--constraint"]) {
            if !self.is_inside(constraints) {
                let file = constraints.to_owned();
                self.spec.warnings.push(format!(
                    "the constraints file '{file}' is missing and was left out"
                ));
                return Ok(());
            }
            let path = self.folder.join(constraints);
            requirement.text = format!("-c {}", path.display());
            requirement.path = Some(path);
        } else if requirement.kind == RequirementKind::Option {
            let Some(text) = self.option(&requirement) else {
                return Ok(());
            };
            requirement.text = text;
        }
        if requirement.kind != RequirementKind::Package && !requirement.hashes.is_empty() {
            self.spec.warnings.push(format!(
                "{file}, line {number}: hashes are checked for packages of an index only"
            ));
        }
        self.place(&mut requirement);
        if requirement
            .name
            .as_deref()
            .is_some_and(|name| BUILD_TOOLS.contains(&name))
            && file.ends_with(".yaml")
        {
            return Ok(());
        }
        self.spec.requirements.push(requirement);
        Ok(())
    }

    /// An option line as uv reads it, if it counts.
    fn option(&mut self, requirement: &Requirement) -> Option<String> {
        match options::read(&requirement.text, self.folder) {
            options::Reading::Kept(text) => Some(text),
            options::Reading::Meaningless => None,
            options::Reading::Unknown => {
                let (file, line) = &requirement.origin;
                let option = requirement.text.split(['=', ' ']).next();
                self.spec.warnings.push(format!(
                    "{file}, line {line}: the option '{}' was left out, as uv does not know it",
                    option.unwrap_or_default()
                ));
                None
            }
        }
    }

    /// Makes a path in a line absolute, as pip reads it from the model folder.
    fn place(&self, requirement: &mut Requirement) {
        let text = requirement.text.clone();
        let (before, path) = match requirement.kind {
            RequirementKind::Path => ("", text.as_str()),
            RequirementKind::Url => match text.split_once("file:") {
                Some((before, path)) => (before, path.strip_prefix("//").unwrap_or(path)),
                None => return,
            },
            RequirementKind::Package | RequirementKind::Option => return,
        };
        let end = path.find([' ', ';', '[', '#']).unwrap_or(path.len());
        let (path, after) = path.split_at(end);
        let path = self.folder.join(path.trim_start_matches("localhost/"));
        requirement.text = match requirement.kind {
            RequirementKind::Url => format!("{before}file://{}{after}", path.display()),
            _ => format!("{}{after}", path.display()),
        };
        requirement.path = Some(path);
    }

    fn is_inside(&self, file: &str) -> bool {
        let path = self.folder.join(file);
        let (path, folder) = (fs::canonicalize(path), fs::canonicalize(self.folder));
        matches!((path, folder), (Ok(path), Ok(folder)) if path.starts_with(&folder) && path.is_file())
    }
}

/// The names of packages that two lists pin to different versions.
fn differing(one: &[Requirement], other: &[Requirement]) -> Vec<String> {
    let differs = |a: &&Requirement| {
        other.iter().any(|b| {
            let both = a.version().zip(b.version());
            a.name.is_some() && a.name == b.name && both.is_some_and(|(a, b)| a != b)
        })
    };
    one.iter()
        .filter(differs)
        .filter_map(|requirement| requirement.name.clone())
        .collect()
}

fn list<'a>(map: &'a Mapping, key: &str) -> &'a [Value] {
    map.get(key)
        .and_then(Value::as_sequence)
        .map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The version of `3.11.7`, `=3.8`, `>=3.9`, …: the first number counts, as it is the one the model was made with.
fn python_asked(text: &str, path: &Path, source: &str) -> Result<PythonAsked, SpecError> {
    let number = text
        .trim()
        .trim_start_matches(|c: char| "=<>~! ".contains(c));
    let end = number
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(number.len());
    let version = Version::parse(number[..end].trim_end_matches('.'));
    let version = version.ok_or_else(|| SpecError::Python {
        path: path.to_owned(),
        found: text.to_owned(),
    })?;
    Ok(PythonAsked {
        text: text.trim().to_owned(),
        version,
        source: source.to_owned(),
    })
}
