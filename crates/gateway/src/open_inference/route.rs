//! Which request below `/v2` asks what, and who answers it.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use sluis_mlflow::open_inference::{inputs_of, outputs_of};

use super::infer;
use crate::body;
use crate::fault::Fault;
use crate::identity::percent_decoded;
use crate::respond::{self, ErrorForm};
use crate::router::Gate;

const ROOT: &str = "/v2";

/// Whether a path is one of this protocol.
pub(crate) fn is_path(path: &str) -> bool {
    path.strip_prefix(ROOT)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[derive(Debug, PartialEq, Eq)]
enum Target {
    Server,
    Live,
    Ready,
    Model {
        name: String,
        version: Option<String>,
        action: Action,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Metadata,
    Ready,
    Infer,
}

impl Target {
    fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(ROOT)?.trim_matches('/');
        let parts: Vec<&str> = rest.split('/').collect();
        let model = |name: &str, version: Option<&str>, action| {
            Some(Target::Model {
                name: percent_decoded(name),
                version: version.map(percent_decoded),
                action,
            })
        };
        match parts.as_slice() {
            [""] => Some(Target::Server),
            ["health", "live"] => Some(Target::Live),
            ["health", "ready"] => Some(Target::Ready),
            ["models", name] => model(name, None, Action::Metadata),
            ["models", name, "ready"] => model(name, None, Action::Ready),
            ["models", name, "infer"] => model(name, None, Action::Infer),
            ["models", name, "versions", version] => model(name, Some(version), Action::Metadata),
            ["models", name, "versions", version, "ready"] => {
                model(name, Some(version), Action::Ready)
            }
            ["models", name, "versions", version, "infer"] => {
                model(name, Some(version), Action::Infer)
            }
            _ => None,
        }
    }

    fn method(&self) -> Method {
        match self {
            Target::Model {
                action: Action::Infer,
                ..
            } => Method::POST,
            _ => Method::GET,
        }
    }
}

pub(crate) async fn handle(gate: &Gate, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let target = match check(gate, parts.uri.path(), &parts.method) {
        Ok(target) => target,
        Err(refused) => {
            body::refuse(&parts.headers, body).await;
            return *refused;
        }
    };
    if let Target::Model {
        action: Action::Infer,
        ..
    } = target
    {
        return infer::handle(gate, &parts.headers, body).await;
    }
    body::refuse(&parts.headers, body).await;
    let served = &gate.served;
    let up = served.scoring.is_up();
    let ready = if up {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let identity = &served.identity;
    let (status, document) = match target {
        Target::Server => (
            StatusCode::OK,
            json!({"name": "sluis", "version": env!("CARGO_PKG_VERSION"), "extensions": ["binary_tensor_data"]}),
        ),
        Target::Live => (StatusCode::OK, json!({"live": true})),
        Target::Ready => (ready, json!({"ready": up})),
        Target::Model {
            action: Action::Ready,
            ..
        } => (ready, json!({"name": identity.name, "ready": up})),
        Target::Model { .. } => (
            StatusCode::OK,
            json!({
                "name": identity.name,
                "versions": [identity.version],
                "platform": identity.platform,
                "inputs": inputs_of(identity.signature.as_ref()),
                "outputs": outputs_of(identity.signature.as_ref()),
            }),
        ),
    };
    respond::json(status, document.to_string())
}

/// What is asked; the error is the answer.
fn check(gate: &Gate, path: &str, method: &Method) -> Result<Target, Box<Response>> {
    let refuse = |status, text: String| {
        Box::new(respond::fault(
            Fault::plain(status, text),
            ErrorForm::ErrorText,
        ))
    };
    let Some(target) = Target::of(path) else {
        let text = "Not a path of the Open Inference Protocol. There are /v2, /v2/health/live, /v2/health/ready, \
                    /v2/models/{name}[/versions/{version}], the same with /ready, and POST with /infer.";
        return Err(refuse(StatusCode::NOT_FOUND, text.to_owned()));
    };
    if *method != target.method() {
        let text = format!("This path takes {}, not {method}.", target.method());
        let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, text);
        if let Ok(allow) = HeaderValue::from_str(target.method().as_str()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return Err(response);
    }
    if let Target::Model { name, version, .. } = &target {
        gate.served
            .identity
            .check(name, version.as_deref())
            .map_err(|text| refuse(StatusCode::NOT_FOUND, text))?;
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let model = |name: &str, version: Option<&str>, action| {
            Some(Target::Model {
                name: name.into(),
                version: version.map(str::to_owned),
                action,
            })
        };
        let table = [
            ("/v2", Some(Target::Server)),
            ("/v2/", Some(Target::Server)),
            ("/v2/health/live", Some(Target::Live)),
            ("/v2/health/ready", Some(Target::Ready)),
            ("/v2/models/a%20b", model("a b", None, Action::Metadata)),
            (
                "/v2/models/m/versions/1/infer",
                model("m", Some("1"), Action::Infer),
            ),
            ("/v2/models/m/infer", model("m", None, Action::Infer)),
            ("/v2/models/m/ready", model("m", None, Action::Ready)),
            ("/v2/models", None),
            ("/v2/health", None),
            ("/v2/models/m/stats", None),
        ];
        for (path, expected) in table {
            assert!(is_path(path), "{path}");
            assert_eq!(Target::of(path), expected, "{path}");
        }
        assert!(!is_path("/v2x") && !is_path("/v1"));
    }
}
