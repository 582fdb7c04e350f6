//! Turns the feed's shards into tasks for the pool.

use std::collections::HashSet;

use moodring_feed::{Content as Piece, Feed, Origin, Position, Shard};
use moodring_job::{Content, Task};
use moodring_pool::BoxError;
use moodring_pool::wire;

use super::signals::Interrupt;

/// The pool's feed.
pub(crate) struct Tasks {
    feed: Feed,
    interrupt: Interrupt,
    /// The number of the next shard.
    index: u64,
    /// The numbers of shards that an earlier run has done.
    done: HashSet<u64>,
}

impl Tasks {
    pub(crate) fn new(feed: Feed, interrupt: Interrupt) -> Self {
        Self {
            feed,
            interrupt,
            index: 0,
            done: HashSet::new(),
        }
    }

    /// Goes on where an earlier run ended: behind `position`, with shard number `index`, and without those in `done`.
    pub(crate) fn resume(&mut self, position: Option<Position>, index: u64, done: HashSet<u64>) {
        if let Some(position) = position {
            self.feed.resume(position);
        }
        self.index = index;
        self.done = done;
    }

    fn task(&self, index: u64, shard: &Shard) -> Result<Vec<u8>, BoxError> {
        let layout = self
            .feed
            .layout(shard.source)
            .cloned()
            .ok_or("a shard came before its layout")?;
        let origin = self
            .feed
            .inputs()
            .get(shard.source.0 as usize)
            .map(|input| &input.origin);
        let content = match (&shard.content, origin) {
            (Piece::Block { offset, bytes }, _) => Content::Block {
                offset: *offset,
                bytes,
            },
            (Piece::Range { start, end }, Some(Origin::File(path))) => Content::Range {
                path,
                start: *start,
                end: *end,
            },
            (Piece::Range { .. }, _) => return Err("a range of something that is no file".into()),
        };
        Ok(wire::encode(&Task {
            index,
            source: shard.source.0,
            layout,
            stored: shard.stored,
            content,
        })?)
    }
}

impl moodring_pool::Feed for Tasks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        if self.interrupt.received().is_some() || self.interrupt.is_drained() {
            return Ok(None);
        }
        while let Some(shard) = self.feed.next_shard()? {
            let index = self.index;
            self.index += 1;
            if !self.done.remove(&index) {
                return self.task(index, &shard).map(Some);
            }
        }
        Ok(None)
    }
}
