//! The served model as the protocols of other servers name and describe it.
//!
//! TensorFlow Serving and the Open Inference Protocol have the model's name and version in their routes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use sluis_mlflow::model::{Model, Signature};

/// The version of a model that has none.
const FIRST_VERSION: &str = "1";

/// A model's name, version and signature.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name in routes.
    pub name: String,
    /// Its version in routes.
    pub version: String,
    /// What it is made with: `mlflow_sklearn`.
    pub platform: String,
    /// What it takes and gives.
    pub signature: Option<Signature>,
}

impl Identity {
    /// The identity that the model's folder tells: its name and version in a registry, else the folder's name and "1".
    pub fn of(model: &Model) -> Self {
        let flavor = model.python_function.loader_module.split('.').nth(1);
        let own = model.python_function.loader_module.starts_with("mlflow.");
        Self {
            name: model.name.clone(),
            version: model
                .registered_version
                .clone()
                .unwrap_or_else(|| FIRST_VERSION.to_owned()),
            platform: format!("mlflow_{}", flavor.filter(|_| own).unwrap_or("pyfunc")),
            signature: model.signature.clone(),
        }
    }

    /// Whether a name and a version of a route are this model's; the error says what is served.
    pub(crate) fn check(&self, name: &str, version: Option<&str>) -> Result<(), String> {
        let asked = |text: &str| text.chars().take(100).collect::<String>();
        if name != self.name {
            return Err(format!(
                "There is no model '{}' here. This server has the model '{}', version {}.",
                asked(name),
                self.name,
                self.version
            ));
        }
        match version {
            Some(version) if version != self.version => Err(format!(
                "The model '{}' has no version '{}' here. This server has version {}.",
                self.name,
                asked(version),
                self.version
            )),
            _ => Ok(()),
        }
    }
}

/// A part of a path with `%20` and the like decoded; what is no text then stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_or_else(|_| text.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_paths_are_decoded() {
        for (path, name) in [
            ("a%20b", "a b"),
            ("a", "a"),
            ("%C3%A9", "é"),
            ("%zz%4", "%zz%4"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(percent_decoded(path), name);
        }
    }
}
