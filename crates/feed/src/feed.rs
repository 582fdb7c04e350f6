//! Cutting inputs into shards, one input after another.

use moodring_record::{FieldNames, Format, HEAD_LEN, Layout, ModelColumns, Quoting};

use crate::blocks::Blocks;
use crate::ranges::Ranges;
use crate::stream::{self, Stream};
use crate::{Compression, FeedError, Input, Origin};

/// How a [`Feed`] reads and cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many bytes of a file on disk make a shard.
    pub shard_size: u64,
    /// How many bytes, at the least, make a shard of anything that can be read only once.
    pub block_size: u64,
    /// What a quotation mark means in CSV and TSV.
    pub quoting: Quoting,
    /// Where in a record its text stands.
    pub fields: FieldNames,
    /// The columns to be added, which an input may hold already.
    pub models: Vec<ModelColumns>,
}

/// An input's number: its place in [`Feed::inputs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A piece of a source, as much as one worker takes on at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The source it is a piece of.
    pub source: SourceId,
    /// The piece.
    pub content: Content,
    /// How far the source has been used up since the shard before, in bytes as stored: to be measured by
    /// [`Input::size`].
    pub stored: u64,
}

/// The records of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes `start..end` of a file on disk, for the worker to read.
    ///
    /// If the layout may be cut [at lines](moodring_record::Cutting::AtLines), the range owns each line that starts in
    /// it: the worker passes over what is left of a line that started before, and reads past `end` to finish its last
    /// one. Otherwise both ends are ends of records.
    Range {
        /// The first byte.
        start: u64,
        /// Past the last byte.
        end: u64,
    },
    /// Whole records that have been read, and decompressed, already.
    Block {
        /// Where they begin in the decompressed source.
        offset: u64,
        /// Their bytes.
        bytes: Vec<u8>,
    },
}

/// Cuts inputs into shards: first those of the first input, in order, then those of the next.
///
/// An input is opened when its turn comes, and read no further than the shard that is asked for.
pub struct Feed {
    inputs: Vec<Input>,
    options: Options,
    layouts: Vec<Option<Layout>>,
    /// The first input, if it is a pipe and [`Feed::check`] has begun to read it.
    begun: Option<Stream>,
    /// The input whose turn it is.
    turn: usize,
    source: Option<Source>,
}

/// The input whose turn it is, opened.
struct Source {
    pieces: Pieces,
    stored: u64,
}

enum Pieces {
    Ranges(Ranges),
    Blocks(Blocks),
}

impl Feed {
    /// A feed of these inputs. Opens none of them yet.
    #[must_use]
    pub fn new(inputs: Vec<Input>, options: Options) -> Feed {
        Feed {
            layouts: inputs.iter().map(|_| None).collect(),
            inputs,
            options,
            begun: None,
            turn: 0,
            source: None,
        }
    }

    /// Looks into the inputs before anything is done with them, so that a file that cannot be opened or a text column
    /// that is missing is found at once. Afterwards their [layouts](Feed::layout) are known.
    ///
    /// Only the first of them may be a pipe to be looked into: those who write into several pipes may do so one after
    /// the other, and wait.
    ///
    /// # Errors
    /// If an input cannot be opened, or its head says that it cannot be used.
    pub fn check(&mut self) -> Result<(), FeedError> {
        for source in 0..self.inputs.len() {
            let is_pipe = self.inputs[source].size.is_none();
            if self.layouts[source].is_some() || (is_pipe && source > 0) {
                continue;
            }
            let mut stream = Stream::open(&self.inputs[source])?;
            self.find_layout(source, &mut stream)?;
            if is_pipe {
                self.begun = Some(stream);
            }
        }
        Ok(())
    }

    /// The next shard; `None` when all inputs are used up.
    ///
    /// # Errors
    /// If an input cannot be opened, read or decompressed, or its head says that it cannot be used.
    pub fn next_shard(&mut self) -> Result<Option<Shard>, FeedError> {
        while self.turn < self.inputs.len() {
            if self.source.is_none() {
                self.source = self.open(self.turn)?;
            }
            if let Some(source) = &mut self.source
                && let Some(shard) = source.next_shard(self.turn, &self.inputs[self.turn])?
            {
                return Ok(Some(shard));
            }
            self.source = None;
            self.turn += 1;
        }
        Ok(None)
    }

