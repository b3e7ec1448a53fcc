//! What the model's Python needs: first as the folder tells it, then as this machine would give it.

use std::path::Path;

use sluis_environment::{Spec, local, read_spec};
use sluis_mlflow::model::Model;

use super::report::{AdditionPlan, EnvironmentPlan, PackagePlan, ResolvedEnvironment, Warning};
use crate::environment::{EnvManager, EnvironmentOptions, files};

/// The environment as far as the folder tells it: no interpreter is looked for.
#[cfg(test)]
pub(crate) fn from_folder(model: &Model) -> EnvironmentPlan {
    read(model).0
}

/// The environment with the interpreter of this machine that would be used.
pub(crate) fn on_this_machine(
    model: &Model,
    options: &EnvironmentOptions,
    data_dir: &Path,
) -> EnvironmentPlan {
    let (mut plan, spec) = read(model);
    if let (Some(resolved), Some(spec)) = (&mut plan.resolved, spec) {
        match options.env_manager {
            EnvManager::Uv | EnvManager::Conda => built(resolved, &spec, options, data_dir),
            EnvManager::Local => as_it_is(resolved, &spec, options),
        }
    }
    plan
}

fn read(model: &Model) -> (EnvironmentPlan, Option<Spec>) {
    let mut plan = EnvironmentPlan {
        missing_files: model.missing_environment_files.clone(),
        python_asked: model.python_function.python_version.clone(),
        ..EnvironmentPlan::default()
    };
    match read_spec(&files(model)) {
        Ok(spec) => {
            plan.files.clone_from(&spec.files);
            plan.python_asked = spec
                .python
                .as_ref()
                .map(|python| python.version.to_string());
            plan.resolved = Some(asked(&spec));
            (plan, Some(spec))
        }
        Err(problem) => {
            let mut resolved = asked(&Spec::default());
            let mut message = problem.to_string();
            if let Some(source) = std::error::Error::source(&problem) {
                message = format!("{message}: {source}");
            }
            resolved
                .warnings
                .push(Warning::new("environment_unreadable", message));
            plan.resolved = Some(resolved);
            (plan, None)
        }
    }
}

fn asked(spec: &Spec) -> ResolvedEnvironment {
    let packages = spec.requirements.iter().map(|requirement| PackagePlan {
        requirement: requirement.text.clone(),
        pinned: requirement.pinned,
    });
    let additions = spec.additions.iter().map(|addition| AdditionPlan {
        requirement: addition.requirement.clone(),
        reason: addition.reason.clone(),
    });
    let mut warnings = Vec::new();
    if !spec.conda_packages.is_empty() {
        let message = format!(
            "{}: conda packages cannot be installed yet; serve with --env-manager local and a Python that has them",
            spec.conda_packages.join(", ")
        );
        warnings.push(Warning::new("conda_packages", message));
    }
    ResolvedEnvironment {
        interpreter: None,
        interpreter_version: None,
        packages: packages.collect(),
        additions: additions.collect(),
        conda_packages: spec.conda_packages.clone(),
        built: false,
        warnings,
    }
}

fn built(
    resolved: &mut ResolvedEnvironment,
    spec: &Spec,
    options: &EnvironmentOptions,
    data_dir: &Path,
) {
    let environments = options.environments(data_dir);
    let choice = environments.choose(spec);
    let Some(python) = choice.candidates.first() else {
        let asked = choice
            .asked
            .map_or_else(|| "3.8 or newer".to_owned(), |asked| asked.to_string());
        let message = format!("Python {asked} is not on this machine; uv would try to fetch it");
        resolved
            .warnings
            .push(Warning::new("python_version", message));
        return;
    };
    if let Some(asked) = choice.asked.filter(|_| !choice.is_exact()) {
        let message = format!(
            "the model was made with Python {asked}, which is not on this machine; if uv cannot fetch it, Python {} serves",
            python.version
        );
        resolved
            .warnings
            .push(Warning::new("python_version", message));
    }
    resolved.interpreter = Some(python.path.display().to_string());
    resolved.interpreter_version = Some(python.version.to_string());
    resolved.built = environments.is_built(spec, python);
}

fn as_it_is(resolved: &mut ResolvedEnvironment, spec: &Spec, options: &EnvironmentOptions) {
    match local(&options.local_python(), spec) {
        Ok(environment) => {
            resolved.interpreter = Some(environment.python.display().to_string());
            resolved.interpreter_version = Some(environment.version.to_string());
            resolved.built = true;
            let warnings = environment
                .warnings
                .into_iter()
                .map(|text| Warning::new("local_python", text));
            resolved.warnings.extend(warnings);
        }
        Err(problem) => resolved
            .warnings
            .push(Warning::new("local_python", problem.to_string())),
    }
}
