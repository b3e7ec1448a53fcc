//! What inference adds: only what the model does not bring, solved together with the model's own pins.

use super::requirement::Requirement;

/// A package that inference adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The requirement.
    pub requirement: String,
    /// Why it is needed.
    pub reason: String,
}

/// MLflow's scoring application is Flask's before this version and FastAPI's from it on.
const FASTAPI_SINCE: (u32, u32) = (2, 21);

/// From this version on MLflow works with Starlette 1.
const STARLETTE_1_SINCE: (u32, u32) = (3, 11);

/// The additions to a model's requirements.
pub(crate) fn for_inference(requirements: &[Requirement], writer: Option<&str>) -> Vec<Addition> {
    let named = |name: &str| {
        requirements
            .iter()
            .find(|requirement| requirement.name.as_deref() == Some(name))
    };
    let mut additions = Vec::new();
    let mut add = |requirement: String, reason: &str| {
        additions.push(Addition {
            requirement,
            reason: reason.to_owned(),
        });
    };
    let skinny = named("mlflow-skinny");
    let own = named("mlflow").or(skinny);
    let version = match own {
        Some(mlflow) => mlflow.version(),
        None => writer.filter(|version| is_release(version)),
    };
    if own.is_none() {
        let requirement = version.map_or_else(
            || "mlflow-skinny".to_owned(),
            |version| format!("mlflow-skinny=={version}"),
        );
        add(requirement, "the model brings no MLflow to load it");
    }
    let minor = version.and_then(minor);
    let is_skinny = own.is_none() || (named("mlflow").is_none() && skinny.is_some());
    if is_skinny && minor.is_some_and(|minor| minor < FASTAPI_SINCE) {
        add(
            "flask<3".to_owned(),
            "the scoring application of this MLflow is a Flask one",
        );
    }
    if minor.is_some_and(|minor| (FASTAPI_SINCE..STARLETTE_1_SINCE).contains(&minor))
        && named("starlette").is_none()
    {
        add(
            "starlette<1".to_owned(),
            "this MLflow's scoring application does not start with Starlette 1",
        );
    }
    for (name, reason) in [
        ("pandas", "MLflow gives models their rows as pandas frames"),
        ("numpy", "MLflow gives models their tensors as numpy arrays"),
        (
            "pyarrow",
            "frames of several types travel to the model as Arrow",
        ),
    ] {
        if named(name).is_none() {
            add(name.to_owned(), reason);
        }
    }
    additions
}

fn is_release(version: &str) -> bool {
    version.split('.').count() >= 2 && version.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(lines: &[&str], writer: Option<&str>) -> Vec<String> {
        let requirements: Vec<_> = lines
            .iter()
            .filter_map(|line| Requirement::read(line, "r", 1))
            .collect();
        for_inference(&requirements, writer)
            .into_iter()
            .map(|addition| addition.requirement)
            .collect()
    }

    #[test]
    fn only_what_is_missing_is_added() {
        assert_eq!(
            added(&["mlflow==3.17.2", "pandas==3.1.1", "numpy==2.4.6"], None),
            ["pyarrow"]
        );
        assert_eq!(
            added(&["pandas", "numpy", "pyarrow"], Some("3.17.2")),
            ["mlflow-skinny==3.17.2"]
        );
        assert_eq!(
            added(&["pandas", "numpy", "pyarrow"], Some("3.18.0.dev0")),
            ["mlflow-skinny"]
        );
        assert_eq!(
            added(&["mlflow==2.22.1", "pandas", "numpy", "pyarrow"], None),
            ["starlette<1"]
        );
        assert_eq!(
            added(
                &["mlflow-skinny==1.30.1", "pandas", "numpy", "pyarrow"],
                None
            ),
            ["flask<3"]
        );
        assert_eq!(
            added(&["mlflow==2.7.1", "pandas", "numpy", "pyarrow"], None),
            Vec::<String>::new()
        );
    }
}
