//! `push:`, posts that are sent over HTTP.
//!
//! `POST /api/v1/posts` takes JSON lines, a JSON array, or one JSON object, and answers 202 once the posts are safe: on the
//! disk, in a stream that keeps its state. A request is counted whole or not at all. One with an `Idempotency-Key` that was
//! taken in the last 24 hours is answered in the same way and not counted again.

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
use moodring_window::Timestamp;
use serde::Serialize;
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};

use self::body::{Content, records};
use crate::outlet::{Outlet, Refused};
use crate::segment::{IdempotencyKey, Position, Segment};
use crate::source::{Kind, Source};
use crate::status::Status;

/// Where to send posts unless the user says otherwise.
pub const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8089);
/// The largest body that is taken unless the user says otherwise, in bytes.
pub const DEFAULT_MAX_BODY: usize = 1 << 20;
/// The largest body that the user can allow, in bytes.
pub const MAX_MAX_BODY: usize = 16 << 20;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// The longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 256;
/// How long a client is asked to wait where there is no room, in seconds.
const RETRY_AFTER: u32 = 1;
/// How often the listener looks whether it is to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// Why posts cannot be taken over HTTP.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PushError {
    /// The address cannot be served.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system refused threads or descriptors.
    #[error("cannot start the HTTP server of `push:`")]
    Runtime(#[source] std::io::Error),
}

/// What is taken over HTTP, and from whom.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// The address to listen on.
    pub address: SocketAddr,
    /// Who may send posts; anybody on this machine without.
    pub tokens: Option<Tokens>,
    /// The names by which the server may be called, beside `localhost` and IP addresses.
    pub names: Vec<String>,
    /// The largest body that is taken, in bytes.
    pub max_body: usize,
    /// How posts lie in JSON lines.
    pub layout: Layout,
}

/// A listener for posts.
#[derive(Debug)]
pub struct Push {
    runtime: Runtime,
    server: Server,
    handler: Handler,
}

/// What a request is handled with, apart from the outlet.
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

/// What a client is told of its posts.
#[derive(Debug, Serialize)]
struct Accepted {
    /// How many posts were taken.
    accepted: u32,
    /// Whether the request was taken before.
    repeated: bool,
}

impl Push {
    /// Listens on the address, so that one that cannot be had is known before the run begins.
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

    /// The address that is listened on.
    ///
    /// # Errors
    /// If the system does not say.
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
                // It fails if the server has ended already.
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
        arrival: now(),
        position: None,
        key,
    };
    let (done, outcome) = oneshot::channel();
    let told = Box::new(move |outcome| {
        // The client may have gone; its posts are counted all the same.
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
        // What curl sends with --data-binary unless told otherwise, and no type at all.
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

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let micros = since.map_or(0, |since| since.as_micros());
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}
