//! Live sources of posts: files that grow, recordings, standard input, made-up posts.
//!
//! The principal type is [`Source`]: something that delivers records from where it left off until it ends or is told to
//! stop. It runs in a thread of its own and hands [`Segment`]s of whole records to an [`Outlet`], which blocks while there
//! is no room. What goes wrong with a source is a [`Status`] of that source, never an end of the run.
//!
//! Nothing here parses posts beyond finding where one ends, except that [replaying](crate) a recording in the order of its
//! event times needs those times.

mod outlet;
pub mod push;
mod segment;
mod source;
mod status;

mod clock;
mod deliver;
mod record_buffer;
mod stream;
mod style;

mod demo;
mod file;
mod replay;
mod stdin;

mod open;
mod uri;

#[cfg(test)]
mod testing;

pub use outlet::{Closed, Done, Full, Outlet, Refused};
pub use replay::Speed;
pub use segment::{IdempotencyKey, Position, Segment};
pub use source::{Kind, Source};
pub use status::Status;
pub use uri::{Defaults, KINDS, KindInfo, Listen, OptionInfo, Place, Settings, Spec, SpecError};
