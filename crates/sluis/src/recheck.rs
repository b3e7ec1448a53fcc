//! The options of the live re-check: how much of what Rust answers is scored again by Python.

use std::time::Duration;

use clap::Args;
use sluis_scoring::RecheckConfig;

use crate::error::CliError;
use crate::stage::ScorerChoice;

/// One call in a thousand.
const SHARE: f64 = 0.001;

/// An hour: a process costs seconds of a processor to start.
const INTERVAL: u64 = 3600;

/// Options of the live re-check.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RecheckArgs {
    /// The share of calls answered by Rust that the model's Python scores again, off the request path; the first is always one
    /// of them. At the first difference Python takes over. 0 is never, 1 is every call [default: 0.001]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    recheck: Option<f64>,
    /// Seconds after which a Python process is started for the calls to be scored again, where none is up for other
    /// reasons; it is ended when they are scored [default: 3600, and 60 after the first call]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    recheck_interval: Option<u64>,
}

impl RecheckArgs {
    /// Refuses what would have no effect.
    pub(crate) fn check(&self, scorer: ScorerChoice) -> Result<(), CliError> {
        let given = match (self.recheck, self.recheck_interval) {
            (Some(_), _) => "--recheck",
            (None, Some(_)) => "--recheck-interval",
            (None, None) => return Ok(()),
        };
        if scorer == ScorerChoice::Python {
            let message = format!("{given} has no effect with --scorer python");
            return Err(CliError::usage(message)
                .hint("leave one of them out: only what Rust answered is scored again"));
        }
        if self.recheck == Some(0.0) && self.recheck_interval.is_some() {
            let message = "--recheck-interval has no effect with --recheck 0";
            return Err(CliError::usage(message).hint("leave one of them out"));
        }
        Ok(())
    }

    pub(crate) fn config(&self) -> RecheckConfig {
        RecheckConfig {
            share: self.recheck.unwrap_or(SHARE),
            interval: Duration::from_secs(self.recheck_interval.unwrap_or(INTERVAL)),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 (never) to 1 (every call)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lie_between_0_and_1() {
        assert_eq!(share("0"), Ok(0.0));
        assert_eq!(share("0.001"), Ok(0.001));
        assert_eq!(share("1"), Ok(1.0));
        for text in ["-0.1", "1.01", "NaN", "inf", "half", ""] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_has_no_effect_is_refused() {
        let args = |recheck, recheck_interval| RecheckArgs {
            recheck,
            recheck_interval,
        };
        let refused = |args: &RecheckArgs, scorer| args.check(scorer).is_err();
        assert!(!refused(&args(None, None), ScorerChoice::Python));
        assert!(refused(&args(Some(0.1), None), ScorerChoice::Python));
        assert!(refused(&args(None, Some(60)), ScorerChoice::Python));
        assert!(!refused(&args(Some(0.1), Some(60)), ScorerChoice::Native));
        assert!(refused(&args(Some(0.0), Some(60)), ScorerChoice::Auto));
    }
}
