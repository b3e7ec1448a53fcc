//! `POST /invocations`: MLflow's scoring protocol.
//!
//! JSON that the contract decodes is scored as typed data; everything else goes to MLflow's own code as it came.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use sluis_mlflow::encode::Shape;
use sluis_mlflow::{Decoded, ErrorDocument, RawRequest, Work};

use crate::body;
use crate::content_type::PayloadType;
use crate::respond;
use crate::served::Served;

/// A body above this is decoded off the threads that serve connections.
const LARGE: usize = 256 << 10;

/// JSON nested deeper than this is refused: Python's reader would fail on it, and no payload needs it.
const MAX_DEPTH: usize = 500;

pub(crate) async fn handle(served: &Arc<Served>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let header = parts
        .headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or("(not ASCII)"));
    let payload_type = match PayloadType::of(header) {
        Ok(payload_type) => payload_type,
        // MLflow 1.x has content types of its own, such as `application/json; format=pandas-split`.
        Err(_) if header.is_some() && served.contract.speaks_1x() => PayloadType::Other,
        Err(text) => return respond::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text),
    };
    let body = match body::read(&parts.headers, body, &served.limits).await {
        Ok(body) => body,
        Err(problem) => return respond::body_error(&problem),
    };
    match payload_type {
        PayloadType::Json => json(served, body, Shape::Wrapped).await,
        PayloadType::Csv | PayloadType::Parquet | PayloadType::Other => {
            served.metrics.decoded(false, 0.0);
            let request = RawRequest::invocation(header.unwrap_or_default(), body);
            score(served, Work::Raw(request), Shape::Wrapped).await
        }
    }
}

/// Scores a JSON body of MLflow's protocol.
pub(crate) async fn json(served: &Arc<Served>, body: Bytes, shape: Shape) -> Response {
    let start = Instant::now();
    let decoded = if body.len() < LARGE {
        served.contract.decode_json(&body)
    } else {
        let (contract, body) = (served.contract.clone(), body.clone());
        let work = tokio::task::spawn_blocking(move || contract.decode_json(&body));
        work.await.unwrap_or(Decoded::AsItCame)
    };
    let in_rust = matches!(decoded, Decoded::Input(_));
    served
        .metrics
        .decoded(in_rust, start.elapsed().as_secs_f64());
    match decoded {
        Decoded::Input(input) => score(served, Work::Input(input), shape).await,
        Decoded::AsItCame if too_deep(&body) => {
            let text = format!("Invalid input. The JSON is nested deeper than {MAX_DEPTH} levels.");
            respond::error(StatusCode::BAD_REQUEST, &ErrorDocument::bad_request(text))
        }
        Decoded::AsItCame => {
            let request = RawRequest::invocation("application/json", body);
            score(served, Work::Raw(request), shape).await
        }
    }
}

/// Asks the model, and answers in the caller's shape.
pub(crate) async fn score(served: &Arc<Served>, work: Work, shape: Shape) -> Response {
    match served.scoring.score(work).await {
        Ok(answer) => {
            let start = Instant::now();
            let response = respond::answer(answer, shape);
            served.metrics.encoded(start.elapsed().as_secs_f64());
            response
        }
        Err(problem) => respond::score_error(problem),
    }
}

/// Whether brackets outside of texts nest deeper than [`MAX_DEPTH`].
fn too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_texts() {
        assert!(too_deep("[".repeat(501).as_bytes()));
        assert!(!too_deep("[]".repeat(501).as_bytes()));
        assert!(!too_deep(format!("\"{}\"", "[".repeat(600)).as_bytes()));
        assert!(too_deep(format!("\"\\\"\"{}", "{".repeat(501)).as_bytes()));
    }
}
