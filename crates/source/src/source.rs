//! The seam between a stream and its sources.

use std::sync::Arc;

use crate::outlet::Outlet;
use crate::segment::Position;

/// How a source behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    /// Whether its segments have positions, from which it can deliver again. The others go through a spool.
    pub has_position: bool,
    /// Whether posts come as they are written, so that a time of event far beyond the arrival must be a mistake.
    pub is_live: bool,
    /// How fast event time passes compared with real time: 1 unless a recording is played faster.
    pub pace: f64,
}

/// A source of posts. Runs in a thread of its own: reading files and pipes blocks, and backpressure is a call of the
/// [`Outlet`] that blocks. A source of the network drives its async runtime from there.
pub trait Source: Send {
    /// Returns how it behaves.
    fn kind(&self) -> Kind;

    /// Delivers records from `from` (from its start without one) until there are no more or the outlet is closed. Sets its
    /// status to [`Ended`](crate::Status::Ended) or [`Stopped`](crate::Status::Stopped) before it returns of its own
    /// accord. Retries by itself what may work later, and keeps its status up to date. A panic stops this source only.
    fn run(self: Box<Self>, from: Option<Position>, outlet: Arc<dyn Outlet>);
}
