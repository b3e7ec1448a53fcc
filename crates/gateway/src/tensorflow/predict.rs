//! `POST /v1/models/{name}:predict`: rows or columns in, and out in the same format.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use sluis_mlflow::encode;

use crate::fault::Fault;
use crate::respond::{self, ErrorForm};
use crate::router::Gate;
use crate::{body, invocations};

pub(crate) async fn handle(gate: &Gate, headers: &HeaderMap, body: Body) -> Response {
    let answered = predict(gate, headers, body).await;
    answered.unwrap_or_else(|problem| respond::fault(problem, ErrorForm::ErrorText))
}

async fn predict(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Response, Fault> {
    let served = &gate.served;
    // Like TensorFlow Serving, whatever the content type: clients of it often send none.
    let read = body::read(headers, body, &served.limits, &gate.room).await;
    let (body, _room) = read.map_err(|problem| Fault::from(&problem))?;
    let asked = served.clone();
    let request = invocations::aside(body.len(), move || {
        let signature = asked.identity.signature.as_ref();
        asked.contract.from_tensorflow(&body, signature)
    })
    .await?
    .map_err(|refusal| Fault::from(&refusal))?;
    let work = invocations::decode(served, request.body).await?;
    invocations::ask(served, work, move |answer| {
        let body = encode::tensorflow::response(answer, request.format)?;
        Ok(respond::json(StatusCode::OK, body))
    })
    .await
}
