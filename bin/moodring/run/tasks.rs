//! Turns the feed's shards into tasks for the pool.

use moodring_feed::{Content as Piece, Feed, Origin, Shard};
use moodring_job::{Content, Task};
use moodring_pool::BoxError;
use moodring_pool::wire;

use super::signals::Interrupt;

/// The pool's feed.
pub(crate) struct Tasks {
    feed: Feed,
    interrupt: Interrupt,
}

impl Tasks {
    pub(crate) fn new(feed: Feed, interrupt: Interrupt) -> Self {
        Self { feed, interrupt }
    }

    fn task(&self, shard: &Shard) -> Result<Vec<u8>, BoxError> {
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
            source: shard.source.0,
            layout,
            stored: shard.stored,
            content,
        })?)
    }
}

impl moodring_pool::Feed for Tasks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        if self.interrupt.received().is_some() {
            return Ok(None);
        }
        let shard = self.feed.next_shard()?;
        shard.map(|shard| self.task(&shard)).transpose()
    }
}
