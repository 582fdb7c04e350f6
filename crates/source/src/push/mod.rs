//! The source `push:`, which receives posts over HTTP.
//!
//! `POST /api/v1/posts` accepts JSON lines, a JSON array, or one JSON object. With a state, it answers 202 when the
//! posts are on the disk. A request is counted completely or not at all. A request with an `Idempotency-Key` that was
//! accepted in the last 24 hours gets the same answer and is not counted again.

mod body;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use moodring_http::{BindError, Limits, Names, Problem, Scope, Server, Tokens};
use moodring_record::Layout;
use serde::Serialize;
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};

use self::body::{Content, records};
use crate::outlet::{Outlet, Refused};
use crate::segment::{IdempotencyKey, Position, Segment};
use crate::source::{Kind, Source};
use crate::status::Status;

/// The default address.
pub const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8089);
/// The default maximum size of a body, in bytes.
pub const DEFAULT_MAX_BODY: usize = 1 << 20;
/// The upper limit of the maximum size of a body, in bytes.
pub const MAX_MAX_BODY: usize = 16 << 20;

/// Timeout for receiving a body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Maximum length of an `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 256;
/// How long a client is asked to wait when the queue is full, in seconds.
const RETRY_AFTER: u32 = 1;
/// How often the listener checks whether it must stop.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// Why posts cannot be received over HTTP.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PushError {
    /// The address cannot be served.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The operating system refused threads or descriptors.
    #[error("cannot start the HTTP server of `push:`")]
    Runtime(#[source] std::io::Error),
}

/// The settings of a listener for posts.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// The address to listen on.
    pub address: SocketAddr,
    /// The tokens that allow sending posts. Without tokens, everybody on this machine may.
    pub tokens: Option<Tokens>,
    /// The allowed host names, in addition to `localhost` and IP addresses.
    pub names: Vec<String>,
    /// Maximum size of a body, in bytes.
    pub max_body: usize,
    /// The layout of posts in JSON lines.
    pub layout: Layout,
}

/// A listener for posts.
#[derive(Debug)]
pub struct Push {
    runtime: Runtime,
    server: Server,
    handler: Handler,
}

/// The state shared by all requests, apart from the outlet.
#[derive(Debug, Clone)]
struct Handler {
    tokens: Option<Tokens>,
    max_body: usize,
    layout: Arc<Layout>,
}

#[derive(Clone)]
struct Shared {
    handler: Handler,
    outlet: Arc<dyn Outlet>,
}

/// The response to accepted posts.
#[derive(Debug, Serialize)]
struct Accepted {
    /// How many posts were accepted.
    accepted: u32,
    /// Whether the request had been accepted before.
    repeated: bool,
}

impl Push {
    /// Listens on the address, so that an unusable address is an error before the run begins.
    ///
    /// # Errors
    /// [`PushError`].
    pub fn bind(options: PushOptions) -> Result<Self, PushError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .thread_name("push")
            .enable_all()
            .build()
            .map_err(PushError::Runtime)?;
        let names = Names::new(&options.names);
        let bound = Server::bind(
            options.address,
            options.tokens.as_ref(),
            names,
            Limits::default(),
        );
        let server = runtime.block_on(bound)?;
        Ok(Self {
            runtime,
            server,
            handler: Handler {
                tokens: options.tokens,
                max_body: options.max_body.min(MAX_MAX_BODY),
                layout: Arc::new(options.layout),
            },
        })
    }

    /// Returns the address that the listener uses.
    ///
    /// # Errors
    /// If the operating system does not report it.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.server.address()
    }
}

impl Source for Push {
    fn kind(&self) -> Kind {
        Kind {
            has_position: false,
            is_live: true,
            pace: 1.0,
        }
    }

    fn run(self: Box<Self>, _from: Option<Position>, outlet: Arc<dyn Outlet>) {
        let Self {
            runtime,
            server,
            handler,
        } = *self;
        let (stop, stopped) = watch::channel(false);
        let shared = Shared {
            handler,
            outlet: Arc::clone(&outlet),
        };
        let router = Router::new()
            .route("/api/v1/posts", post(take))
            .fallback(async || Problem::new(StatusCode::NOT_FOUND, "send posts to /api/v1/posts"))
            .with_state(shared);
        outlet.set_status(Status::Live);
        runtime.block_on(async {
            tokio::join!(server.run(router, stopped), async {
                while !outlet.is_closed() {
                    tokio::time::sleep(STOP_INTERVAL).await;
                }
                // This fails if the server has already ended.
                let _ = stop.send(true);
            })
        });
    }
}

/// Handles `POST /api/v1/posts`.
async fn take(State(shared): State<Shared>, headers: HeaderMap, body: Body) -> Response {
    match accept(&shared, &headers, body).await {
        Ok(accepted) => (StatusCode::ACCEPTED, Json(accepted)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn accept(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<Accepted, Problem> {
    if let Some(tokens) = &shared.handler.tokens {
        tokens.check(headers, Scope::Ingest)?;
    }
    let key = key_of(headers)?;
    let content = content_of(headers)?;
    let body = read(body, shared.handler.max_body).await?;
    let records = records(&body, content)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let segment = Segment {
        layout: Arc::clone(&shared.handler.layout),
        bytes: records.bytes,
        framing_errors: Vec::new(),
        records: records.count,
        offset: 0,
        arrival: SystemTime::now().into(),
        position: None,
        key,
    };
    let (done, outcome) = oneshot::channel();
    let told = Box::new(move |outcome| {
        // The client may have disconnected; its posts are counted anyway.
        let _ = done.send(outcome);
    });
    let full = |_| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "posts arrive faster than they are scored; send these again later",
        )
        .retry_after(RETRY_AFTER)
    };
    shared.outlet.offer(segment, told).map_err(full)?;
    let ended = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the stream has ended");
    match outcome.await {
        Ok(Ok(())) => Ok(Accepted {
            accepted: records.count,
            repeated: false,
        }),
        Ok(Err(Refused::Repeated)) => Ok(Accepted {
            accepted: records.count,
            repeated: true,
        }),
        Ok(Err(refused @ Refused::NotStored(_))) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(Problem::new(status, refused.to_string()).retry_after(RETRY_AFTER))
        }
        Ok(Err(_)) | Err(_) => Err(ended()),
    }
}

async fn read(body: Body, max_body: usize) -> Result<Bytes, Problem> {
    let too_late = |_| {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
        )
    };
    let read = tokio::time::timeout(BODY_TIME, to_bytes(body, max_body));
    read.await.map_err(too_late)?.map_err(|error| {
        let is_large = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if is_large {
            let detail = format!(
                "the body has more than {max_body} bytes; send the posts in several requests, or raise `max-body`"
            );
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail);
        }
        Problem::new(StatusCode::BAD_REQUEST, "the body is incomplete")
    })
}

fn key_of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    if key.is_empty() || key.len() > MAX_KEY {
        let detail = format!("an Idempotency-Key has 1 to {MAX_KEY} bytes");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(Some(IdempotencyKey::of(key.as_bytes())))
}

fn content_of(headers: &HeaderMap) -> Result<Content, Problem> {
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return Ok(Content::Unknown);
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    Ok(match kind.to_ascii_lowercase().as_str() {
        "application/json" => Content::Json,
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines" => Content::Lines,
        // The default type of `curl --data-binary`, and a missing type.
        "" | "application/x-www-form-urlencoded" | "application/octet-stream" | "text/plain" => {
            Content::Unknown
        }
        _ => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send posts as application/json or application/x-ndjson",
            ));
        }
    })
}
