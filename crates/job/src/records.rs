//! The loop over the records of a shard that all jobs share.

use moodring_pool::{ItemAction, Work};
use moodring_record::{Layout, Post, Reader};

use crate::message::{Reject, Unfit};
use crate::shard_reader::Records;

/// Observes the single records of a job, so that a test can inject faults. The default observer compiles to nothing.
pub trait RecordObserver: Default {
    /// Called before a record is parsed, with its bytes.
    fn parsing(&self, raw: &[u8]) {
        let _ = raw;
    }

    /// Called before a parsed record is scored; its shard has `shard_len` bytes.
    fn scoring(&self, post: &Post<'_>, shard_len: usize) {
        let _ = (post, shard_len);
    }
}

/// The default observer, which does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl RecordObserver for NoObserver {}

/// What the loop counted, apart from the well-formed records.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The records that could not be parsed or scored.
    pub(crate) rejects: Vec<Reject>,
    /// The records that were left out because workers died on them: one for each item that the pool quarantined.
    pub(crate) quarantined: Vec<Reject>,
    /// The number of line ends.
    pub(crate) lines: u64,
    /// The number of empty lines.
    pub(crate) blanks: u64,
    /// The number of records, including rejected and quarantined ones.
    pub(crate) items: u64,
}

/// Parses the records of a shard and hands each well-formed one to `score`, with its number in the task. A record that
/// cannot be parsed or that `score` calls unfit becomes a reject.
///
/// Names each record to the pool before it is parsed. A quarantined record is only framed, and so are all others in a
/// trial of one record, so that parsing or scoring them cannot kill the worker again.
pub(crate) fn for_each_post(
    work: &Work<'_>,
    layout: &Layout,
    records: Records<'_>,
    observer: &impl RecordObserver,
    mut score: impl FnMut(u64, &Post<'_>) -> Result<(), Unfit>,
) -> Found {
    let Records {
        offset,
        bytes,
        framing_errors,
        first_item,
        ..
    } = records;
    let mut found = Found::default();
    let mut reader = Reader::of_shard(layout, bytes, offset, framing_errors);
    for item in first_item.. {
        let action = work.action(item);
        let Some(record) = reader.next_raw() else {
            break;
        };
        found.items += 1;
        match action {
            ItemAction::Skip => {}
            ItemAction::Quarantined => found.quarantined.push(Reject::quarantined(offset, &record)),
            ItemAction::Process => {
                observer.parsing(record.bytes());
                // By reference, because moving the post would cost a memcpy per record.
                match &reader.parse(record) {
                    Ok(post) => {
                        observer.scoring(post, bytes.len());
                        if let Err(unfit) = score(item, post) {
                            found.rejects.push(Reject::unfit(offset, post, unfit));
                        }
                    }
                    Err(malformed) => found.rejects.push(Reject::malformed(offset, malformed)),
                }
            }
        }
    }
    found.lines = reader.lines();
    found.blanks = reader.blanks();
    found
}
