//! Interpreters: versions, the ones on this machine, and which of them a model gets.

mod find;

use std::fmt;
use std::path::PathBuf;

pub(crate) use find::{inspect, on_this_machine};

/// The oldest minor version of Python 3 that the worker runs on.
pub(crate) const OLDEST_MINOR: u32 = 8;

/// The newest one that is looked for.
pub(crate) const NEWEST_MINOR: u32 = 14;

/// A version of Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 3
    pub major: u32,
    /// 11
    pub minor: u32,
    /// 7, where it is known.
    pub patch: Option<u32>,
}

impl Version {
    /// The version of `3.11` or `3.11.7`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse::<u32>);
        let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
        Some(Self {
            major,
            minor,
            patch: parts.next().and_then(Result::ok),
        })
    }

    /// Whether both have the same major and minor version.
    pub fn same_minor(self, other: Version) -> bool {
        (self.major, self.minor) == (other.major, other.minor)
    }

    /// `3.11`
    pub fn minor_text(self) -> String {
        format!("{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.patch {
            Some(patch) => write!(formatter, "{}.{}.{patch}", self.major, self.minor),
            None => write!(formatter, "{}.{}", self.major, self.minor),
        }
    }
}

/// What happens when the model's own minor version cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PythonPolicy {
    /// The nearest newer minor version that solves, with a warning.
    #[default]
    Nearest,
    /// An error.
    Exact,
}

/// A Python that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Its executable.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// The interpreters that a model may get, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonChoice {
    /// What was asked, if anything was.
    pub asked: Option<Version>,
    /// Candidates on this machine: the version asked, then newer ones where the policy allows them.
    pub candidates: Vec<Interpreter>,
}

impl PythonChoice {
    /// Chooses among the interpreters of this machine.
    pub(crate) fn among(
        asked: Option<Version>,
        policy: PythonPolicy,
        found: &[Interpreter],
    ) -> Self {
        let wanted = |interpreter: &&Interpreter| match asked {
            None => true,
            Some(asked) if interpreter.version.same_minor(asked) => true,
            Some(asked) => policy == PythonPolicy::Nearest && interpreter.version > asked,
        };
        let mut candidates: Vec<Interpreter> = found.iter().filter(wanted).cloned().collect();
        if asked.is_some() {
            candidates
                .sort_by_key(|interpreter| (interpreter.version.major, interpreter.version.minor));
        }
        candidates.dedup_by(|a, b| a.version.same_minor(b.version));
        Self { asked, candidates }
    }

    /// Whether the first candidate has the minor version that was asked.
    pub fn is_exact(&self) -> bool {
        match (self.asked, self.candidates.first()) {
            (None, Some(_)) => true,
            (Some(asked), Some(first)) => first.version.same_minor(asked),
            (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(versions: &[&str]) -> Vec<Interpreter> {
        let read = |text: &&str| Interpreter {
            path: PathBuf::from(text),
            version: Version::parse(text).unwrap(),
        };
        versions.iter().map(read).collect()
    }

    #[test]
    fn the_own_minor_version_comes_first_then_newer_ones() {
        let all = found(&["3.12.1", "3.8.18", "3.10.13", "3.11.7"]);
        let choose = |asked: &str, policy| {
            let choice = PythonChoice::among(Version::parse(asked), policy, &all);
            let exact = choice.is_exact();
            (
                choice
                    .candidates
                    .iter()
                    .map(|one| one.version.to_string())
                    .collect::<Vec<_>>(),
                exact,
            )
        };
        assert_eq!(
            choose("3.10.11", PythonPolicy::Nearest),
            (
                vec!["3.10.13".into(), "3.11.7".into(), "3.12.1".into()],
                true
            )
        );
        assert_eq!(
            choose("3.9", PythonPolicy::Nearest),
            (
                vec!["3.10.13".into(), "3.11.7".into(), "3.12.1".into()],
                false
            )
        );
        assert_eq!(choose("3.9", PythonPolicy::Exact), (vec![], false));
        assert_eq!(
            choose("3.14", PythonPolicy::Nearest).0,
            Vec::<String>::new()
        );
        assert_eq!(
            PythonChoice::among(None, PythonPolicy::Nearest, &all).candidates[0]
                .version
                .minor,
            12
        );
    }
}
