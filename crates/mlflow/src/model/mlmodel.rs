//! `MLmodel` as data.

use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml_ng::{Mapping, Value};

use super::error::ModelError;
use super::folder;
use super::pyfunc::PythonFunction;
use super::signature;
use super::types::Signature;

/// A model folder that was read.
#[derive(Clone, Debug)]
pub struct Model {
    /// The folder.
    pub folder: PathBuf,
    /// Its name in the registry where the folder tells it, else the folder's own.
    pub name: String,
    /// Its version in the registry, where the folder tells it.
    pub registered_version: Option<String>,
    /// Every flavor with what `MLmodel` says of it, in the file's order.
    pub flavors: Vec<(String, Mapping)>,
    /// The flavor that is served.
    pub python_function: PythonFunction,
    /// What the model takes and gives.
    pub signature: Option<Signature>,
    /// The MLflow that wrote the folder.
    pub mlflow_version: Option<String>,
    /// The model's id.
    pub model_uuid: Option<String>,
    /// The run that logged it.
    pub run_id: Option<String>,
    /// When it was made, UTC.
    pub utc_time_created: Option<String>,
    /// Whether the signature follows from Python type hints, which changes the request protocol.
    pub is_signature_from_type_hint: bool,
    /// Whether payloads are turned back into the container of the input example before `predict` is called.
    pub type_hint_from_example: bool,
    /// Free-form facts that the author added.
    pub metadata: Option<Mapping>,
    /// The stored input example.
    pub example: Option<ExampleInfo>,
    /// Files that `MLmodel` names and the folder lacks.
    pub missing_files: Vec<String>,
    /// Environment files that `MLmodel` names and the folder lacks.
    pub missing_environment_files: Vec<String>,
}

/// What `saved_input_example_info` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExampleInfo {
    /// The file of the example.
    pub path: Option<String>,
    /// `dataframe`, `ndarray`, `json_object`, …
    pub kind: Option<String>,
    /// `split` or `values`.
    pub orient: Option<String>,
    /// Whether the file also holds params.
    pub params: bool,
    /// The file of a ready request.
    pub serving_path: Option<String>,
}

impl Model {
    /// Reads the model at a folder, a `file:` URI, or the path of an `MLmodel` file. Missing model files are no error
    /// here but listed, so that a plan can be shown.
    pub fn open(location: &str) -> Result<Self, ModelError> {
        let folder = folder::resolve(location)?;
        let path = folder.join(folder::MLMODEL);
        let text = fs::read_to_string(&path).map_err(|source| ModelError::Read {
            path: path.clone(),
            source,
        })?;
        let document: Value =
            serde_yaml_ng::from_str(&text).map_err(|problem| ModelError::Yaml {
                path: path.clone(),
                problem: problem.to_string(),
            })?;
        let Value::Mapping(document) = document else {
            return Err(field(&path, "the document", "a map of keys"));
        };
        Self::read(folder, &path, &document)
    }

    fn read(folder: PathBuf, path: &Path, document: &Mapping) -> Result<Self, ModelError> {
        let flavors = flavors(path, document)?;
        let Some((_, flavor)) = flavors.iter().find(|(name, _)| name == "python_function") else {
            let found = flavors.iter().map(|(name, _)| match name.as_str() {
                "crate" => "crate (an R function)",
                other => other,
            });
            let found = match flavors.is_empty() {
                true => "an empty list of flavors".to_owned(),
                false => found.collect::<Vec<_>>().join(", "),
            };
            return Err(ModelError::NoPythonFunction { folder, found });
        };
        let python_function = PythonFunction::read(flavor);
        if python_function.loader_module.is_empty() {
            return Err(field(
                path,
                "flavors.python_function.loader_module",
                "the name of a Python module",
            ));
        }
        let external = document
            .get("metadata")
            .and_then(|metadata| metadata.get("mlflow.model.isExternal"));
        if external == Some(&Value::Bool(true)) {
            return Err(ModelError::External { folder });
        }
        let text = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key: &str| document.get(key).and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            name: folder::name(&folder),
            registered_version: folder::registered(&folder, "model_version"),
            missing_files: folder::missing_files(&folder, &python_function)?,
            missing_environment_files: folder::missing_environment_files(
                &folder,
                &python_function,
            )?,
            signature: read_signature(path, document)?,
            example: document
                .get("saved_input_example_info")
                .and_then(Value::as_mapping)
                .map(example_info),
            mlflow_version: text("mlflow_version"),
            model_uuid: text("model_uuid"),
            run_id: text("run_id"),
            utc_time_created: text("utc_time_created"),
            is_signature_from_type_hint: flag("is_signature_from_type_hint"),
            type_hint_from_example: flag("type_hint_from_example"),
            metadata: document
                .get("metadata")
                .and_then(Value::as_mapping)
                .cloned(),
            flavors,
            python_function,
            folder,
        })
    }
}

fn field(path: &Path, field: &str, expected: &'static str) -> ModelError {
    ModelError::Field {
        path: path.to_owned(),
        field: field.to_owned(),
        expected,
    }
}

fn flavors(path: &Path, document: &Mapping) -> Result<Vec<(String, Mapping)>, ModelError> {
    let Some(flavors) = document.get("flavors").and_then(Value::as_mapping) else {
        return Err(field(path, "flavors", "a map of flavors"));
    };
    let read = flavors.iter().map(|(name, value)| {
        let name = name.as_str().unwrap_or_default().to_owned();
        match value {
            Value::Mapping(flavor) => Ok((name, flavor.clone())),
            Value::Null => Ok((name, Mapping::new())),
            _ => Err(field(path, &format!("flavors.{name}"), "a map of keys")),
        }
    });
    read.collect()
}

fn read_signature(path: &Path, document: &Mapping) -> Result<Option<Signature>, ModelError> {
    let Some(Value::Mapping(parts)) = document.get("signature") else {
        return Ok(None);
    };
    let part = |key: &str| parts.get(key).and_then(Value::as_str);
    signature::read(part("inputs"), part("outputs"), part("params"))
        .map(Some)
        .map_err(|source| ModelError::Signature {
            path: path.to_owned(),
            source,
        })
}

fn example_info(info: &Mapping) -> ExampleInfo {
    let text = |key: &str| info.get(key).and_then(Value::as_str).map(str::to_owned);
    let params = match info.get("params") {
        Some(Value::Bool(params)) => *params,
        Some(Value::String(params)) => params == "true",
        _ => false,
    };
    ExampleInfo {
        path: text("artifact_path"),
        kind: text("type"),
        orient: text("pandas_orient"),
        params,
        serving_path: text("serving_input_path"),
    }
}
