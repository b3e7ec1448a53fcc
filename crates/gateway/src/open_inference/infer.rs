//! `POST /v2/models/{name}/infer`: tensors in, tensors out.

use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use sluis_mlflow::Work;
use sluis_mlflow::open_inference::{InferRequest, InferResponse, Prepared, Responder};

use crate::fault::Fault;
use crate::respond::{self, ErrorForm};
use crate::router::Gate;
use crate::{body, invocations};

/// How much of a body is JSON, where bytes of tensors follow.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

pub(crate) async fn handle(gate: &Gate, headers: &HeaderMap, body: Body) -> Response {
    let answered = infer(gate, headers, body).await;
    answered.unwrap_or_else(|problem| respond::fault(problem, ErrorForm::ErrorText))
}

async fn infer(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Response, Fault> {
    let served = &gate.served;
    let json_length = match json_length(headers) {
        Ok(length) => length,
        Err(problem) => {
            body::refuse(headers, body).await;
            return Err(problem);
        }
    };
    let read = body::read(headers, body, &served.limits, &gate.room).await;
    let (body, _room) = read.map_err(|problem| Fault::from(&problem))?;
    let (start, asked) = (Instant::now(), served.clone());
    let decoded = invocations::aside(body.len(), move || {
        let identity = &asked.identity;
        let signature = identity.signature.as_ref();
        let request = InferRequest::read(&body, json_length)?;
        let responder = Responder::to(&request, &identity.name, &identity.version, signature);
        let prepared = asked.contract.from_open_inference(request, signature)?;
        Ok((prepared, responder))
    })
    .await?;
    let (prepared, responder) =
        decoded.map_err(|refusal: sluis_mlflow::Refusal| Fault::from(&refusal))?;
    let seconds = start.elapsed().as_secs_f64();
    let work = match prepared {
        Prepared::Call(call) => {
            served.metrics.decoded(true, seconds);
            Work::Call(call)
        }
        Prepared::Raw(request) => {
            served.metrics.decoded(false, seconds);
            Work::Raw(request)
        }
        Prepared::Json(body) => invocations::decode(served, body).await?,
    };
    invocations::ask(served, work, move |answer| {
        Ok(response(responder.respond(answer)?))
    })
    .await
}

fn json_length(headers: &HeaderMap) -> Result<Option<usize>, Fault> {
    let Some(value) = headers.get(JSON_LENGTH) else {
        return Ok(None);
    };
    let length = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    length.map(Some).ok_or_else(|| {
        Fault::bad_request(
            "The header Inference-Header-Content-Length must be the number of bytes of JSON.",
        )
    })
}

fn response(inferred: InferResponse) -> Response {
    let Some(length) = inferred.json_length else {
        return respond::json(StatusCode::OK, inferred.body);
    };
    let content_type = HeaderValue::from_static("application/octet-stream");
    let mut response = respond::typed(StatusCode::OK, content_type, inferred.body);
    let length = HeaderValue::from(length);
    response.headers_mut().insert(JSON_LENGTH, length);
    response
}
