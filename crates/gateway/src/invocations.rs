//! `POST /invocations`: MLflow's scoring protocol.
//!
//! JSON that the contract decodes is scored as typed data; everything else goes to MLflow's own code as it came.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use sluis_mlflow::encode::{EncodeError, Shape};
use sluis_mlflow::{Answer, Decoded, ErrorDocument, RawRequest, Work};

use crate::accept::AnswerForm;
use crate::body;
use crate::casts::Casts;
use crate::content_type::PayloadType;
use crate::fault::Fault;
use crate::respond::{self, ErrorForm};
use crate::router::Gate;
use crate::served::Served;

/// A body above this is decoded off the threads that serve connections.
const LARGE: usize = 256 << 10;

/// How predictions are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    /// Of JSON.
    pub(crate) shape: Shape,
    /// JSON, or a table.
    pub(crate) form: AnswerForm,
}

impl From<Shape> for Reply {
    fn from(shape: Shape) -> Self {
        Self {
            shape,
            form: AnswerForm::Json,
        }
    }
}

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
    let reply = Reply {
        shape: Shape::Wrapped,
        form,
    };
    let header = parts
        .headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or("(not ASCII)"));
    let payload_type = match PayloadType::of(header) {
        Ok(payload_type) => payload_type,
        // MLflow 1.x has content types of its own, such as `application/json; format=pandas-split`.
        Err(_) if header.is_some() && served.contract.speaks_1x() => PayloadType::Other,
        Err(text) => {
            body::refuse(&parts.headers, body).await;
            return respond::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
        }
    };
    let (body, _room) = match body::read(&parts.headers, body, &served.limits, &gate.room).await {
        Ok(read) => read,
        Err(problem) => return respond::body_error(&problem),
    };
    match payload_type {
        PayloadType::Json => json(served, body, reply).await,
        PayloadType::Csv | PayloadType::Parquet | PayloadType::Arrow => {
            let work = decode_table(served, payload_type, header.unwrap_or_default(), body).await;
            match work {
                Ok(work) => score(served, work, reply).await,
                Err(problem) => respond::fault(problem, ErrorForm::Mlflow),
            }
        }
        PayloadType::Other => {
            served.metrics.decoded(false, 0.0);
            let request = RawRequest::invocation(header.unwrap_or_default(), body);
            score(served, Work::Raw(request), reply).await
        }
    }
}

/// What a body of rows asks that is not JSON.
async fn decode_table(
    served: &Served,
    payload_type: PayloadType,
    content_type: &str,
    body: Bytes,
) -> Result<Work, Fault> {
    let start = Instant::now();
    let contract = served.contract.clone();
    let raw = RawRequest::invocation(content_type, body.clone());
    let decoded = aside(body.len(), move || {
        let decoded = match payload_type {
            PayloadType::Csv => contract.decode_csv(&body),
            PayloadType::Arrow => return contract.decode_arrow(&body),
            _ => contract.decode_parquet(&body),
        };
        match decoded {
            Decoded::Call(call) => Ok(Work::Call(call)),
            Decoded::Refused(refusal) => Err(refusal),
            Decoded::AsItCame => Ok(Work::Raw(raw)),
        }
    })
    .await?;
    let in_rust = !matches!(decoded, Ok(Work::Raw(_)));
    served
        .metrics
        .decoded(in_rust, start.elapsed().as_secs_f64());
    decoded.map_err(|refusal| Fault::from(&refusal))
}

/// Scores a JSON body of MLflow's protocol.
pub(crate) async fn json(served: &Arc<Served>, body: Bytes, reply: impl Into<Reply>) -> Response {
    match decode(served, body).await {
        Ok(work) => score(served, work, reply).await,
        Err(problem) => respond::fault(problem, ErrorForm::Mlflow),
    }
}

/// What a JSON body of MLflow's protocol asks.
pub(crate) async fn decode(served: &Served, body: Bytes) -> Result<Work, Fault> {
    let start = Instant::now();
    let (contract, payload) = (served.contract.clone(), body.clone());
    let decoded = aside(body.len(), move || contract.decode_json(&payload)).await?;
    let in_rust = !matches!(decoded, Decoded::AsItCame);
    served
        .metrics
        .decoded(in_rust, start.elapsed().as_secs_f64());
    match decoded {
        Decoded::Call(call) => Ok(Work::Call(call)),
        Decoded::Refused(refusal) => Err(Fault::from(&refusal)),
        Decoded::AsItCame => Ok(Work::Raw(RawRequest::invocation("application/json", body))),
    }
}

/// Asks the model, and answers in the caller's form.
pub(crate) async fn score(served: &Arc<Served>, work: Work, reply: impl Into<Reply>) -> Response {
    let reply = reply.into();
    match reply.form {
        AnswerForm::Json => {
            let casts = Casts::of(served, &work);
            let mut response = score_as_json(served, work, reply.shape).await;
            casts.lay_beside(&mut response);
            response
        }
        AnswerForm::Csv | AnswerForm::Arrow => {
            let asked = ask(served, work, move |answer| {
                respond::table(answer, reply.form)
            })
            .await;
            asked.unwrap_or_else(|problem| respond::fault(problem, ErrorForm::Mlflow))
        }
    }
}

async fn score_as_json(served: &Served, work: Work, shape: Shape) -> Response {
    match served.score(work).await {
        Ok(answer) => {
            let start = Instant::now();
            let encode = apart(size(&answer), move || respond::answer(answer, shape));
            let response = encode.await.unwrap_or_else(|response| response);
            served.metrics.encoded(start.elapsed().as_secs_f64());
            response
        }
        Err(problem) => respond::score_error(problem),
    }
}

/// Asks the model; `encode` makes the response of an answer that holds predictions.
pub(crate) async fn ask(
    served: &Served,
    work: Work,
    encode: impl FnOnce(Answer) -> Result<Response, EncodeError> + Send + 'static,
) -> Result<Response, Fault> {
    let casts = Casts::of(served, &work);
    let answer = match served.score(work).await? {
        Answer::Http(answer) => match Fault::of_answer(answer) {
            Ok(problem) => return Err(problem),
            Err(answer) => Answer::Http(answer),
        },
        answer => answer,
    };
    let start = Instant::now();
    let encoded = aside(size(&answer), move || encode(answer)).await?;
    served.metrics.encoded(start.elapsed().as_secs_f64());
    let mut response = encoded.map_err(|problem| Fault::from(&problem))?;
    casts.lay_beside(&mut response);
    Ok(response)
}

/// As [`aside`]; the error is the answer where that thread broke.
pub(crate) async fn apart<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    let done = aside(size, work).await;
    done.map_err(|problem| respond::fault(problem, ErrorForm::Mlflow))
}

/// Does work over `size` bytes: on a thread of its own where it is large, so that other connections are answered meanwhile.
pub(crate) async fn aside<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    if size < LARGE {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a payload could not be worked on");
        let document = ErrorDocument::plain(
            "INTERNAL_ERROR",
            "The server failed on this payload. Its log tells more, under the id of this request.",
        );
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, document)
    })
}

/// Bytes that an answer takes, of those that have to be encoded.
pub(crate) fn size(answer: &Answer) -> usize {
    match answer {
        Answer::Dense(block) => block.bytes.len(),
        Answer::Batch(batch) => batch.get_array_memory_size(),
        Answer::Json(body) => body.len(),
        Answer::Http(answer) => answer.body.len(),
    }
}
