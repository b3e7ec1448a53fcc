//! Frames on the data channel: a header of 32 bytes, a JSON head, a body.
//!
//! Reads and writes whole frames. Knows nothing of what they mean.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::protocol::{MAGIC, MAX_HEAD};

const HEADER_BYTES: usize = 32;

/// A body up to this size is sent in one write with its head.
const ONE_WRITE: usize = 64 << 10;

/// The first 32 bytes of a frame: magic, kind, 3 zero bytes, call id, head length, 4 zero bytes, body length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: u8,
    /// The call that it belongs to.
    pub call_id: u64,
    /// Bytes of the head.
    pub head_length: usize,
    /// Bytes of the body.
    pub body_length: usize,
}

/// A channel that does not carry this protocol, or that ended.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side closed the channel, or it broke.
    #[error("the data channel ended")]
    Channel(#[from] io::Error),
    /// Other bytes than a frame's.
    #[error("the worker sent something that is no frame of this protocol")]
    Magic,
    /// A length over its limit.
    #[error("a frame of {head} + {body} bytes is over the limit")]
    TooLarge {
        /// Bytes of the head.
        head: usize,
        /// Bytes of the body.
        body: usize,
    },
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4] = self.kind;
        bytes[8..16].copy_from_slice(&self.call_id.to_le_bytes());
        bytes[16..20].copy_from_slice(&(self.head_length as u32).to_le_bytes());
        bytes[24..32].copy_from_slice(&(self.body_length as u64).to_le_bytes());
        bytes
    }

    /// The header of these bytes, refused when a length is over its limit.
    pub fn decode(bytes: &[u8; HEADER_BYTES], max_body: usize) -> Result<Self, FrameError> {
        let (magic, rest) = bytes.split_at(4);
        if magic != MAGIC {
            return Err(FrameError::Magic);
        }
        let number = |range: std::ops::Range<usize>| {
            let mut padded = [0_u8; 8];
            padded[..range.len()].copy_from_slice(&rest[range]);
            u64::from_le_bytes(padded)
        };
        let (head, body) = (number(12..16) as usize, number(20..28) as usize);
        if head > MAX_HEAD || body > max_body {
            return Err(FrameError::TooLarge { head, body });
        }
        Ok(Self {
            kind: rest[0],
            call_id: number(4..12),
            head_length: head,
            body_length: body,
        })
    }
}

/// Reads one frame: its header, head and body.
pub(crate) async fn read(
    channel: &mut (impl AsyncRead + Unpin),
    max_body: usize,
) -> Result<(Header, Bytes, Bytes), FrameError> {
    let mut bytes = [0; HEADER_BYTES];
    channel.read_exact(&mut bytes).await?;
    let header = Header::decode(&bytes, max_body)?;
    let head = read_part(channel, header.head_length).await?;
    let body = read_part(channel, header.body_length).await?;
    Ok((header, head, body))
}

async fn read_part(channel: &mut (impl AsyncRead + Unpin), length: usize) -> Result<Bytes, io::Error> {
    let mut part = BytesMut::with_capacity(length);
    let mut limited = channel.take(length as u64);
    while part.len() < length {
        if limited.read_buf(&mut part).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(part.freeze())
}

/// Writes one frame whose body is the concatenation of `bodies`.
pub(crate) async fn write(
    channel: &mut (impl AsyncWrite + Unpin),
    kind: u8,
    call_id: u64,
    head: &[u8],
    bodies: &[Bytes],
) -> Result<(), FrameError> {
    let body_length: usize = bodies.iter().map(Bytes::len).sum();
    if head.len() > MAX_HEAD {
        return Err(FrameError::TooLarge { head: head.len(), body: body_length });
    }
    let header = Header {
        kind,
        call_id,
        head_length: head.len(),
        body_length,
    };
    let mut start = Vec::with_capacity(HEADER_BYTES + head.len() + body_length.min(ONE_WRITE));
    start.extend_from_slice(&header.encode());
    start.extend_from_slice(head);
    let together = body_length <= ONE_WRITE;
    if together {
        bodies.iter().for_each(|body| start.extend_from_slice(body));
    }
    channel.write_all(&start).await?;
    if !together {
        for body in bodies {
            channel.write_all(body).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_read_back_and_foreign_bytes_are_refused() {
        let (mut left, mut right) = tokio::io::duplex(1 << 20);
        let bodies = [Bytes::from_static(b"ab"), Bytes::from(vec![7; 100_000])];
        write(&mut left, 5, 77, b"{}", &bodies).await.unwrap();
        let (header, head, body) = read(&mut right, 1 << 20).await.unwrap();
        assert_eq!((header.kind, header.call_id, head.as_ref(), body.len()), (5, 77, b"{}".as_ref(), 100_002));
        write(&mut left, 1, 1, b"", &bodies).await.unwrap();
        assert!(matches!(read(&mut right, 10).await, Err(FrameError::TooLarge { body: 100_002, .. })));
        assert!(matches!(Header::decode(&[0; 32], 10), Err(FrameError::Magic)));
    }

    /// The golden frames of the contract, which the worker's own tests read too.
    #[test]
    fn golden_headers_are_these_bytes() {
        let golden = include_str!("../../../protocol/frames/headers.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(golden).unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let number = |key: &str| case[key].as_u64().unwrap();
            let header = Header {
                kind: number("kind") as u8,
                call_id: number("call_id"),
                head_length: number("head_length") as usize,
                body_length: number("body_length") as usize,
            };
            let hex: String = header.encode().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, case["hex"].as_str().unwrap());
            assert_eq!(Header::decode(&header.encode(), usize::MAX).unwrap(), header);
        }
    }
}
