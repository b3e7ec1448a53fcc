//! `POST /score`: Azure's route. Its `input_data` payload is answered with the bare predictions; MLflow's payloads are
//! taken too, and answered as MLflow does.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use sluis_mlflow::encode::Shape;
use sluis_mlflow::{ErrorDocument, from_input_data};

use crate::accept::AnswerForm;
use crate::invocations::Reply;
use crate::respond;
use crate::router::Gate;
use crate::{body, invocations};

pub(crate) async fn handle(gate: &Gate, request: Request<Body>) -> Response {
    let served = &gate.served;
    let (parts, body) = request.into_parts();
    let form = match AnswerForm::of(&parts.headers) {
        Ok(form) => form,
        Err(text) => {
            body::refuse(&parts.headers, body).await;
            return respond::plain(StatusCode::NOT_ACCEPTABLE, text);
        }
    };
    let reply = |shape| Reply { shape, form };
    let content_type = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json")) {
        body::refuse(&parts.headers, body).await;
        return respond::plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Expects Content-Type to be application/json",
        );
    }
    let (body, _room) = match body::read(&parts.headers, body, &served.limits, &gate.room).await {
        Ok(read) => read,
        Err(problem) => return respond::body_error(&problem),
    };
    if body.is_empty() {
        let document =
            ErrorDocument::bad_request("POST body is empty. Expecting a JSON dictionary.");
        return respond::error(StatusCode::BAD_REQUEST, &document);
    }
    let payload = body.clone();
    let rewritten = match invocations::apart(body.len(), move || from_input_data(&payload)).await {
        Ok(rewritten) => rewritten,
        Err(response) => return response,
    };
    match rewritten {
        Ok(Some(rewritten)) => {
            invocations::json(served, Bytes::from(rewritten), reply(Shape::Bare)).await
        }
        Ok(None) => invocations::json(served, body, reply(Shape::Wrapped)).await,
        Err(problem) => respond::error(
            StatusCode::BAD_REQUEST,
            &ErrorDocument::bad_request(problem.to_string()),
        ),
    }
}
