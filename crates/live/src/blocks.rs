//! The feed of the pool: blocks of what the sources have delivered.

use std::borrow::Cow;
use std::sync::Arc;

use crossbeam_channel::Sender;
use moodring_job::{LiveSegment, LiveTask};
use moodring_pool::{BoxError, Feed, wire};
use moodring_record::Layout;

use crate::intake::Taken;
use crate::shared::Shared;
use crate::stream::{Block, BlockSegment};

/// The feed of the pool of a live run. It ends when the input does, after all that was taken is handed out.
#[derive(Debug)]
pub struct Blocks {
    pub(crate) shared: Arc<Shared>,
    /// Whether the posts of each source come as they are written.
    pub(crate) is_live: Vec<bool>,
    /// Tells the fold of each block, in the order in which the pool will release them.
    pub(crate) to_fold: Sender<Block>,
}

impl Feed for Blocks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let Some(taken) = self.shared.intake.next_block() else {
            return Ok(None);
        };
        let task = wire::encode(&self.task(&taken))?;
        let segments = taken
            .into_iter()
            .map(|Taken { source, segment }| BlockSegment {
                source,
                bytes: segment.bytes.len(),
                position: segment.position,
                arrival: segment.arrival,
            });
        let block = Block {
            segments: segments.collect(),
        };
        let sent = self.to_fold.send(block);
        sent.map_err(|_| "the fold has ended")?;
        Ok(Some(task))
    }
}

impl Blocks {
    fn task<'t>(&self, taken: &'t [Taken]) -> LiveTask<'t> {
        let mut layouts: Vec<&'t Arc<Layout>> = Vec::new();
        let mut segments = Vec::with_capacity(taken.len());
        for Taken { source, segment } in taken {
            let known = layouts
                .iter()
                .position(|it| Arc::ptr_eq(it, &segment.layout));
            let layout = known.unwrap_or_else(|| {
                layouts.push(&segment.layout);
                layouts.len() - 1
            });
            segments.push(LiveSegment {
                source: u32::try_from(*source).unwrap_or(u32::MAX),
                is_live: self.is_live[*source],
                arrival: segment.arrival,
                offset: segment.offset,
                layout: u32::try_from(layout).unwrap_or(u32::MAX),
                bytes: &segment.bytes,
                framing_errors: Cow::Borrowed(&segment.framing_errors),
            });
        }
        LiveTask {
            layouts: layouts.into_iter().map(|it| Cow::Borrowed(&**it)).collect(),
            segments,
        }
    }
}
