//! Which method of the model a request is for: the deployment's, or one that the request names.
//!
//! A request names it by the header `x-sluis-method` or the query parameter `method`, in every dialect: bodies keep the
//! form that their protocols gave them. What each method calls is the worker's matter; `docs/methods.md` lists it.

use axum::http::{HeaderMap, Uri};

use crate::identity::percent_decoded;

/// The header that names a method.
pub(crate) const HEADER: &str = "x-sluis-method";
/// The query parameter that does.
const PARAMETER: &str = "method";
/// The name of a model's own function, where it has no other method.
const OWN: &str = "predict";

/// The methods that a model has, and the one that is asked.
#[derive(Clone, Debug, Default)]
pub struct Methods {
    known: Vec<String>,
    chosen: Option<String>,
}

/// A method that the model does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMethod {
    /// It has others.
    #[error("The model has no method '{asked}'. It has {known}.")]
    Unknown {
        /// The name that was asked for.
        asked: String,
        /// The names that there are.
        known: String,
    },
    /// It has no others.
    #[error("The model has no method '{asked}': it has its own predict function only.")]
    None {
        /// The name that was asked for.
        asked: String,
    },
    /// A request that cannot decide.
    #[error(
        "The header {HEADER} and the query parameter '{PARAMETER}' name two methods. Name one."
    )]
    Two,
}

impl Methods {
    /// The methods that a worker named when it had loaded the model; the model is asked as it was logged.
    pub fn of(known: Vec<String>) -> Self {
        Self {
            known,
            chosen: None,
        }
    }

    /// The names that a request may give.
    pub fn known(&self) -> &[String] {
        &self.known
    }

    /// The method that is asked; none where the model is asked as it was logged.
    pub fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// The same methods with another one asked.
    pub fn choose(&self, name: &str) -> Result<Self, NoMethod> {
        let chosen = if self.known.iter().any(|known| known == name) {
            Some(name.to_owned())
        } else if self.known.is_empty() && name == OWN {
            None
        } else {
            let asked = name.chars().take(100).collect();
            return Err(match self.known.join(", ") {
                known if known.is_empty() => NoMethod::None { asked },
                known => NoMethod::Unknown { asked, known },
            });
        };
        Ok(Self {
            known: self.known.clone(),
            chosen,
        })
    }
}

/// The method that a request names, if it does.
pub(crate) fn named(headers: &HeaderMap, uri: &Uri) -> Result<Option<String>, NoMethod> {
    let header = headers
        .get(HEADER)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    let parameter = uri.query().and_then(|query| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(name, _)| *name == PARAMETER)
            .map(|(_, value)| percent_decoded(value))
    });
    match (header, parameter) {
        (Some(header), Some(parameter)) if header != parameter => Err(NoMethod::Two),
        (header, parameter) => Ok(header.or(parameter)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_chosen_by_its_name_or_refused_with_those_there_are() {
        let methods = Methods::of(vec!["predict".to_owned(), "predict_proba".to_owned()]);
        assert_eq!(methods.chosen(), None);
        let chosen = methods.choose("predict_proba").unwrap();
        assert_eq!(chosen.chosen(), Some("predict_proba"));
        let again = chosen.choose("predict").unwrap();
        assert_eq!(again.chosen(), Some("predict"));
        assert_eq!(
            methods.choose("transform").unwrap_err().to_string(),
            "The model has no method 'transform'. It has predict, predict_proba."
        );
        let none = Methods::default();
        assert_eq!(none.choose("predict").unwrap().chosen(), None);
        assert!(
            none.choose("margin")
                .unwrap_err()
                .to_string()
                .contains("own predict function")
        );
    }

    #[test]
    fn requests_name_it_by_header_or_query() {
        let named = |header: Option<&'static str>, uri: &'static str| {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(HEADER, axum::http::HeaderValue::from_static(header));
            }
            super::named(&headers, &Uri::from_static(uri))
        };
        let some = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(named(None, "/invocations?x=1&methods=a"), Ok(None));
        assert_eq!(
            named(None, "/invocations?x=1&method=raw%5Fscore"),
            some("raw_score")
        );
        assert_eq!(named(Some("margin"), "/invocations"), some("margin"));
        assert_eq!(
            named(Some("margin"), "/invocations?method=margin"),
            some("margin")
        );
        assert_eq!(
            named(Some("margin"), "/invocations?method=predict"),
            Err(NoMethod::Two)
        );
    }
}
