//! Where a model's loader module comes from: MLflow, an old MLflow, the model's own code, or nobody knows.
//!
//! Looks at names and files only; imports nothing.

use super::mlmodel::Model;

/// Where `loader_module` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoaderOrigin {
    /// One of MLflow's own.
    Mlflow,
    /// One that MLflow had once: it needs the MLflow that the model pins.
    OldMlflow,
    /// A module in the model's code folder.
    ModelCode,
    /// None of these; one of the model's packages may still bring it.
    Unknown,
}

/// The loader modules of MLflow 3.17, without `mlflow.`.
const BUILT_IN: [&str; 29] = [
    "catboost",
    "diffusers",
    "dspy",
    "h2o",
    "johnsnowlabs",
    "keras",
    "langchain",
    "lightgbm",
    "llama_index",
    "onnx",
    "openai",
    "paddle",
    "pmdarima",
    "prophet",
    "pyfunc.loaders.chat_agent",
    "pyfunc.loaders.chat_model",
    "pyfunc.loaders.code_model",
    "pyfunc.loaders.responses_agent",
    "pyfunc.model",
    "pytorch",
    "sentence_transformers",
    "shap",
    "sklearn",
    "spacy",
    "spark",
    "statsmodels",
    "tensorflow",
    "transformers",
    "xgboost",
];

/// Flavors that MLflow had and dropped.
const REMOVED: [&str; 6] = [
    "diviner",
    "fastai",
    "gluon",
    "mleap",
    "promptflow",
    "recipes",
];

impl Model {
    /// Where the loader module comes from.
    pub fn loader_origin(&self) -> LoaderOrigin {
        let module = self.python_function.loader_module.as_str();
        if let Some(own) = module.strip_prefix("mlflow.") {
            if BUILT_IN.contains(&own) {
                return LoaderOrigin::Mlflow;
            }
            let top = own.split('.').next().unwrap_or(own);
            if REMOVED.contains(&top) {
                return LoaderOrigin::OldMlflow;
            }
        }
        match self.in_code_folder(module) {
            true => LoaderOrigin::ModelCode,
            false => LoaderOrigin::Unknown,
        }
    }

    fn in_code_folder(&self, module: &str) -> bool {
        let Some(code) = &self.python_function.code else {
            return false;
        };
        let code = self.folder.join(code);
        let top = module.split('.').next().unwrap_or(module);
        code.join(top).is_dir() || code.join(format!("{top}.py")).is_file()
    }
}
