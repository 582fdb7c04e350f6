//! Where a source delivers its records.

use std::time::Duration;

use thiserror::Error;

use crate::segment::Segment;
use crate::status::Status;

/// The stream takes no more records: the source is to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the stream has ended")]
pub struct Closed;

/// Why an offered segment was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The stream takes no more records.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// It could not be stored.
    #[error("cannot store the posts: {0}")]
    NotStored(String),
    /// A request with this key was taken before; its records are not taken again.
    #[error("a request with this key was taken before")]
    Repeated,
}

/// There is no room at present. The segment comes back.
#[derive(Debug, Error)]
#[error("there is no room at present")]
pub struct Full(pub Box<Segment>);

/// Called once what became of an offered segment is known: from another thread, or before [`Outlet::offer`] returns.
pub type Done = Box<dyn FnOnce(Result<(), Refused>) + Send>;

/// Takes the records of one source. Shared between the threads of that source.
pub trait Outlet: Send + Sync {
    /// Takes records, and blocks until there is room for them and, where they are kept in a spool, they are on the disk.
    /// Segments of one source are counted in the order in which they are submitted.
    ///
    /// # Errors
    /// [`Refused`], after which none of the records is counted.
    fn submit(&self, segment: Segment) -> Result<(), Refused>;

    /// Takes records if there is room, without blocking, and calls `done` once they are safe: counted or on the disk.
    ///
    /// # Errors
    /// [`Full`] if there is no room; `done` is then not called.
    fn offer(&self, segment: Segment, done: Done) -> Result<(), Full>;

    /// Tells what the source is doing from now on.
    fn set_status(&self, status: Status);

    /// Counts posts that were lost where the source cannot get them again, with what is known about it.
    fn gap(&self, why: &str);

    /// Waits, and returns early with `false` once the source is to return.
    fn wait(&self, time: Duration) -> bool;

    /// Whether the source is to return.
    fn is_closed(&self) -> bool;
}
