//! The loop over the records of a shard that all jobs share.

use moodring_pool::{ItemAction, Work};
use moodring_record::{Layout, Post, Reader};

use crate::message::{Reject, Unfit};
use crate::shard_reader::Records;

/// Watches a job work on single records, so that a test can interfere. The one that does nothing costs nothing.
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

/// The observer of a run that is no test.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl RecordObserver for NoObserver {}

/// What the loop found, apart from the well-formed records.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The records that could not be parsed or scored.
    pub(crate) rejects: Vec<Reject>,
    /// The records that were left out because workers died on them, one for each item that the pool quarantined.
    pub(crate) quarantined: Vec<Reject>,
    /// Line ends passed.
    pub(crate) lines: u64,
    /// Empty lines skipped.
    pub(crate) blanks: u64,
    /// How many records there are, whatever came of them.
    pub(crate) items: u64,
}

/// Parses the records of a shard and hands each well-formed one to `score`, with its number in the task. A record that
/// cannot be parsed or that `score` calls unfit becomes a reject.
///
/// The pool learns of each record before it is parsed. A quarantined one, and in a trial of one record all others, are only
/// framed: whatever killed a worker in parsing or scoring does not happen again.
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
                // By reference: a post moved out of the result is a call of memcpy for each record.
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
