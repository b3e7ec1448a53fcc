//! A caller's stream, with an end to two waits that the HTTP library leaves open: for the first bytes of a connection,
//! and for a caller that reads no answer.
//!
//! Knows of HTTP only the preface of version 2, which tells where the library's own time limits begin.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What a connection of HTTP/2 begins with. Until one byte differs, or all are there, the version is not known.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream whose reads end with an error when its first bytes don't come, and whose writes do when nothing is taken.
pub(crate) struct Stream<S> {
    inner: S,
    /// The end of the wait for the first bytes, and how many of the preface are there.
    opening: Option<(Pin<Box<Sleep>>, usize)>,
    /// The end of the wait of a write.
    blocked: Option<Pin<Box<Sleep>>>,
    write_pause: Duration,
}

impl<S> Stream<S> {
    /// The first bytes are waited for `first_bytes` long, every write `write_pause`.
    pub(crate) fn new(inner: S, first_bytes: Duration, write_pause: Duration) -> Self {
        Self {
            inner,
            opening: Some((Box::pin(sleep(first_bytes)), 0)),
            blocked: None,
            write_pause,
        }
    }

    /// Ends the opening once `bytes`, the next that were read, tell the version.
    fn opened_by(&mut self, bytes: &[u8]) {
        if let Some((_, seen)) = &mut self.opening {
            let rest = &PREFACE[*seen..];
            if rest.starts_with(bytes) && bytes.len() < rest.len() {
                *seen += bytes.len();
            } else {
                self.opening = None;
            }
        }
    }

    /// The outcome of a write, unless it is pending for too long.
    fn within_pause<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.blocked = None;
            return outcome;
        }
        let pause = self.write_pause;
        let end = self.blocked.get_or_insert_with(|| Box::pin(sleep(pause)));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut stream.inner).poll_read(context, buffer);
        match (&outcome, &mut stream.opening) {
            (Poll::Pending, Some((end, _))) => {
                ready!(end.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            (Poll::Ready(Ok(())), Some(_)) => {
                stream.opened_by(&buffer.filled()[before..]);
                outcome
            }
            _ => outcome,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let outcome = Pin::new(&mut stream.inner).poll_write(context, bytes);
        stream.within_pause(context, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let outcome = Pin::new(&mut stream.inner).poll_write_vectored(context, bytes);
        stream.within_pause(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let outcome = Pin::new(&mut stream.inner).poll_flush(context);
        stream.within_pause(context, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let outcome = Pin::new(&mut stream.inner).poll_shutdown(context);
        stream.within_pause(context, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::timeout;

    const PAUSE: Duration = Duration::from_secs(30);
    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_version_stays_unknown_ends() {
        for (sent, ends) in [
            (&b""[..], true),
            (b"PRI * HTTP/2.0\r\n", true),
            (b"G", false),
            (PREFACE, false),
            (b"PRI * HTTP/1.1", false),
        ] {
            let (mut caller, ours) = duplex(1024);
            let mut stream = Stream::new(ours, PAUSE, PAUSE);
            caller.write_all(sent).await.unwrap();
            let mut read = Vec::new();
            let outcome = timeout(LONG, stream.read_to_end(&mut read)).await;
            assert_eq!(outcome.is_ok(), ends, "{sent:?}");
            if let Ok(outcome) = outcome {
                assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_ends() {
        let (mut caller, ours) = duplex(8);
        let mut stream = Stream::new(ours, PAUSE, PAUSE);
        let outcome = timeout(LONG, stream.write_all(&[0; 64])).await.unwrap();
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // One that reads slowly, but reads, is served.
        let (_, _) = tokio::join!(
            async {
                let mut some = [0; 8];
                while caller.read_exact(&mut some).await.is_ok() {
                    sleep(PAUSE / 2).await;
                }
            },
            async {
                let outcome = timeout(LONG, stream.write_all(&[0; 64])).await;
                outcome.unwrap().unwrap();
                drop(stream);
            }
        );
    }
}
