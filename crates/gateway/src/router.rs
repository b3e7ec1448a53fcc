//! Which request goes where: MLflow's routes with MLflow's refusals, Azure's `/score`, and `/metrics`.
//!
//! Methods are checked here and not by axum, because MLflow's server answers HEAD with 405 where axum would serve it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::response::Response;
use sluis_mlflow::Contract;
use sluis_mlflow::contract::Strictness;

use crate::fault::Fault;
use crate::respond::{self, ErrorForm};
use crate::room::Room;
use crate::served::Served;
use crate::{
    azure, body, casts, health, invocations, methods, open_inference, request_id, score, swagger,
    tensorflow,
};

pub(crate) const SERVER: HeaderValue =
    HeaderValue::from_static(concat!("sluis/", env!("CARGO_PKG_VERSION")));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Root,
    Ping,
    Version,
    Metrics,
    OpenApi,
    Swagger,
    Invocations,
    Score,
    /// TensorFlow Serving's, below [`tensorflow::PREFIX`].
    TensorFlow,
    /// The Open Inference Protocol's, at and below `/v2`.
    OpenInference,
    NotFound,
}

impl Route {
    fn of(path: &str) -> Self {
        match path {
            "/" => Route::Root,
            "/ping" | "/health" => Route::Ping,
            "/version" => Route::Version,
            "/metrics" => Route::Metrics,
            "/openapi.json" => Route::OpenApi,
            "/swagger.json" => Route::Swagger,
            "/invocations" => Route::Invocations,
            "/score" => Route::Score,
            path if path.starts_with(tensorflow::PREFIX) => Route::TensorFlow,
            path if open_inference::is_path(path) => Route::OpenInference,
            _ => Route::NotFound,
        }
    }

    fn method(self) -> Method {
        match self {
            Route::Invocations | Route::Score => Method::POST,
            _ => Method::GET,
        }
    }

    /// Whether methods and unknown paths are answered by the route, in the words of its own protocol.
    fn speaks_for_itself(self) -> bool {
        matches!(self, Route::TensorFlow | Route::OpenInference)
    }

    fn error_form(self) -> ErrorForm {
        match self {
            Route::TensorFlow | Route::OpenInference => ErrorForm::ErrorText,
            _ => ErrorForm::Mlflow,
        }
    }

    /// The route's name in metrics.
    fn label(self) -> &'static str {
        match self {
            Route::Root => "root",
            Route::Ping => "ping",
            Route::Version => "version",
            Route::Metrics => "metrics",
            Route::OpenApi => "openapi",
            Route::Swagger => "swagger",
            Route::Invocations => "invocations",
            Route::Score => "score",
            Route::TensorFlow => "tensorflow",
            Route::OpenInference => "open_inference",
            Route::NotFound => "none",
        }
    }
}

/// What answers requests: the served model, and the room for their bodies.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) served: Arc<Served>,
    pub(crate) room: Room,
    /// The contract that casts nothing: what Azure's dialect may have decoded in Rust.
    pub(crate) strict: Arc<Contract>,
    /// The same model asked by each of its methods.
    by_method: Arc<HashMap<String, Arc<Served>>>,
}

impl Gate {
    fn of(served: Arc<Served>) -> Self {
        let limits = &served.limits;
        let asked_by = |name: &String| {
            let methods = served.methods.choose(name).ok()?;
            let served = Served {
                methods,
                ..Served::clone(&served)
            };
            Some((name.clone(), Arc::new(served)))
        };
        let strict = Contract::clone(&served.contract).with_strictness(Strictness::Strict);
        Self {
            strict: Arc::new(strict),
            room: Room::of(limits.max_bodies_bytes.max(limits.max_body_bytes)),
            by_method: Arc::new(served.methods.known().iter().filter_map(asked_by).collect()),
            served,
        }
    }

    /// The gate of a request that names a method; none of one that does not.
    pub(crate) fn of_request(&self, request: &Request<Body>) -> Result<Option<Self>, Fault> {
        let named = methods::named(request.headers(), request.uri());
        let Some(name) = named.map_err(|problem| Fault::from(&problem))? else {
            return Ok(None);
        };
        let served = match self.by_method.get(&name) {
            Some(served) => served.clone(),
            None => match self.served.methods.choose(&name) {
                // The own function of a model without other methods.
                Ok(_) => self.served.clone(),
                Err(problem) => return Err(Fault::from(&problem)),
            },
        };
        Ok(Some(Self {
            served,
            ..self.clone()
        }))
    }
}

