//! Which request below `/v1/models/` asks what, and who answers it.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;

use super::{metadata, predict};
use crate::body;
use crate::fault::Fault;
use crate::identity::percent_decoded;
use crate::respond::{self, ErrorForm};
use crate::router::Gate;

/// What the paths of this protocol begin with.
pub(crate) const PREFIX: &str = "/v1/models/";

const VERBS: [&str; 3] = ["predict", "classify", "regress"];

/// A path of the protocol, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    version: Option<String>,
    label: Option<String>,
    action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Status,
    Metadata,
    /// One of [`VERBS`].
    Verb(&'static str),
}

impl Target {
    fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(PREFIX)?.trim_end_matches('/');
        let verb = VERBS.into_iter().find_map(|verb| {
            let rest = rest.strip_suffix(verb)?.strip_suffix(':')?;
            Some((rest, Action::Verb(verb)))
        });
        let (rest, action) = match (verb, rest.strip_suffix("/metadata")) {
            (Some(found), _) => found,
            (None, Some(rest)) => (rest, Action::Metadata),
            (None, None) => (rest, Action::Status),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (name, version, label) = match parts.as_slice() {
            [name] => (*name, None, None),
            [name, "versions", version] => (*name, Some(percent_decoded(version)), None),
            [name, "labels", label] => (*name, None, Some(percent_decoded(label))),
            _ => return None,
        };
        (!name.is_empty()).then(|| Self {
            name: percent_decoded(name),
            version,
            label,
            action,
        })
    }

    fn method(&self) -> Method {
        match self.action {
            Action::Verb(_) => Method::POST,
            Action::Status | Action::Metadata => Method::GET,
        }
    }
}

pub(crate) async fn handle(gate: &Gate, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match check(gate, parts.uri.path(), &parts.method) {
        Ok(Action::Verb(_)) => predict::handle(gate, &parts.headers, body).await,
        Ok(Action::Status) => {
            body::refuse(&parts.headers, body).await;
            respond::json(StatusCode::OK, metadata::status(&gate.served))
        }
        Ok(Action::Metadata) => {
            body::refuse(&parts.headers, body).await;
            respond::json(StatusCode::OK, metadata::metadata(&gate.served.identity))
        }
        Err(refused) => {
            body::refuse(&parts.headers, body).await;
            *refused
        }
    }
}

/// What is asked of the served model; the error is the answer.
fn check(gate: &Gate, path: &str, method: &Method) -> Result<Action, Box<Response>> {
    let refuse = |status, text: String| {
        Box::new(respond::fault(
            Fault::plain(status, text),
            ErrorForm::ErrorText,
        ))
    };
    let Some(target) = Target::of(path) else {
        let text = "Not a path of TensorFlow Serving. There are /v1/models/{name}[/versions/{version}], the same with \
                    /metadata, and POST with :predict.";
        return Err(refuse(StatusCode::NOT_FOUND, text.to_owned()));
    };
    if *method != target.method() {
        let text = format!("This path takes {}, not {method}.", target.method());
        let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, text);
        let allow = HeaderValue::from_str(target.method().as_str());
        if let Ok(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return Err(response);
    }
    gate.served
        .identity
        .check(&target.name, target.version.as_deref())
        .map_err(|text| refuse(StatusCode::NOT_FOUND, text))?;
    if target.label.is_some() {
        let text = format!(
            "No version of the model '{}' has a label here. Leave the label out, or ask for /versions/{}.",
            target.name, gate.served.identity.version
        );
        return Err(refuse(StatusCode::NOT_FOUND, text));
    }
    match target.action {
        Action::Verb(verb @ ("classify" | "regress")) => Err(refuse(
            StatusCode::NOT_IMPLEMENTED,
            format!(
                "':{verb}' is not supported: MLflow models have no tf.Example signature. Ask with ':predict'."
            ),
        )),
        action => Ok(action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let target = |name: &str, version: Option<&str>, action| {
            Some(Target {
                name: name.into(),
                version: version.map(str::to_owned),
                label: None,
                action,
            })
        };
        let table = [
            ("m", target("m", None, Action::Status)),
            ("m/", target("m", None, Action::Status)),
            ("m/versions/3", target("m", Some("3"), Action::Status)),
            ("m/metadata", target("m", None, Action::Metadata)),
            (
                "m/versions/3/metadata",
                target("m", Some("3"), Action::Metadata),
            ),
            (
                "a%20b:predict",
                target("a b", None, Action::Verb("predict")),
            ),
            (
                "a:b/versions/1:predict",
                target("a:b", Some("1"), Action::Verb("predict")),
            ),
            ("m:classify", target("m", None, Action::Verb("classify"))),
            ("", None),
            ("m/other", None),
            ("m/versions", None),
        ];
        for (path, expected) in table {
            assert_eq!(Target::of(&format!("{PREFIX}{path}")), expected, "{path}");
        }
        let labelled = Target::of("/v1/models/m/labels/stable:predict").unwrap();
        assert_eq!(labelled.label.as_deref(), Some("stable"));
    }
}
