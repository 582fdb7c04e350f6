//! Where the posts come from.

use anyhow::anyhow;
use moodring_feed::{Expanded, Feed, Input, Options, expand};
use moodring_record::{FieldNames, ModelColumns, Quoting};

use super::args::InputArgs;
use super::feed_failure;
use crate::exit::Failure;

/// The largest shard of a file that is chosen by itself: about 6,000 posts, a few milliseconds of work.
const MAX_SHARD: u64 = 1 << 20;
/// The smallest one: the cost of dispatch still disappears in it.
const MIN_SHARD: u64 = 32 << 10;
/// The size of a block of input that only the supervisor can read, and so has to hold.
const BLOCK: u64 = 256 << 10;

/// The inputs, found but not opened.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) inputs: Vec<Input>,
    quoting: Quoting,
    fields: FieldNames,
    shard_size: u64,
    block_size: u64,
}

impl Source {
    /// Finds what was named. `fields` says where to look in a record, beside the text.
    pub(crate) fn find(args: InputArgs, workers: u32, fields: FieldNames) -> Result<Self, Failure> {
        let Expanded { inputs, skipped } =
            expand(&args.inputs, args.format).map_err(feed_failure)?;
        for path in &skipped {
            tracing::warn!(path = %path.display(), "skipped a file whose extension tells no format; --format would include it");
        }
        if inputs.is_empty() {
            return Err(Failure::Usage(anyhow!(
                "there are no posts to score: no input has a known extension; add --format"
            )));
        }
        Ok(Self {
            quoting: args.quoting,
            fields: FieldNames {
                text: args.text_field,
                ..fields
            },
            shard_size: args
                .shard_size
                .unwrap_or_else(|| shard_size(&inputs, workers)),
            block_size: args.shard_size.unwrap_or(BLOCK),
            inputs,
        })
    }

    /// Opens the inputs and looks at their heads, so that a missing column is found before anything is written.
    pub(crate) fn open(&self, columns: &[ModelColumns]) -> Result<Feed, Failure> {
        let options = Options {
            shard_size: self.shard_size,
            block_size: self.block_size,
            quoting: self.quoting,
            fields: self.fields.clone(),
            models: columns.to_vec(),
        };
        let mut feed = Feed::new(self.inputs.clone(), options);
        feed.check().map_err(feed_failure)?;
        Ok(feed)
    }

    /// How many bytes the inputs have as stored, if all of them are known.
    pub(crate) fn stored_bytes(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.size).sum()
    }
}

/// Enough shards to keep every worker busy to the end, but none so small that dispatch would show.
fn shard_size(inputs: &[Input], workers: u32) -> u64 {
    let total: u64 = inputs.iter().filter_map(|input| input.size).sum();
    (total / (u64::from(workers) * 16)).clamp(MIN_SHARD, MAX_SHARD)
}
