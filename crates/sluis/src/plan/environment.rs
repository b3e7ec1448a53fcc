//! What the folder itself tells about the model's environment: which files describe it, and the Python it names.
//!
//! Solves nothing and reads no requirement: `resolved` is for whoever knows environments to fill.

use sluis_mlflow::model::Model;

use super::report::EnvironmentPlan;

/// Files that MLflow gives these names whether or not `MLmodel` mentions them.
const USUAL_FILES: [&str; 4] = [
    "python_env.yaml",
    "conda.yaml",
    "requirements.txt",
    "constraints.txt",
];

/// The environment as far as the folder tells it.
pub(crate) fn from_folder(model: &Model) -> EnvironmentPlan {
    let function = &model.python_function;
    let named = [&function.python_env, &function.conda_env];
    let named = named.into_iter().flatten().map(String::as_str);
    let mut files: Vec<String> = Vec::new();
    for file in named.chain(USUAL_FILES) {
        let known = files.iter().any(|other| other == file);
        if !known && model.folder.join(file).is_file() {
            files.push(file.to_owned());
        }
    }
    EnvironmentPlan {
        files,
        missing_files: model.missing_environment_files.clone(),
        python_asked: function.python_version.clone(),
        resolved: None,
    }
}
