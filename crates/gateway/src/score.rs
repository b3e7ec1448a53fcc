//! `POST /score`: Azure's route. Its `input_data` payload is answered with the bare predictions; MLflow's payloads are
//! taken too, and answered as MLflow does.

use std::time::Instant;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use sluis_mlflow::encode::Shape;
use sluis_mlflow::{Decoded, ModelCall, Work, from_input_data};

use crate::accept::AnswerForm;
use crate::fault::Fault;
use crate::invocations::Reply;
use crate::respond::{self, ErrorForm};
use crate::router::Gate;
use crate::served::Served;
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
        let problem = Fault::bad_request("POST body is empty. Expecting a JSON dictionary.");
        return respond::fault(problem, ErrorForm::Mlflow);
    }
    match ask(served, body).await {
        Ok((work, shape)) => invocations::score(served, work, reply(shape)).await,
        Err(problem) => respond::fault(problem, ErrorForm::Mlflow),
    }
}

/// What a body asks, and in which shape it is answered.
async fn ask(served: &Served, body: Bytes) -> Result<(Work, Shape), Fault> {
    let (start, contract, payload) = (Instant::now(), served.contract.clone(), body.clone());
    let read = invocations::aside(body.len(), move || {
        match contract.decode_plain_input_data(&payload) {
            Some(Decoded::Call(call)) => Ok(Read::Plain(call)),
            _ => from_input_data(&payload).map(Read::Rewritten),
        }
    });
    match read.await? {
        Ok(Read::Plain(call)) => {
            served.metrics.decoded(true, start.elapsed().as_secs_f64());
            Ok((Work::Call(call), Shape::Bare))
        }
        Ok(Read::Rewritten(Some(rewritten))) => {
            let work = invocations::decode(served, Bytes::from(rewritten)).await?;
            Ok((work, Shape::Bare))
        }
        Ok(Read::Rewritten(None)) => Ok((invocations::decode(served, body).await?, Shape::Wrapped)),
        Err(problem) => Err(Fault::bad_request(problem.to_string())),
    }
}

/// A body after a first look.
enum Read {
    /// Azure's, decoded at once.
    Plain(ModelCall),
    /// Azure's as MLflow's; none where it is no payload of Azure's.
    Rewritten(Option<Vec<u8>>),
}
