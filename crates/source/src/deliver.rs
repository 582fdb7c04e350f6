//! Handing segments to an outlet, and how a source comes to its end.

use crate::outlet::{Closed, Outlet, Refused};
use crate::segment::Segment;
use crate::status::Status;

/// Why a source stops delivering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The stream takes no more.
    Closed,
    /// Nothing more will come.
    Ended,
    /// It cannot go on, and needs a person.
    Stopped(String),
}

impl From<Closed> for Halt {
    fn from(_: Closed) -> Halt {
        Halt::Closed
    }
}

impl Halt {
    /// Tells the outlet. Nobody has to be told that the stream is closed.
    pub(crate) fn tell(self, outlet: &dyn Outlet) {
        match self {
            Halt::Closed => {}
            Halt::Ended => outlet.set_status(Status::Ended),
            Halt::Stopped(why) => outlet.set_status(Status::Stopped { why }),
        }
    }
}

/// Submits a segment of a source that has positions, and so needs no spool.
pub(crate) fn submit(outlet: &dyn Outlet, segment: Segment) -> Result<(), Halt> {
    match outlet.submit(segment) {
        Ok(()) => Ok(()),
        Err(Refused::Closed(_)) => Err(Halt::Closed),
        Err(other) => Err(Halt::Stopped(other.to_string())),
    }
}
