//! Turns the feed's shards into tasks for the pool.

use std::borrow::Cow;
use std::collections::HashSet;

use moodring_feed::{Feed, Input, Origin, Position, Shard, ShardContent, SourceId};
use moodring_job::{Task, TaskContent};
use moodring_pool::BoxError;
use moodring_pool::wire;
use moodring_record::Layout;

use super::run_control::RunControl;

/// Refuses an input whose records do not belong to those of the others.
type Check = Box<dyn FnMut(&Input, &Layout) -> Result<(), BoxError> + Send>;

/// The pool's feed.
pub(crate) struct Tasks {
    feed: Feed,
    check: Option<Check>,
    /// The input that was checked last.
    checked: Option<SourceId>,
    control: RunControl,
    /// The number of the next shard.
    index: u64,
    /// The numbers of shards that an earlier run has done.
    done: HashSet<u64>,
}

impl Tasks {
    pub(crate) fn new(feed: Feed) -> Self {
        Self {
            feed,
            check: None,
            checked: None,
            control: RunControl::default(),
            index: 0,
            done: HashSet::new(),
        }
    }

    /// Calls `check` with each input before the first shard of it goes out.
    pub(crate) fn checking(
        mut self,
        check: impl FnMut(&Input, &Layout) -> Result<(), BoxError> + Send + 'static,
    ) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Takes no more input once `control` ends the run.
    pub(crate) fn end_with(&mut self, control: RunControl) {
        self.control = control;
    }

    /// Continues where a prior run ended: behind `position`, with shard number `index`, and without those in `done`.
    pub(crate) fn resume(&mut self, position: Option<Position>, index: u64, done: HashSet<u64>) {
        if let Some(position) = position {
            self.feed.resume(position);
        }
        self.index = index;
        self.done = done;
    }

    /// Checks the source of this shard, if it is the first one of it.
    fn check(&mut self, shard: &Shard) -> Result<(), BoxError> {
        if let Some(check) = &mut self.check
            && self.checked != Some(shard.source)
            && let Some(layout) = self.feed.layout(shard.source)
            && let Some(input) = self.feed.inputs().get(shard.source.0 as usize)
        {
            check(input, layout)?;
            self.checked = Some(shard.source);
        }
        Ok(())
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
            (ShardContent::Block { offset, bytes }, _) => TaskContent::Block {
                offset: *offset,
                bytes,
            },
            (ShardContent::Range { start, end }, Some(Origin::File(path))) => TaskContent::Range {
                path,
                start: *start,
                end: *end,
            },
            (ShardContent::Range { .. }, _) => {
                return Err("a range of something that is no file".into());
            }
        };
        Ok(wire::encode(&Task {
            index,
            source: shard.source.0,
            layout,
            stored: shard.stored,
            content,
            framing_errors: Cow::Borrowed(&shard.framing_errors),
            skipped: shard.skipped,
        })?)
    }
}

impl moodring_pool::Feed for Tasks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        if self.control.is_ending() {
            return Ok(None);
        }
        while let Some(shard) = self.feed.next_shard()? {
            let index = self.index;
            self.index += 1;
            if !self.done.remove(&index) {
                self.check(&shard)?;
                return self.task(index, &shard).map(Some);
            }
        }
        Ok(None)
    }
}
