//! The `python_function` flavor: how Python loads and calls the model.

use serde_yaml_ng::{Mapping, Value};

/// What `flavors.python_function` says.
#[derive(Clone, Debug, PartialEq)]
pub struct PythonFunction {
    /// The module whose `_load_pyfunc` loads the model.
    pub loader_module: String,
    /// The path that the loader is given, relative to the folder; the folder itself when absent.
    pub data: Option<String>,
    /// The folder that goes on Python's path.
    pub code: Option<String>,
    /// The file that describes the conda environment.
    pub conda_env: Option<String>,
    /// The file that describes the Python environment.
    pub python_env: Option<String>,
    /// The Python that the model was made with.
    pub python_version: Option<String>,
    /// The attribute that is called.
    pub predict_fn: String,
    /// The model config with its default values, which the loader is given.
    pub config: Option<Mapping>,
    /// Files that the loader needs beside `data`, relative to the folder: the model, its code, its artifacts.
    pub files: Vec<String>,
}

impl PythonFunction {
    pub(crate) fn read(flavor: &Mapping) -> Self {
        let text = |key: &str| flavor.get(key).and_then(Value::as_str).map(str::to_owned);
        let (conda_env, python_env) = match flavor.get("env") {
            Some(Value::String(file)) => (Some(file.clone()), None),
            Some(Value::Mapping(map)) => {
                let member = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
                (member("conda"), member("virtualenv"))
            }
            _ => (None, None),
        };
        // The code path was absolute on the author's machine; the file lies at the folder's root.
        let model_code = text("model_code_path").map(|path| {
            path.rsplit(['/', '\\'])
                .next()
                .unwrap_or_default()
                .to_owned()
        });
        let files = [
            text("model_path"),
            text("model_data"),
            text("python_model"),
            model_code,
        ];
        let artifacts = flavor.get("artifacts").and_then(Value::as_mapping);
        let artifacts = artifacts.into_iter().flat_map(Mapping::values);
        let artifacts = artifacts.filter_map(|artifact| artifact.get("path")?.as_str());
        Self {
            loader_module: text("loader_module").unwrap_or_default(),
            data: text("data"),
            code: text("code").filter(|code| !code.is_empty()),
            conda_env,
            python_env,
            python_version: text("python_version"),
            predict_fn: text("predict_fn").unwrap_or_else(|| "predict".to_owned()),
            config: flavor.get("config").and_then(Value::as_mapping).cloned(),
            files: files
                .into_iter()
                .flatten()
                .chain(artifacts.map(str::to_owned))
                .collect(),
        }
    }
}