    /// How the records of a source lie: known once [`Feed::check`] has looked at it or its first shard was given out.
    /// An empty CSV or TSV file, which has no header, has none.
    #[must_use]
    pub fn layout(&self, source: SourceId) -> Option<&Layout> {
        self.layouts.get(source.0 as usize)?.as_ref()
    }

    /// The inputs, of which [`SourceId`] is the number.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Opens a source; `None` if there is nothing in it.
    fn open(&mut self, source: usize) -> Result<Option<Source>, FeedError> {
        let pieces = if is_splittable(&self.inputs[source]) {
            self.ranges(source)?.map(Pieces::Ranges)
        } else {
            self.blocks(source)?.map(Pieces::Blocks)
        };
        Ok(pieces.map(|pieces| Source { pieces, stored: 0 }))
    }

    fn blocks(&mut self, source: usize) -> Result<Option<Blocks>, FeedError> {
        let begun = self.begun.take_if(|_| source == 0);
        let mut stream = match begun {
            Some(stream) => stream,
            None => Stream::open(&self.inputs[source])?,
        };
        if self.layouts[source].is_none() {
            self.find_layout(source, &mut stream)?;
        }
        let Some(layout) = &self.layouts[source] else {
            return Ok(None);
        };
        Blocks::new(stream, layout, self.options.block_size).map(Some)
    }

    fn ranges(&mut self, source: usize) -> Result<Option<Ranges>, FeedError> {
        if self.layouts[source].is_none() {
            let mut stream = Stream::open(&self.inputs[source])?;
            self.find_layout(source, &mut stream)?;
        }
        let Some(layout) = &self.layouts[source] else {
            return Ok(None);
        };
        let input = &self.inputs[source];
        let file = stream::open(input)?;
        let ranges = file.metadata().and_then(|metadata| {
            Ranges::new(file, metadata.len(), layout, self.options.shard_size)
        });
        ranges.map(Some).map_err(|source| FeedError::Unopenable {
            name: input.name.clone(),
            source,
        })
    }

    /// Finds the layout (and the format, if nobody said it) in the head of the source, which stays in the stream's
    /// buffer. There may be none if the source is empty.
    fn find_layout(&mut self, source: usize, stream: &mut Stream) -> Result<(), FeedError> {
        stream.fill(HEAD_LEN)?;
        let input = &mut self.inputs[source];
        let head = &stream.buffer[..];
        let format = match input.format.or_else(|| told_by_content(head)) {
            Some(format) => *input.format.insert(format),
            None => {
                return Err(FeedError::UnknownContent {
                    name: input.name.clone(),
                });
            }
        };
        let Options {
            quoting,
            fields,
            models,
            ..
        } = &self.options;
        let layout = Layout::detect(format, *quoting, fields, models, head, stream.ended());
        self.layouts[source] = match layout {
            Ok(layout) => Some(layout),
            Err(_) if head.is_empty() => None,
            Err(source) => {
                return Err(FeedError::Layout {
                    name: input.name.clone(),
                    source,
                });
            }
        };
        Ok(())
    }
}

impl Source {
    fn next_shard(&mut self, number: usize, input: &Input) -> Result<Option<Shard>, FeedError> {
        let (content, stored) = match &mut self.pieces {
            Pieces::Ranges(ranges) => {
                let content = ranges.next(&input.name)?;
                let stored = match content {
                    Some(Content::Range { end, .. }) => end,
                    _ => self.stored,
                };
                (content, stored)
            }
            Pieces::Blocks(blocks) => (blocks.next()?, blocks.stored()),
        };
        let used = stored - std::mem::replace(&mut self.stored, stored);
        Ok(content.map(|content| Shard {
            source: SourceId(u32::try_from(number).unwrap_or(u32::MAX)),
            content,
            stored: used,
        }))
    }
}

/// Whether workers can read parts of the source for themselves.
fn is_splittable(input: &Input) -> bool {
    input.size.is_some()
        && input.compression == Compression::None
        && matches!(input.origin, Origin::File(_))
}

/// What the first bytes say of the format. Only JSON objects begin with something that little else begins with;
/// a stream without any record may pass for anything.
fn told_by_content(head: &[u8]) -> Option<Format> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match head.trim_ascii_start().first() {
        Some(b'{') | None => Some(Format::Jsonl),
        Some(_) => None,
    }
}
