//! Request bodies: read within limits of size, time and memory, and unpacked.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::room::{Held, Room};
use crate::served::Limits;

/// How long a body that is not wanted is read on and thrown away, so that a caller who sends before it reads sees the
/// answer; and how long it may pause meanwhile.
const DISCARD: Duration = Duration::from_secs(30);
const DISCARD_PAUSE: Duration = Duration::from_secs(1);

/// Bytes a second that a body must bring on average: one that trickles would hold its connection for ever.
const SLOWEST: f64 = 1024.0;

/// The room that is made for a body before it comes: its announced length costs a caller nothing.
const FIRST_ROOM: usize = 1 << 20;

/// A body is unpacked in steps of so many bytes.
const STEP: usize = 1 << 20;

/// A body that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error(
        "the request body is larger than {limit} bytes, the limit of this server (--max-body-size)"
    )]
    TooLarge { limit: usize },
    #[error(
        "the bodies of other requests take all of the {limit} bytes that this server has for them. Try again after 1 s."
    )]
    NoRoom { limit: usize },
    #[error("the request body paused for more than {} seconds, or came slower than 1 KiB a second", .0.as_secs())]
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
            BodyError::NoRoom { .. } => StatusCode::TOO_MANY_REQUESTS,
            BodyError::Slow(_) => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken | BodyError::Gzip => StatusCode::BAD_REQUEST,
            BodyError::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// The whole body, unpacked, and the room that it takes: to be held until the request is answered.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limits: &Limits,
    room: &Room,
) -> Result<(Bytes, Held), BodyError> {
    let limit = limits.max_body_bytes;
    let gzip = match is_gzip(headers) {
        Ok(gzip) => gzip,
        Err(problem) => {
            refuse(headers, body).await;
            return Err(problem);
        }
    };
    if body.size_hint().lower() > limit as u64 {
        refuse(headers, body).await;
        return Err(BodyError::TooLarge { limit });
    }
    let mut held = room.nothing();
    let packed = match collect(&mut body, limits, &mut held).await {
        Ok(packed) => packed,
        Err(problem) => {
            if matches!(
                problem,
                BodyError::TooLarge { .. } | BodyError::NoRoom { .. }
            ) {
                discard(body).await;
            }
            return Err(problem);
        }
    };
    if gzip {
        unpack(packed, limit, held).await
    } else {
        Ok((packed, held))
    }
}

/// Codings are told apart without regard to case.
fn is_gzip(headers: &HeaderMap) -> Result<bool, BodyError> {
    let Some(coding) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(false);
    };
    match coding.as_bytes().to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Ok(false),
        b"gzip" | b"x-gzip" => Ok(true),
        other => Err(BodyError::Encoding(
            String::from_utf8_lossy(other).chars().take(40).collect(),
        )),
    }
}

async fn collect(body: &mut Body, limits: &Limits, held: &mut Held) -> Result<Bytes, BodyError> {
    let limit = limits.max_body_bytes;
    let mut pace = Pace::begin(limits.body_pause);
    let first = pace.next(body).await?.unwrap_or_default();
    grow(held, first.len(), limit)?;
    if body.is_end_stream() {
        return Ok(first);
    }
    let announced = (body.size_hint().lower() as usize).min(FIRST_ROOM);
    let mut whole = BytesMut::with_capacity(announced + first.len());
    whole.extend_from_slice(&first);
    while let Some(chunk) = pace.next(body).await? {
        grow(held, whole.len() + chunk.len(), limit)?;
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

fn grow(held: &mut Held, bytes: usize, limit: usize) -> Result<(), BodyError> {
    if bytes > limit {
        return Err(BodyError::TooLarge { limit });
    }
    held.grow(bytes)
        .map_err(|full| BodyError::NoRoom { limit: full.limit })
}

/// The time that a body has: every chunk adds what it takes at the slowest rate, up to one pause from now.
struct Pace {
    pause: Duration,
    end: Instant,
}

impl Pace {
    fn begin(pause: Duration) -> Self {
        Self {
            pause,
            end: Instant::now() + pause,
        }
    }

    /// The next chunk of data.
    async fn next(&mut self, body: &mut Body) -> Result<Option<Bytes>, BodyError> {
        loop {
            let frame = timeout_at(self.end, body.frame())
                .await
                .map_err(|_| BodyError::Slow(self.pause))?;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(BodyError::Broken),
                Some(Ok(frame)) => {
                    // Trailers hold no data.
                    if let Ok(data) = frame.into_data() {
                        let earned = Duration::from_secs_f64(data.len() as f64 / SLOWEST);
                        self.end = (self.end + earned).min(Instant::now() + self.pause);
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

/// Reads off the body of a request that is refused whatever it holds; not of a caller that waits to be told to send it.
pub(crate) async fn refuse(headers: &HeaderMap, body: Body) {
    let waits = headers
        .get(header::EXPECT)
        .is_some_and(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if !waits {
        discard(body).await;
    }
}

async fn discard(mut body: Body) {
    let end = Instant::now() + DISCARD;
    let next = || end.min(Instant::now() + DISCARD_PAUSE);
    while !body.is_end_stream()
        && let Ok(Some(Ok(_))) = timeout_at(next(), body.frame()).await
    {}
}

/// Unpacks on a thread of its own, and never more than the limit and the room.
async fn unpack(packed: Bytes, limit: usize, mut held: Held) -> Result<(Bytes, Held), BodyError> {
    let work = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(packed.as_ref());
        loop {
            let before = out.len();
            reader
                .by_ref()
                .take(STEP as u64)
                .read_to_end(&mut out)
                .map_err(|_| BodyError::Gzip)?;
            if out.len() == before {
                return Ok((Bytes::from(out), held));
            }
            if out.len() > limit {
                return Err(BodyError::TooLarge { limit });
            }
            grow(&mut held, packed.len() + out.len(), usize::MAX)?;
        }
    });
    work.await.unwrap_or(Err(BodyError::Gzip))
}
