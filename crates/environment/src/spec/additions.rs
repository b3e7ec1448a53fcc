//! What inference adds: only what the model does not bring, solved together with the model's own pins.

use super::requirement::{Requirement, RequirementKind};
use crate::lock::Package;

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

/// A limit that MLflow versions need and do not set themselves: found by starting each of them with the newest packages.
struct Limit {
    name: &'static str,
    requirement: &'static str,
    /// The first MLflow that needs it, and the first that does not any more.
    versions: ((u32, u32), (u32, u32)),
    reason: &'static str,
}

/// Environments that MLflow makes have setuptools among their build dependencies, so it never asks for it.
const LIMITS: [Limit; 6] = [
    Limit {
        name: "starlette",
        requirement: "starlette<1",
        versions: (FASTAPI_SINCE, (3, 11)),
        reason: "this MLflow's scoring application does not start with Starlette 1",
    },
    Limit {
        name: "setuptools",
        requirement: "setuptools<81",
        versions: ((0, 0), (2, 16)),
        reason: "older MLflow imports pkg_resources, which newer setuptools lack",
    },
    Limit {
        name: "protobuf",
        requirement: "protobuf<4",
        versions: ((0, 0), (1, 28)),
        reason: "this MLflow does not start with protobuf 4",
    },
    Limit {
        name: "numpy",
        requirement: "numpy<1.24",
        versions: ((0, 0), (1, 26)),
        reason: "this MLflow uses names that NumPy 1.24 removed",
    },
    Limit {
        name: "pandas",
        requirement: "pandas<2",
        versions: ((0, 0), (2, 0)),
        reason: "MLflow 1 was made for pandas 1",
    },
    Limit {
        name: "pandas",
        requirement: "pandas<3",
        versions: ((2, 0), (3, 16)),
        reason: "this MLflow asks for a pandas before 3, its skinny part leaves that out",
    },
];

/// The additions to a model's requirements.
pub(crate) fn for_inference(requirements: &[Requirement], writer: Option<&str>) -> Vec<Addition> {
    let named = |name: &str| {
        requirements
            .iter()
            .find(|requirement| requirement.name.as_deref() == Some(name))
    };
    let mut additions: Vec<Addition> = Vec::new();
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
    let mut limited = Vec::new();
    for limit in LIMITS.iter().filter(|limit| limit.holds_for(minor)) {
        if named(limit.name).is_none_or(allows_any_version) {
            add(limit.requirement.to_owned(), limit.reason);
            limited.push(limit.name);
        }
    }
    for (name, reason) in [
        ("pandas", "MLflow gives models their rows as pandas frames"),
        ("numpy", "MLflow gives models their tensors as numpy arrays"),
        (
            "pyarrow",
            "frames of several types travel to the model as Arrow",
        ),
    ] {
        if named(name).is_none() && !limited.contains(&name) {
            add(name.to_owned(), reason);
        }
    }
    additions
}

/// The additions, once it is known which NumPy the model's own requirements come to; none where they fit already.
///
/// pyarrow asks for NumPy 2 from version 26 on, but only when it is used: solving cannot know.
pub(crate) fn fitting(additions: &[Addition], solved: &[Package]) -> Option<Vec<Addition>> {
    let major = |name: &str| {
        let package = solved.iter().find(|package| package.name == name)?;
        package.version.split('.').next()?.parse::<u32>().ok()
    };
    let is_too_new = major("numpy")? < 2 && major("pyarrow")? >= 26;
    let place = additions
        .iter()
        .position(|addition| addition.requirement == "pyarrow");
    let place = place.filter(|_| is_too_new)?;
    let mut fitting = additions.to_vec();
    fitting[place].requirement = "pyarrow<26".to_owned();
    Some(fitting)
}

impl Limit {
    /// An MLflow that is not pinned may become any version, where other pins force it: setuptools does no harm then.
    fn holds_for(&self, minor: Option<(u32, u32)>) -> bool {
        let (first, end) = self.versions;
        match minor {
            Some(minor) => (first..end).contains(&minor),
            None => self.name == "setuptools",
        }
    }
}

fn allows_any_version(requirement: &Requirement) -> bool {
    requirement.kind == RequirementKind::Package
        && !requirement.text.contains(['=', '<', '>', '~', '!'])
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
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
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
            ["mlflow-skinny", "setuptools<81"]
        );
        assert_eq!(
            added(
                &["mlflow==2.22.1", "pandas==2.3.3", "numpy", "pyarrow"],
                None
            ),
            ["starlette<1"]
        );
        assert_eq!(
            added(&["mlflow-skinny==2.22.1", "numpy", "pyarrow"], None),
            ["starlette<1", "pandas<3"]
        );
        assert_eq!(
            added(
                &["mlflow-skinny==1.30.1", "pandas", "numpy", "pyarrow"],
                None
            ),
            ["flask<3", "setuptools<81", "pandas<2"]
        );
        assert_eq!(
            added(&["mlflow==1.23.1", "pandas", "numpy", "pyarrow"], None),
            ["setuptools<81", "protobuf<4", "numpy<1.24", "pandas<2"]
        );
        assert_eq!(
            added(
                &[
                    "mlflow==1.23.1",
                    "setuptools==59.8",
                    "protobuf==3.20.3",
                    "pandas==1.3.5",
                    "numpy>=1.20",
                    "pyarrow"
                ],
                None
            ),
            Vec::<String>::new()
        );
        assert_eq!(
            added(
                &["mlflow==2.7.1", "pandas==2.0.3", "numpy", "pyarrow"],
                None
            ),
            ["setuptools<81"]
        );
        assert_eq!(
            added(
                &["mlflow==2.16.2", "pandas==2.0.3", "numpy", "pyarrow"],
                None
            ),
            Vec::<String>::new()
        );
    }

    #[test]
    fn pyarrow_follows_the_numpy_that_was_solved() {
        let addition = |requirement: &str| Addition {
            requirement: requirement.to_owned(),
            reason: String::new(),
        };
        let solved = |numpy: &str, pyarrow: &str| {
            [("numpy", numpy), ("pyarrow", pyarrow)].map(|(name, version)| Package {
                name: name.to_owned(),
                version: version.to_owned(),
            })
        };
        let ours = [addition("flask<3"), addition("pyarrow")];
        let narrower = fitting(&ours, &solved("1.26.4", "26.0.1"));
        assert_eq!(
            narrower,
            Some(vec![addition("flask<3"), addition("pyarrow<26")])
        );
        assert_eq!(fitting(&ours, &solved("2.4.6", "26.0.1")), None);
        assert_eq!(fitting(&ours, &solved("1.26.4", "25.0.1")), None);
        // The model's own pin stays.
        assert_eq!(fitting(&ours[..1], &solved("1.26.4", "26.0.1")), None);
    }
}
