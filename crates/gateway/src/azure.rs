//! Azure's inference server, under `--strictness azure`: the routes that it has, with its headers, refusals and texts.
//!
//! Knows HTTP; how `input_data` is decoded and cast is the worker's matter (`python/worker/sluis_worker/azure.py`).

use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header, request::Parts};
use axum::response::Response;
use sluis_mlflow::encode::{self, Shape};
use sluis_mlflow::{Answer, AzureDecoded, HttpAnswer, RawRequest, Refusal, Work};
use sluis_scoring::ScoreError;

use crate::body;
use crate::fault::Fault;
use crate::request_id::{self, AzureIds};
use crate::respond::{self, ErrorForm};
use crate::router::{Gate, Route};
use crate::{invocations, swagger};

const SERVER_VERSION: HeaderName = HeaderName::from_static("x-ms-server-version");
const EXEC_MS: HeaderName = HeaderName::from_static("x-ms-run-fn-exec-ms");
const FAILED: HeaderName = HeaderName::from_static("x-ms-run-function-failed");

/// What of the worker's headers is passed on.
const PASSED_ON: [&str; 3] = [
    "content-type",
    "x-ms-run-function-failed",
    "x-ms-run-fn-exec-ms",
];

const SCRIPT_ERROR: &str =
    "An unexpected error occurred in scoring script. Check the logs for more info.";
const INTERNAL_ERROR: &str = "An unexpected internal error occurred. Check the logs for more info.";
const NOT_FOUND: &str = "The requested URL was not found on the server. If you entered the URL manually please check \
    your spelling and try again.";
const NOT_ALLOWED: &str = "The method is not allowed for the requested URL.";

/// Whether a route is answered here.
pub(crate) fn takes(route: Route) -> bool {
    matches!(
        route,
        Route::Root | Route::Score | Route::Swagger | Route::NotFound
    )
}

/// Answers a request, and says its id.
pub(crate) async fn handle(
    gate: &Gate,
    route: Route,
    request: Request<Body>,
) -> (Response, HeaderValue) {
    let (ids, too_long) = request_id::azure(request.headers());
    // A GET is a payload as a whole, so that only the header of a POST names a method.
    let asked = match *request.method() {
        Method::POST => gate.of_request(&request),
        _ => Ok(None),
    };
    let (parts, body) = request.into_parts();
    let mut response = match (too_long, asked) {
        (Some(text), _) => {
            let refused = message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text);
            refuse(&parts, body, refused).await
        }
        (None, Err(problem)) => refuse(&parts, body, in_azures_words(problem)).await,
        (None, Ok(asked)) => {
            let gate = asked.as_ref().unwrap_or(gate);
            dispatch(gate, route, parts, body).await
        }
    };
    with_headers(&mut response, &ids, route);
    (response, ids.request)
}

fn with_headers(response: &mut Response, ids: &AzureIds, route: Route) {
    let headers = response.headers_mut();
    if route != Route::Root && !headers.contains_key(FAILED) {
        headers.insert(FAILED, HeaderValue::from_static("False"));
    }
    headers.insert(SERVER_VERSION, crate::router::SERVER);
    ids.write(headers);
}

async fn dispatch(gate: &Gate, route: Route, parts: Parts, body: Body) -> Response {
    let allowed = match route {
        Route::Score => "OPTIONS, GET, POST",
        Route::Root | Route::Swagger => "HEAD, OPTIONS, GET",
        _ => {
            return refuse(&parts, body, message(StatusCode::NOT_FOUND, NOT_FOUND)).await;
        }
    };
    if parts.method == Method::OPTIONS {
        return refuse(&parts, body, allows(text(""), allowed)).await;
    }
    match (route, &parts.method) {
        (Route::Score, &Method::POST) => post(gate, parts, body).await,
        (Route::Score, &Method::GET) => {
            let path = parts
                .uri
                .path_and_query()
                .map_or("/score", |path| path.as_str());
            let work = RawRequest::get(&format!("/score{}", query_of(path)));
            score(gate, Work::Raw(work)).await
        }
        (Route::Root, &Method::GET | &Method::HEAD) => text("Healthy"),
        (Route::Swagger, &Method::GET | &Method::HEAD) => {
            swagger::answer(&gate.served, parts.uri.query())
        }
        _ => {
            let refused = message(StatusCode::METHOD_NOT_ALLOWED, NOT_ALLOWED);
            refuse(&parts, body, allows(refused, allowed)).await
        }
    }
}

/// The query with its question mark, or nothing.
fn query_of(path: &str) -> &str {
    path.find('?').map_or("", |start| &path[start..])
}

