//! Answers and errors as HTTP responses in MLflow's shapes: the one place where either becomes bytes.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use sluis_mlflow::encode::{self, Shape};
use sluis_mlflow::{
    Answer, ErrorDocument, HttpAnswer, MODEL_RAISED, Raised, without_private_parts,
};
use sluis_scoring::ScoreError;

use crate::body::BodyError;

/// MLflow's body of a request that took too long; it calls itself JSON, and is not.
const TOO_LONG: &str = "Request processing time exceeded limit";

pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    typed(status, HeaderValue::from_static("application/json"), body)
}

pub(crate) fn plain(status: StatusCode, body: impl Into<Body>) -> Response {
    typed(
        status,
        HeaderValue::from_static("text/plain; charset=utf-8"),
        body,
    )
}

pub(crate) fn typed(
    status: StatusCode,
    content_type: HeaderValue,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// An error document with its status.
pub(crate) fn error(status: StatusCode, document: &ErrorDocument) -> Response {
    json(status, document.to_json())
}

pub(crate) fn body_error(problem: &BodyError) -> Response {
    let document = match problem {
        BodyError::Broken | BodyError::Gzip => ErrorDocument::bad_request(problem.to_string()),
        BodyError::TooLarge { .. } | BodyError::NoRoom { .. } => {
            ErrorDocument::plain("REQUEST_LIMIT_EXCEEDED", problem.to_string())
        }
        BodyError::Slow(_) => ErrorDocument::plain("DEADLINE_EXCEEDED", problem.to_string()),
        BodyError::Encoding(_) => return plain(problem.status(), problem.to_string()),
    };
    let mut response = error(problem.status(), &document);
    if matches!(problem, BodyError::NoRoom { .. }) {
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// A model's answer.
pub(crate) fn answer(answer: Answer, shape: Shape) -> Response {
    match answer {
        Answer::Http(answer) => passed_on(answer, shape),
        answer => match encode::response(answer, shape) {
            Ok(body) => json(StatusCode::OK, body),
            Err(problem) => unserializable(&problem),
        },
    }
}

/// The response of MLflow's own application, without what should not leave the server.
fn passed_on(answer: HttpAnswer, shape: Shape) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers.clone();
    let body = if status.is_success() {
        encode::response(Answer::Http(answer), shape).unwrap_or_default()
    } else {
        without_private_parts(&answer.body).map_or(answer.body, Bytes::from)
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in headers {
        let kept = ["content-type", "allow", "location"].contains(&name.as_str());
        if kept
            && let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Why there is no answer.
pub(crate) fn score_error(problem: ScoreError) -> Response {
    match problem {
        ScoreError::Model(raised) => model_error(&raised),
        ScoreError::Overloaded { retry_after, .. } => {
            let document = ErrorDocument::plain(
                "REQUEST_LIMIT_EXCEEDED",
                format!(
                    "{problem} (--max-requests). Try again after {} s.",
                    retry_after.as_secs()
                ),
            );
            let mut response = error(StatusCode::TOO_MANY_REQUESTS, &document);
            let seconds = HeaderValue::from(retry_after.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
        ScoreError::TimedOut { .. } => json(StatusCode::GATEWAY_TIMEOUT, TOO_LONG),
        ScoreError::WorkerDied { .. } => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            &ErrorDocument::plain("INTERNAL_ERROR", problem.to_string()),
        ),
        ScoreError::Unavailable { .. } => {
            let document = ErrorDocument::plain("TEMPORARILY_UNAVAILABLE", problem.to_string());
            error(StatusCode::SERVICE_UNAVAILABLE, &document)
        }
    }
}

fn model_error(raised: &Raised) -> Response {
    if raised.unserializable {
        return unserializable(raised);
    }
    if let Some((status, document)) = &raised.document {
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = without_private_parts(document.as_bytes())
            .unwrap_or_else(|| document.clone().into_bytes());
        return json(status, body);
    }
    let message = format!("{MODEL_RAISED} The model raised {raised}");
    error(
        StatusCode::BAD_REQUEST,
        &ErrorDocument::bad_request(message),
    )
}

/// A value without a JSON form: the model's fault, so 500; plain text, as MLflow's server answers here.
fn unserializable(problem: &dyn std::fmt::Display) -> Response {
    let text = format!(
        "Internal Server Error: the model answered with a value that JSON cannot hold ({problem})"
    );
    plain(StatusCode::INTERNAL_SERVER_ERROR, text)
}
