//! Facts about a model that follow from its folder: versions, size, pickles, whether it scores row by row.

use serde_yaml_ng::Value;

use super::folder;
use super::loader::LoaderOrigin;
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
        let files = folder::files(&self.folder);
        let unknown = self.loader_origin() == LoaderOrigin::Unknown;
        Facts {
            flavors: self
                .flavors
                .iter()
                .map(|(name, flavor)| FlavorVersion {
                    flavor: name.clone(),
                    version: version(name, flavor),
                })
                .collect(),
            size_bytes: files.iter().map(|(_, bytes)| bytes).sum(),
            files: files.len(),
            unknown_loader: unknown.then(|| self.python_function.loader_module.clone()),
            pickles: files
                .into_iter()
                .map(|(file, _)| file)
                .filter(|file| is_pickle(file))
                .collect(),
        }
    }
}

fn is_pickle(file: &str) -> bool {
    // `.pth` and `.pt` are written by torch.save, `.pmd` and `.statsmodels` by MLflow's flavors; skops files bring
    // their own list of types to trust, so they are no safer here.
    const ENDINGS: [&str; 8] = [
        ".pkl",
        ".pickle",
        ".skops",
        ".joblib",
        ".pth",
        ".pt",
        ".pmd",
        ".statsmodels",
    ];
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
        "spark" => "pyspark_version",
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
