//! An HTTP listener with limits and tokens, for the ingest of posts and for the page.
//!
//! [`Server::bind`] opens the address, and [`Server::run`] serves an axum [`Router`](axum::Router) until it is told to
//! stop. The server limits the number of connections and the time and size of headers, checks the `Host` and `Origin`
//! of each request against a list of allowed names, and requires a token if [`Tokens`] are configured. An
//! address that other machines can reach requires tokens. Errors are problem details (RFC 9457): see [`Problem`].

mod connections;
mod names;
mod problem;
mod server;
mod tokens;

pub use names::Names;
pub use problem::Problem;
pub use server::{BindError, Limits, Server};
pub use tokens::{BadTokens, Scope, Tokens};
