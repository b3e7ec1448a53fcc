//! What is known of a model's native form before anything runs: for `plan`.

use std::path::Path;

use sluis_mlflow::Contract;
use sluis_mlflow::model::Model;

use super::candidate::Candidate;
use super::make::find;
use crate::environment::EnvironmentOptions;

/// Who will score under `--scorer auto`, as far as it is known, and why.
pub(crate) struct Prospect {
    /// `native`, `python`, or `auto` where it will be tried.
    pub(crate) scorer: &'static str,
    pub(crate) reason: String,
}

impl Prospect {
    /// What the folder tells.
    pub(crate) fn of_folder(model: &Model, contract: &Contract) -> Self {
        match Candidate::of(model, contract) {
            Ok(_) => Self {
                scorer: "auto",
                reason: "the first start exports the model and compares Rust with its Python; Rust where proved equal, else Python".to_owned(),
            },
            Err(reason) => Self::python(&reason),
        }
    }

    /// What was found out before counts, where it still holds.
    pub(crate) fn of(model: &Model, options: &EnvironmentOptions, data_dir: &Path) -> Self {
        let prospect = Self::of_folder(model, &Contract::compile(model));
        if prospect.scorer == "python" {
            return prospect;
        }
        match find(model, options, data_dir) {
            Ok((_, Some(found))) => match found.outlook(None) {
                Ok(proved) => Self {
                    scorer: "native",
                    reason: proved.sentence(),
                },
                Err(reason) => Self::python(&reason),
            },
            Ok((_, None)) | Err(_) => prospect,
        }
    }

    fn python(reason: &str) -> Self {
        Self {
            scorer: "python",
            reason: format!("the model's own Python: {reason}"),
        }
    }
}