/// The routes of one served model.
pub fn router(served: Arc<Served>) -> Router {
    Router::new().fallback(handle).with_state(Gate::of(served))
}

async fn handle(State(gate): State<Gate>, request: Request<Body>) -> Response {
    let start = Instant::now();
    let route = Route::of(request.uri().path());
    let report_casts = casts::asked(request.headers());
    let by_azure = gate.served.contract.strictness() == Strictness::Azure && azure::takes(route);
    let (mut response, id) = if by_azure {
        azure::handle(&gate, route, request).await
    } else {
        let id = request_id::of(request.headers());
        let mut response = dispatch(&gate, route, request).await;
        response
            .headers_mut()
            .insert(request_id::REQUEST_ID, id.clone());
        (response, id)
    };
    if report_casts {
        casts::report(&mut response);
    }
    let status = response.status();
    gate.served.metrics.answered(
        route.label(),
        status.as_u16(),
        start.elapsed().as_secs_f64(),
    );
    if status.is_server_error() {
        let id = id.to_str().unwrap_or_default();
        tracing::warn!(
            request.id = id,
            route = route.label(),
            status = status.as_u16(),
            "a request failed"
        );
    }
    response.headers_mut().insert(header::SERVER, SERVER);
    response
}

async fn dispatch(gate: &Gate, route: Route, request: Request<Body>) -> Response {
    let refused = if route == Route::NotFound {
        let moved = without_slash(request.uri(), request.headers().get(header::HOST));
        Some(moved.unwrap_or_else(not_found))
    } else if !route.speaks_for_itself() && *request.method() != route.method() {
        Some(method_not_allowed(&route.method()))
    } else {
        None
    };
    if let Some(response) = refused {
        let (parts, body) = request.into_parts();
        body::refuse(&parts.headers, body).await;
        return response;
    }
    // Only what is scored has a method; MLflow's other routes ignore queries.
    let asked = match request.method() {
        &Method::POST => gate.of_request(&request),
        _ => Ok(None),
    };
    match asked {
        Ok(Some(asked)) => answer(&asked, route, request).await,
        Ok(None) => answer(gate, route, request).await,
        Err(problem) => {
            let (parts, body) = request.into_parts();
            body::refuse(&parts.headers, body).await;
            respond::fault(problem, route.error_form())
        }
    }
}

async fn answer(gate: &Gate, route: Route, request: Request<Body>) -> Response {
    let served = &gate.served;
    match route {
        Route::Root => azure::text("Healthy"),
        Route::Swagger => swagger::answer(served, request.uri().query()),
        Route::Ping => health::ping(),
        Route::Version => health::version(served),
        Route::Metrics => health::metrics(served),
        Route::OpenApi => respond::json(StatusCode::OK, served.openapi.clone()),
        Route::Invocations => invocations::handle(gate, request).await,
        Route::Score => score::handle(gate, request).await,
        Route::TensorFlow => tensorflow::handle(gate, request).await,
        Route::OpenInference => open_inference::handle(gate, request).await,
        Route::NotFound => not_found(),
    }
}

fn not_found() -> Response {
    respond::json(StatusCode::NOT_FOUND, r#"{"detail":"Not Found"}"#)
}

fn method_not_allowed(allowed: &Method) -> Response {
    let mut response = respond::json(
        StatusCode::METHOD_NOT_ALLOWED,
        r#"{"detail":"Method Not Allowed"}"#,
    );
    let allow = HeaderValue::from_str(allowed.as_str()).unwrap_or(HeaderValue::from_static("POST"));
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

/// A redirect from a known path with a slash too many to the path without.
fn without_slash(uri: &Uri, host: Option<&HeaderValue>) -> Option<Response> {
    let path = uri.path().strip_suffix('/')?;
    if path.is_empty() || Route::of(path) == Route::NotFound {
        return None;
    }
    let host = host.and_then(|host| host.to_str().ok());
    let origin = host
        .map(|host| format!("http://{host}"))
        .unwrap_or_default();
    let query = uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let location = HeaderValue::from_str(&format!("{origin}{path}{query}")).ok()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response
        .headers_mut()
        .insert(HeaderName::from_static("location"), location);
    Some(response)
}
