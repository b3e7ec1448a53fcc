//! Request bodies: read within limits of size and time, and unpacked.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::served::Limits;

/// How long an oversized body is read on and thrown away, so that a caller who sends before it reads sees the answer.
const DISCARD: Duration = Duration::from_secs(10);

/// A body that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error(
        "the request body is larger than {limit} bytes, the limit of this server (--max-body-size)"
    )]
    TooLarge { limit: usize },
    #[error("the request body paused for more than {} seconds", .0.as_secs())]
    Slow(Duration),
    #[error("the request body broke off before its end")]
    Broken,
    #[error("content encoding '{0}' is not supported: send gzip, or no encoding")]
    Encoding(String),
    #[error("the request body is not valid gzip")]
    Gzip,
}

impl BodyError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Slow(_) => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken | BodyError::Gzip => StatusCode::BAD_REQUEST,
            BodyError::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// The whole body, unpacked.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limits: &Limits,
) -> Result<Bytes, BodyError> {
    let gzip = match headers
        .get(header::CONTENT_ENCODING)
        .map(|value| value.as_bytes())
    {
        None | Some(b"" | b"identity") => false,
        Some(b"gzip" | b"x-gzip") => true,
        Some(other) => {
            return Err(BodyError::Encoding(
                String::from_utf8_lossy(other).chars().take(40).collect(),
            ));
        }
    };
    let limit = limits.max_body_bytes;
    if body.size_hint().lower() > limit as u64 {
        discard(body).await;
        return Err(BodyError::TooLarge { limit });
    }
    let first = next(&mut body, limits.body_pause)
        .await?
        .unwrap_or_default();
    let mut whole = BytesMut::new();
    let mut packed = first;
    if packed.len() <= limit && !body.is_end_stream() {
        whole.reserve((body.size_hint().lower() as usize).min(limit) + packed.len());
        whole.extend_from_slice(&packed);
        while let Some(chunk) = next(&mut body, limits.body_pause).await? {
            if whole.len() + chunk.len() > limit {
                discard(body).await;
                return Err(BodyError::TooLarge { limit });
            }
            whole.extend_from_slice(&chunk);
        }
        packed = whole.freeze();
    }
    if packed.len() > limit {
        discard(body).await;
        return Err(BodyError::TooLarge { limit });
    }
    if gzip {
        unpack(packed, limit).await
    } else {
        Ok(packed)
    }
}

async fn next(body: &mut Body, pause: Duration) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame = timeout(pause, body.frame())
            .await
            .map_err(|_| BodyError::Slow(pause))?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::Broken),
            Some(Ok(frame)) => {
                // Trailers hold no data.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

async fn discard(mut body: Body) {
    let end = Instant::now() + DISCARD;
    while let Ok(Some(Ok(_))) = timeout_at(end, body.frame()).await {}
}

/// Unpacks on a thread of its own, and never more than the limit.
async fn unpack(packed: Bytes, limit: usize) -> Result<Bytes, BodyError> {
    let work = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(packed.as_ref()).take(limit as u64 + 1);
        reader.read_to_end(&mut out).map_err(|_| BodyError::Gzip)?;
        if out.len() > limit {
            Err(BodyError::TooLarge { limit })
        } else {
            Ok(Bytes::from(out))
        }
    });
    work.await.unwrap_or(Err(BodyError::Gzip))
}