async fn post(gate: &Gate, parts: Parts, body: Body) -> Response {
    if !is_json(parts.headers.get(header::CONTENT_TYPE)) {
        let refused = message(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Expects Content-Type to be application/json",
        );
        return refuse(&parts, body, refused).await;
    }
    let read = body::read(&parts.headers, body, &gate.served.limits, &gate.room).await;
    let (body, _room) = match read {
        Ok(read) => read,
        Err(problem) => return in_azures_words((&problem).into()),
    };
    let start = Instant::now();
    let (strict, payload) = (gate.strict.clone(), body.clone());
    let read = invocations::aside(body.len(), move || strict.decode_azure(&payload));
    let read = match read.await {
        Ok(read) => read,
        Err(problem) => return in_azures_words(problem),
    };
    let in_rust = !matches!(read, AzureDecoded::AsItCame(_));
    gate.served
        .metrics
        .decoded(in_rust, start.elapsed().as_secs_f64());
    match read {
        AzureDecoded::Call(call) => score(gate, Work::Call(call)).await,
        AzureDecoded::Refused(problem) => message(StatusCode::BAD_REQUEST, &problem.to_string()),
        AzureDecoded::AsItCame(refusal) => {
            let response = score(gate, Work::Raw(RawRequest::score(body))).await;
            with_detail(response, refusal)
        }
    }
}

/// An error of the script does not say what is wrong; where strict checking knows something against the payload, that is
/// told beside it.
fn with_detail(response: Response, refusal: Option<Refusal>) -> Response {
    let failed = response
        .headers()
        .get(FAILED)
        .is_some_and(|failed| failed == "True");
    match refusal {
        Some(refusal) if failed => {
            let (parts, _) = response.into_parts();
            let document =
                serde_json::json!({ "message": SCRIPT_ERROR, "detail": refusal.message });
            Response::from_parts(parts, Body::from(document.to_string()))
        }
        _ => response,
    }
}

/// Whether a media type is JSON: `application/json`, or one that is written as JSON (`application/…+json`).
fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let media_type = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    media_type.is_some_and(|media_type| {
        media_type == "application/json"
            || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    })
}

async fn score(gate: &Gate, work: Work) -> Response {
    let start = Instant::now();
    match gate.served.score(work).await {
        Ok(Answer::Http(answer)) => passed_on(answer),
        Ok(answer) => {
            let spent = start.elapsed().as_secs_f64() * 1000.0;
            let size = invocations::size(&answer);
            let encoded = invocations::aside(size, move || bare(answer)).await;
            let mut response = encoded.unwrap_or_else(in_azures_words);
            if let Ok(spent) = HeaderValue::from_str(&format!("{spent:.3}")) {
                response.headers_mut().insert(EXEC_MS, spent);
            }
            response
        }
        Err(problem) => score_problem(problem),
    }
}

/// The bare predictions; nothing is an empty object.
fn bare(answer: Answer) -> Response {
    match encode::response(answer, Shape::Bare) {
        Ok(body) if body.as_ref() == b"null" => respond::json(StatusCode::OK, "{}"),
        Ok(body) => respond::json(StatusCode::OK, body),
        Err(_) => message(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL_ERROR),
    }
}

fn passed_on(answer: HttpAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if PASSED_ON.contains(&name.as_str())
            && let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn score_problem(problem: ScoreError) -> Response {
    let (text, failed) = match &problem {
        ScoreError::Model(raised) if raised.unserializable => (INTERNAL_ERROR, "False"),
        ScoreError::Model(_) => (SCRIPT_ERROR, "True"),
        ScoreError::WorkerDied { .. } => (INTERNAL_ERROR, "True"),
        _ => return in_azures_words(problem.into()),
    };
    let mut response = message(StatusCode::INTERNAL_SERVER_ERROR, text);
    let failed = HeaderValue::from_static(failed);
    response.headers_mut().insert(FAILED, failed);
    response
}

fn in_azures_words(fault: Fault) -> Response {
    respond::fault(fault, ErrorForm::MessageText)
}

/// An error in Azure's shape.
pub(crate) fn message(status: StatusCode, text: &str) -> Response {
    in_azures_words(Fault::plain(status, text))
}

pub(crate) fn text(text: &'static str) -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    respond::typed(StatusCode::OK, html, text)
}

fn allows(mut response: Response, methods: &'static str) -> Response {
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(header::ALLOW, methods);
    response
}

/// Gives an answer that does not wait for the body, which is read off.
async fn refuse(parts: &Parts, body: Body, response: Response) -> Response {
    body::refuse(&parts.headers, body).await;
    response
}
