//! How much casting a payload may need: MLflow's own leniency, Azure's, or none that loses anything.
//!
//! Plain data: what each level allows stands where the cast is.

use std::fmt;
use std::str::FromStr;

/// What happens to values that fit the signature only by a cast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// Exactly what MLflow's own server does: JSON is cast with numpy's rules, lossy casts included.
    #[default]
    Mlflow,
    /// What Azure's no-code script does.
    Azure,
    /// Lossy and surprising casts are refused, with unknown columns and unknown params.
    Strict,
}

impl Strictness {
    /// All levels, in the order of their declaration.
    pub const ALL: [Strictness; 3] = [Strictness::Mlflow, Strictness::Azure, Strictness::Strict];

    /// The name that options and documents use.
    pub fn name(self) -> &'static str {
        match self {
            Strictness::Mlflow => "mlflow",
            Strictness::Azure => "azure",
            Strictness::Strict => "strict",
        }
    }
}

impl fmt::Display for Strictness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A text that names no strictness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no strictness: expected mlflow, azure or strict")]
pub struct UnknownStrictness(String);

impl FromStr for Strictness {
    type Err = UnknownStrictness;
    fn from_str(text: &str) -> Result<Self, UnknownStrictness> {
        let known = Self::ALL.into_iter().find(|level| level.name() == text);
        known.ok_or_else(|| UnknownStrictness(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for level in Strictness::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!("lenient".parse::<Strictness>().is_err());
    }
}
