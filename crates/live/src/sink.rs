//! The sink of the pool: hands reports over to the fold, and returns.

use crossbeam_channel::Sender;
use moodring_pool::{BoxError, Quarantined, Released, Sink};

/// A report of a worker on its way to the fold.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) bytes: Vec<u8>,
    pub(crate) quarantined: Vec<Quarantined>,
}

/// The sink of the pool of a live run. What waits behind it is bounded by the permits of the [`Intake`](crate::Intake).
#[derive(Debug)]
pub struct FoldSink {
    pub(crate) to_fold: Sender<Report>,
}

impl Sink for FoldSink {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        let report = Report {
            bytes: released.report.to_vec(),
            quarantined: released.quarantined.to_vec(),
        };
        let sent = self.to_fold.send(report);
        sent.map_err(|_| "the fold has ended")?;
        Ok(Vec::new())
    }
}
