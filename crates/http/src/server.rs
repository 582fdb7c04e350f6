//! The listener.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::connections::{Connection, Connections};
use crate::names::Names;
use crate::tokens::Tokens;

/// How long to wait after a failed accept. It fails when no descriptors are left, which is temporary.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The limits for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of open connections.
    pub connections: usize,
    /// Timeout for the headers of a request, and for an idle connection.
    pub headers: Duration,
    /// Maximum size of the headers of a request, in bytes.
    pub header_bytes: usize,
}

impl Default for Limits {
    /// 1,024 connections, 15 seconds, 16 KiB.
    fn default() -> Self {
        Self {
            connections: 1024,
            headers: Duration::from_secs(15),
            header_bytes: 16 << 10,
        }
    }
}

/// Why an address cannot be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Other machines can reach the address, and no tokens are configured.
    #[error("other machines can reach {0}: give --token-file FILE, or listen on 127.0.0.1")]
    NeedsTokens(SocketAddr),
    /// The operating system refused the address.
    #[error("cannot listen on {address}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A server that listens on an address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    limits: Limits,
    names: Arc<Names>,
}

impl Server {
    /// Listens on an address. Port 0 selects a free port. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`]. Without tokens, any address but loopback is refused.
    pub async fn bind(
        address: SocketAddr,
        tokens: Option<&Tokens>,
        names: Names,
        limits: Limits,
    ) -> Result<Self, BindError> {
        if tokens.is_none() && !address.ip().to_canonical().is_loopback() {
            return Err(BindError::NeedsTokens(address));
        }
        let listener = TcpListener::bind(address).await;
        Ok(Self {
            listener: listener.map_err(|source| BindError::Refused { address, source })?,
            limits,
            names: Arc::new(names),
        })
    }

    /// Returns the address that the server listens on.
    ///
    /// # Errors
    /// If the operating system does not report it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `router` until `stop` is true or its sender is dropped. Then answers the requests in progress and closes
    /// all connections.
    pub async fn run(self, router: Router, mut stop: watch::Receiver<bool>) {
        let connections = Connections::default();
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            while tasks.try_join_next().is_some() {}
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // All connections are busy. The client sees this one closed and can retry.
            let Some((connection, registered)) = connections.open(self.limits.connections) else {
                continue;
            };
            let serving = serve(
                stream,
                router.clone(),
                Arc::clone(&self.names),
                self.limits,
                connection,
                stop.clone(),
            );
            tasks.spawn(async move {
                serving.await;
                drop(registered);
            });
        }
        drop(self.listener);
        while tasks.join_next().await.is_some() {}
    }
}

/// Serves one connection until it is closed.
async fn serve(
    stream: TcpStream,
    router: Router,
    names: Arc<Names>,
    limits: Limits,
    connection: Arc<Connection>,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let state = Arc::clone(&connection);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, names, state) = (router.clone(), Arc::clone(&names), Arc::clone(&state));
        async move {
            // The request is in progress until its body has been sent; an event stream, until it ends.
            let guard = Answering::of(state);
            let response = answer(router, &names, request).await;
            Ok::<_, std::convert::Infallible>(response.map(|body| Guarded { body, guard }))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(limits.header_bytes.max(8 << 10))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
                return;
            }
            () = connection.close.notified() => return,
            _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                is_stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Marks a connection as busy until dropped.
struct Answering(Arc<Connection>);

impl Answering {
    fn of(connection: Arc<Connection>) -> Self {
        connection.answering(true);
        Self(connection)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering(false);
    }
}

/// A body that marks its connection as busy.
struct Guarded {
    body: Body,
    #[expect(dead_code, reason = "it acts when it is dropped")]
    guard: Answering,
}

impl hyper::body::Body for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn answer(router: Router, names: &Names, request: Request<Incoming>) -> Response {
    if let Err(problem) = names.check(request.headers()) {
        return problem.into_response();
    }
    let request = request.map(Body::new);
    match tower_service::Service::call(&mut router.clone(), request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
