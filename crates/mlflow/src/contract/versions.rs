//! The versions that a few rules depend on: those of MLflow and pandas in the model's environment.
//!
//! A version that is not known decides nothing: what depends on it is left to Python.

/// A version as far as rules depend on it: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl Version {
    /// The version of a text such as `3.1.1` or `3.0.0rc1`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let major = parts.next()?.parse().ok()?;
        let minor: String = parts
            .next()?
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        Some(Self(major, minor.parse().ok()?))
    }
}

/// What is known of the model's environment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Versions {
    pub(crate) mlflow: Option<Version>,
    pub(crate) pandas: Option<Version>,
    pub(crate) numpy: Option<Version>,
}

impl Versions {
    /// Whether the server's own rules were measured: MLflow since 2.22, with pandas 2 or 3.
    pub(crate) fn known_server(&self) -> bool {
        self.mlflow.is_some_and(|version| version >= Version(2, 22))
            && self.pandas_major().is_some()
    }

    /// Whether numpy refuses Python integers that are out of range, instead of wrapping them.
    pub(crate) fn numpy_2(&self) -> bool {
        self.numpy.is_some_and(|version| version.0 >= 2)
    }

    /// Whether MLflow lets pandas guess one date format for a whole column: since 3.12.
    pub(crate) fn one_date_format(&self) -> bool {
        self.mlflow.is_some_and(|version| version >= Version(3, 12))
            && self.pandas_major().is_some()
    }

    /// The major version of pandas, for those whose rules were measured: 2 and 3.
    pub(crate) fn pandas_major(&self) -> Option<u32> {
        self.pandas
            .map(|version| version.0)
            .filter(|major| matches!(major, 2 | 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_far_as_rules_need_them() {
        assert_eq!(Version::read("3.17.2"), Some(Version(3, 17)));
        assert_eq!(Version::read("3.0rc1"), Some(Version(3, 0)));
        assert_eq!(Version::read("3"), None);
        assert!(Version(3, 9) < Version(3, 12));
    }
}
