//! Facts about a model that follow from its folder: versions, size, pickles, whether it scores row by row.

use serde_yaml_ng::Value;

use super::folder;
use super::mlmodel::Model;

/// A flavor and the version of its library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlavorVersion {
    /// The flavor's name.
    pub flavor: String,
    /// The library's version, where `MLmodel` tells it.
    pub version: Option<String>,
}

/// What a plan shows beside the signature and the environment.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Every flavor.
    pub flavors: Vec<FlavorVersion>,
    /// Bytes of all files.
    pub size_bytes: u64,
    /// Number of files.
    pub files: usize,
    /// Files whose loading runs code of whoever made them.
    pub pickles: Vec<String>,
    /// The loader module, when it is neither MLflow's nor in the model's code folder.
    pub unknown_loader: Option<String>,
}

/// Flavors whose `predict` answers each row by itself, so that rows of several requests may share a call.
const ROW_WISE: [&str; 4] = [
    "mlflow.sklearn",
    "mlflow.xgboost",
    "mlflow.lightgbm",
    "mlflow.catboost",
];

/// Methods that answer row by row; `score`, say, does not.
const ROW_WISE_METHODS: [&str; 4] = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
];

impl Model {
    /// Whether the model answers each row by itself.
    pub fn row_wise(&self) -> bool {
        let function = &self.python_function;
        ROW_WISE.contains(&function.loader_module.as_str())
            && ROW_WISE_METHODS.contains(&function.predict_fn.as_str())
    }

    /// Reads what the folder tells beside its signature.
    pub fn facts(&self) -> Facts {
        let (size_bytes, files) = folder::size(&self.folder);
        let named = self
            .python_function
            .files
            .iter()
            .chain(&self.python_function.data);
        let pickles = named.filter(|file| is_pickle(file)).cloned();
        Facts {
            flavors: self
                .flavors
                .iter()
                .map(|(name, flavor)| FlavorVersion {
                    flavor: name.clone(),
                    version: version(name, flavor),
                })
                .collect(),
            size_bytes,
            files,
            pickles: pickles.collect(),
            unknown_loader: self.unknown_loader(),
        }
    }

    fn unknown_loader(&self) -> Option<String> {
        let module = &self.python_function.loader_module;
        if module.starts_with("mlflow.") {
            return None;
        }
        let code = self
            .python_function
            .code
            .as_ref()
            .map(|code| self.folder.join(code))?;
        let top = module.split('.').next().unwrap_or(module);
        let found = code.join(top).is_dir() || code.join(format!("{top}.py")).is_file();
        (!found).then(|| module.clone())
    }
}

fn is_pickle(file: &str) -> bool {
    const ENDINGS: [&str; 6] = [".pkl", ".pickle", ".skops", ".joblib", ".pth", ".pmd"];
    let base = file
        .trim_end_matches(".gz")
        .trim_end_matches(".bz2")
        .trim_end_matches(".lzma");
    ENDINGS.iter().any(|ending| base.ends_with(ending))
}

fn version(name: &str, flavor: &serde_yaml_ng::Mapping) -> Option<String> {
    let own = format!("{name}_version");
    let short = match name {
        "sklearn" => "sklearn_version",
        "xgboost" => "xgb_version",
        "lightgbm" => "lgb_version",
        "python_function" => "python_version",
        _ => &own,
    };
    let value = flavor.get(short).or_else(|| flavor.get(own.as_str()))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
