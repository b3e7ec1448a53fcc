//! The listening server: connections, their limits, and an end without a lost request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::open_files;
use crate::served::Limits;
use crate::stream::Stream;

/// Connections that the system may hold before they are accepted.
const BACKLOG: u32 = 1024;

/// After an error of `accept` (too many open files, say), this long until the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another program listens there.
    #[error("port {port} on {host} is taken by another program", port = .0.port(), host = .0.ip())]
    PortTaken(SocketAddr),
    /// The address is not one of this machine, or needs rights.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A port that is taken, but on which nobody is answered yet: callers are refused until [`listen`](Server::listen).
#[derive(Debug)]
pub struct Server {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Server {
    /// Takes the port. Port 0 takes a free one.
    pub fn bind(address: SocketAddr) -> Result<Self, ServerError> {
        let problem = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ServerError::PortTaken(address),
            _ => ServerError::Bind { address, source },
        };
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }
        .map_err(problem)?;
        socket.set_reuseaddr(true).map_err(problem)?;
        socket.bind(address).map_err(problem)?;
        let address = socket.local_addr().map_err(problem)?;
        Ok(Self { socket, address })
    }

    /// The address, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From here on callers connect, and wait until [`run`](Listening::run) answers them.
    pub fn listen(self) -> Result<Listening, ServerError> {
        let address = self.address;
        let listener = self
            .socket
            .listen(BACKLOG)
            .map_err(|source| match source.kind() {
                io::ErrorKind::AddrInUse => ServerError::PortTaken(address),
                _ => ServerError::Bind { address, source },
            })?;
        Ok(Listening(listener))
    }
}

/// A port on which callers connect.
#[derive(Debug)]
pub struct Listening(TcpListener);

impl Listening {
    /// Answers callers until `stop`; then accepts no more, and returns when all connections have ended or `grace` is over.
    pub async fn run(
        self,
        router: Router,
        limits: Limits,
        stop: CancellationToken,
        grace: Duration,
    ) {
        let listener = self.0;
        let connections = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(open_files::connections(
            limits.max_connections,
        )));
        let builder = builder(&limits);
        let mut full = false;
        while let Some(stream) = stop.run_until_cancelled(accept(&listener)).await {
            let place = Arc::clone(&places).try_acquire_owned();
            if place.is_err() && !full {
                tracing::warn!(
                    "all places for connections are taken; further callers are turned away"
                );
            }
            full = place.is_err();
            let Ok(place) = place else {
                continue;
            };
            let stream = Stream::new(stream, limits.head_timeout, limits.body_pause);
            let service = TowerToHyperService::new(router.clone());
            let connection = builder
                .serve_connection(TokioIo::new(stream), service)
                .into_owned();
            let connection = connections.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(place);
            });
        }
        drop(listener);
        if tokio::time::timeout(grace, connections.shutdown())
            .await
            .is_err()
        {
            tracing::warn!(
                grace_seconds = grace.as_secs(),
                "connections were still open at the end of the grace time"
            );
        }
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_concurrent_streams(256);
    builder
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection was gone at once");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
