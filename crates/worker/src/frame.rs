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
    NoFrame,
    /// A length over its limit.
    #[error("a frame with a head of {head} bytes and a body of {body} bytes is over the limit")]
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
        let reserved = rest[1..4].iter().chain(&rest[16..20]);
        if magic != MAGIC || reserved.copied().any(|byte| byte != 0) {
            return Err(FrameError::NoFrame);
        }
        let number = |range: std::ops::Range<usize>| {
            let mut padded = [0_u8; 8];
            padded[..range.len()].copy_from_slice(&rest[range]);
            u64::from_le_bytes(padded)
        };
        let length = |range| usize::try_from(number(range)).unwrap_or(usize::MAX);
        let (head, body) = (length(12..16), length(20..28));
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

async fn read_part(
    channel: &mut (impl AsyncRead + Unpin),
    length: usize,
) -> Result<Bytes, io::Error> {
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
        return Err(FrameError::TooLarge {
            head: head.len(),
            body: body_length,
        });
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
pub(crate) mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::*;

    /// A golden frame of the contract, which the worker's own tests read too.
    #[derive(Deserialize)]
    pub(crate) struct Golden {
        pub(crate) kind: u8,
        pub(crate) call: u64,
        pub(crate) head: String,
        #[serde(deserialize_with = "hex")]
        pub(crate) body: Vec<u8>,
        #[serde(deserialize_with = "hex")]
        pub(crate) frame: Vec<u8>,
    }

    fn hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pairs = (0..text.len()).step_by(2);
        Ok(pairs
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect())
    }

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol/frames")
    }

    impl Golden {
        pub(crate) fn named(name: &str) -> Self {
            let text = std::fs::read(folder().join(name).with_extension("json")).unwrap();
            serde_json::from_slice(&text).unwrap()
        }
    }

    #[tokio::test]
    async fn golden_frames_are_read_and_written_to_the_byte() {
        let mut seen = 0;
        for entry in std::fs::read_dir(folder()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let golden = Golden::named(name.trim_end_matches(".json"));
            let (header, head, body) = read(&mut golden.frame.as_slice(), 1 << 20).await.unwrap();
            assert_eq!(
                (header.kind, header.call_id),
                (golden.kind, golden.call),
                "{name}"
            );
            assert_eq!(
                (head.as_ref(), body.as_ref()),
                (golden.head.as_bytes(), golden.body.as_slice()),
                "{name}"
            );
            let mut written = Vec::new();
            write(&mut written, header.kind, header.call_id, &head, &[body])
                .await
                .unwrap();
            assert_eq!(written, golden.frame, "{name}");
            seen += 1;
        }
        assert!(seen > 8, "the golden frames are missing");
    }

    #[tokio::test]
    async fn bodies_of_several_parts_arrive_whole() {
        let (mut left, mut right) = tokio::io::duplex(1 << 10);
        let bodies = [
            Bytes::from_static(b"ab"),
            Bytes::new(),
            Bytes::from(vec![7; 100_000]),
        ];
        let (written, read) = tokio::join!(
            write(&mut left, 5, 77, b"{}", &bodies),
            read(&mut right, 1 << 20)
        );
        written.unwrap();
        assert_eq!(read.unwrap().2, bodies.concat());
    }

    #[tokio::test]
    async fn what_is_no_frame_is_refused_before_anything_is_allocated() {
        let header = Header {
            kind: 1,
            call_id: 1,
            head_length: 0,
            body_length: 11,
        };
        let bytes = header.encode();
        assert!(matches!(
            Header::decode(&bytes, 10),
            Err(FrameError::TooLarge { body: 11, .. })
        ));
        let long = Header {
            head_length: MAX_HEAD + 1,
            ..header
        }
        .encode();
        assert!(matches!(
            Header::decode(&long, 10),
            Err(FrameError::TooLarge { .. })
        ));
        for position in [0, 5, 7, 20, 23] {
            let mut broken = bytes;
            broken[position] ^= 1;
            assert!(
                matches!(Header::decode(&broken, 100), Err(FrameError::NoFrame)),
                "byte {position}"
            );
        }
        for end in [0, 31, 33] {
            let cut = [bytes.as_slice(), b"abc"].concat();
            assert!(matches!(
                read(&mut &cut[..end], 100).await,
                Err(FrameError::Channel(_))
            ));
        }
    }
}
