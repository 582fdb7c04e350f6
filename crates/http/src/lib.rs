//! An HTTP listener with limits and tokens, for the ingest of posts and for the page.
//!
//! [`Server::bind`] opens the address, and [`Server::run`] serves an axum [`Router`](axum::Router) until it is told to stop.
//! It bounds the number of connections and the time and room for headers, checks the `Host` and `Origin` of each request
//! against the names that the server may be called by, and asks for a [`Token`](tokens) where there are any. An address
//! that other machines can reach needs tokens. Errors are problem details as of RFC 9457: see [`Problem`].

mod connections;
mod names;
mod problem;
mod server;
mod tokens;

pub use names::Names;
pub use problem::Problem;
pub use server::{BindError, Limits, Server};
pub use tokens::{BadTokens, Scope, Tokens};
