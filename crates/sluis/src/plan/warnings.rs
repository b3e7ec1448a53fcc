//! What to know about a model before it is served, each with a stable code (`docs/plan.md` lists them).

use sluis_mlflow::model::{Facts, LoaderOrigin, Model};

use super::report::{EnvironmentPlan, Warning};

/// Flavors whose libraries start a Java program.
const NEED_JAVA: [&str; 3] = ["mlflow.spark", "mlflow.h2o", "mlflow.johnsnowlabs"];

/// Every warning, those that keep the model from being served first.
pub(crate) fn collect(
    model: &Model,
    facts: &Facts,
    environment: &EnvironmentPlan,
    has_example: bool,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for file in &model.missing_files {
        warnings.push(Warning::new(
            "missing_file",
            format!(
                "'{file}' is named in MLmodel but not in the folder: the model cannot be loaded"
            ),
        ));
    }
    loader(model, &mut warnings);
    environment_warnings(environment, &mut warnings);
    signature(model, has_example, &mut warnings);
    if !facts.pickles.is_empty() {
        let (files, verb) = (facts.pickles.join(", "), plural(facts.pickles.len()));
        warnings.push(Warning::new(
            "pickle",
            format!(
                "{files} {verb} written by pickle or skops: loading runs code of whoever made the model, so serve it \
                 only if you trust its origin"
            ),
        ));
    }
    if writer_is_1x(model) {
        warnings.push(Warning::new(
            "mlflow_1",
            "written by MLflow 1.x, whose own server took bare split or record bodies; the forms of MLflow 2 and 3 are \
             dataframe_split, dataframe_records, inputs and instances",
        ));
    }
    warnings
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn loader(model: &Model, warnings: &mut Vec<Warning>) {
    let module = &model.python_function.loader_module;
    match model.loader_origin() {
        LoaderOrigin::Mlflow | LoaderOrigin::ModelCode => {}
        LoaderOrigin::OldMlflow => warnings.push(Warning::new(
            "removed_loader",
            format!("'{module}' is no longer part of MLflow: the model needs the MLflow version that it pins"),
        )),
        LoaderOrigin::Unknown => warnings.push(Warning::new(
            "unknown_loader",
            format!(
                "'{module}' is neither one of MLflow's loader modules nor in the model's code folder: one of the \
                 model's packages must bring it"
            ),
        )),
    }
    if NEED_JAVA.contains(&module.as_str()) {
        warnings.push(Warning::new(
            "needs_java",
            format!("'{module}' needs a Java runtime, which the environment does not bring"),
        ));
    }
}

fn environment_warnings(environment: &EnvironmentPlan, warnings: &mut Vec<Warning>) {
    for file in &environment.missing_files {
        warnings.push(Warning::new(
            "missing_environment_file",
            format!("'{file}' is named in MLmodel but not in the folder"),
        ));
    }
    if environment.files.is_empty() {
        warnings.push(Warning::new(
            "no_environment",
            "no file of the folder describes an environment: add conda.yaml, or python_env.yaml with \
             requirements.txt, or serve with --env-manager local",
        ));
    }
    let Some(resolved) = &environment.resolved else {
        return;
    };
    let unpinned = resolved.packages.iter().filter(|package| !package.pinned);
    let unpinned: Vec<&str> = unpinned
        .map(|package| package.requirement.as_str())
        .collect();
    if !unpinned.is_empty() {
        warnings.push(Warning::new(
            "unpinned_packages",
            format!("{} not pinned to one version", unpinned.join(", ")),
        ));
    }
    warnings.extend(resolved.warnings.iter().cloned());
}

fn signature(model: &Model, has_example: bool, warnings: &mut Vec<Warning>) {
    let inputs = model
        .signature
        .as_ref()
        .and_then(|signature| signature.inputs.as_ref());
    if inputs.is_none() {
        warnings.push(Warning::new(
            "no_signature",
            "no input signature: payloads are not checked, and their types are guessed from each request; log the \
             model with a signature",
        ));
    }
    if !has_example {
        warnings.push(Warning::new(
            "no_example",
            "no input example that can be sent: the model is ready as soon as it is loaded, without a trial call",
        ));
    }
}

/// The writer's version says so; without one, so does an `env` that is a single file, as before MLflow 2.0.
fn writer_is_1x(model: &Model) -> bool {
    let function = &model.python_function;
    match &model.mlflow_version {
        Some(version) => version.starts_with("1."),
        None => function.conda_env.is_some() && function.python_env.is_none(),
    }
}
