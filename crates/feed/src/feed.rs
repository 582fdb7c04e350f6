//! Cuts inputs into shards, one input after another.

use std::collections::HashMap;

use moodring_codec::Compression;
use moodring_record::{
    FieldNames, Format, HEAD_LEN, Layout, MAX_COLUMNS, ReadOptions, ScalarFields, check_encoding,
    nearest_name,
};

use crate::blocks::Blocks;
use crate::error::FeedError;
use crate::input::{Input, Origin};
use crate::ranges::Ranges;
use crate::shard::{Piece, Position, Shard, ShardContent, SourceId};
use crate::stream::{self, Stream};

/// The byte order mark in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How much of a JSON file is searched for its fields, and for fields that it must not have. Later records are checked
/// when they are read.
const FILE_HEAD: usize = 64 << 10;
/// The same for a pipe, which may be slow: doubled until it contains a line.
const PIPE_HEAD: usize = 64;

/// The format assumed for a stream without records.
const OF_NOTHING: Format = Format::Jsonl;

/// How a [`Feed`] reads and cuts inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedOptions {
    /// Bytes per shard of a file on disk.
    pub shard_size: u64,
    /// Minimum bytes per shard of an input that can be read only once.
    pub block_size: u64,
    /// How quotes and delimiters in CSV and TSV are read.
    pub reading: ReadOptions,
    /// The fields that are read.
    pub fields: FieldNames,
    /// The names of the fields or columns to be added.
    pub added: Vec<String>,
    /// Whether such fields in an input are replaced. Otherwise they are an error.
    pub replace: bool,
    /// The chosen columns of a table, if any: see [`Layout::choose_columns`].
    pub columns: Option<Vec<String>>,
    /// Whether a table made from JSON objects, without chosen columns, keeps each field that has a single value in the
    /// heads of the inputs.
    pub all_fields: bool,
}

/// Cuts inputs into shards, one input after another.
///
/// An input is opened when it is reached, and read only as far as the next shard needs.
pub struct Feed {
    inputs: Vec<Input>,
    options: FeedOptions,
    layouts: Vec<Option<Layout>>,
    /// The pipes that [`Feed::check`] has started to read, by the index of their input.
    begun: HashMap<usize, Stream>,
    /// The fields in the heads of JSON inputs, if they become columns.
    seen: Seen,
    /// The fields that exceed the maximum number of columns.
    left_out: Vec<String>,
    /// The index of the current input.
    turn: usize,
    source: Option<Source>,
    /// The offset at which to continue within the current input, if not at its first record.
    resume: Option<u64>,
}

/// The fields in the heads of JSON inputs.
#[derive(Default)]
struct Seen {
    fields: ScalarFields,
    /// The chosen columns that no head has; `None` until a head has been read.
    absent: Option<Vec<String>>,
}

impl Seen {
    fn add(&mut self, layout: &Layout, head: &[u8], head_is_all: bool) {
        let format = layout.format();
        format.scalar_fields(head, head_is_all, &mut self.fields);
        let Some(absent) = layout.absent_columns(head, head_is_all) else {
            return;
        };
        match &mut self.absent {
            Some(known) => known.retain(|name| absent.contains(name)),
            None => self.absent = Some(absent),
        }
    }
}

/// A chosen column that occurs in no head of the JSON inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentColumn {
    /// Its name.
    pub name: String,
    /// The field with the most similar name.
    pub near: Option<String>,
}

/// The current input, opened.
struct Source {
    pieces: Pieces,
    stored: u64,
}

enum Pieces {
    Ranges(Ranges),
    Blocks(Box<Blocks>),
}

impl Feed {
    /// Returns a feed of these inputs. Does not open them.
    #[must_use]
    pub fn new(inputs: Vec<Input>, options: FeedOptions) -> Feed {
        Feed {
            layouts: inputs.iter().map(|_| None).collect(),
            inputs,
            options,
            begun: HashMap::new(),
            seen: Seen::default(),
            left_out: Vec::new(),
            turn: 0,
            source: None,
            resume: None,
        }
    }

    /// Reads the heads of the inputs, so that a file that cannot be opened or lacks the text column is an error before
    /// the run begins. Afterwards their [layouts](Feed::layout) are known.
    ///
    /// Reading from a pipe blocks until its writer writes. So the head of a pipe is read only if its format or header
    /// is needed, and only if no earlier input has a layout: a program that writes to several pipes may fill one after
    /// the other.
    ///
    /// # Errors
    /// If an input cannot be opened, or its head shows that it cannot be used.
    pub fn check(&mut self) -> Result<(), FeedError> {
        for source in 0..self.inputs.len() {
            let input = &self.inputs[source];
            match input.format {
                _ if input.size.is_some() => {
                    let mut stream = Stream::open(input)?;
                    self.find_layout(source, &mut stream)?;
                }
                Some(format) if !format.has_header() => {
                    self.layouts[source] = self.detect(source, format, b"", true)?;
                }
                _ if self.layouts[..source].iter().all(Option::is_none) => {
                    let mut stream = Stream::open(input)?;
                    self.find_layout(source, &mut stream)?;
                    self.begun.insert(source, stream);
                }
                _ => {}
            }
        }
        self.keep_all_fields()
    }

    /// Chooses the columns of a table made from JSON objects, if it keeps all fields: those in the heads of the
    /// inputs, in order of their first occurrence, and the text, ID and time fields.
    fn keep_all_fields(&mut self) -> Result<(), FeedError> {
        let names_fields = |input: &Input| input.format.is_some_and(Format::names_fields);
        let FeedOptions {
            all_fields,
            columns,
            ..
        } = &self.options;
        if !all_fields || columns.is_some() || !self.inputs.iter().all(names_fields) {
            return Ok(());
        }
        let seen = self.look_into_first_pipe()?;
        let fields = &self.options.fields;
        let read = [fields.id.as_ref(), fields.time.as_ref(), Some(&fields.text)];
        let read: Vec<_> = read.into_iter().flatten().collect();
        // The text, ID and time always have a column.
        let room = MAX_COLUMNS - read.len();
        let (mut names, mut others) = (Vec::new(), 0);
        for name in seen.names() {
            if self.options.added.contains(name) {
                continue;
            }
            if read.contains(&name) {
                names.push(name.clone());
            } else if others < room {
                names.push(name.clone());
                others += 1;
            } else {
                self.left_out.push(name.clone());
            }
        }
        for name in read {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        for layout in self.layouts.iter_mut().flatten() {
            // This cannot fail for JSON objects, which can have any columns.
            let _ = layout.choose_columns(&names);
            if self.left_out.is_empty() {
                layout.note_other_fields();
            }
        }
        self.options.columns = Some(names);
        Ok(())
    }

    /// Returns the fields in the heads of the inputs. The head of a pipe is read only if it is the first input,
    /// because a program that writes to several pipes may fill one after the other. It is as long as that of a file,
    /// so that the same records give the same columns.
    fn look_into_first_pipe(&mut self) -> Result<ScalarFields, FeedError> {
        let others = std::mem::take(&mut self.seen.fields);
        if self.inputs.first().is_none_or(|input| input.size.is_some()) {
            return Ok(others);
        }
        let mut stream = match self.begun.remove(&0) {
            Some(begun) => begun,
            None => Stream::open(&self.inputs[0])?,
        };
        stream.fill_line(FILE_HEAD)?;
        self.find_layout(0, &mut stream)?;
        let mut all = ScalarFields::default();
        if let Some(format) = self.inputs[0].format {
            format.scalar_fields(&stream.buffer, stream.ended(), &mut all);
        }
        all.extend(&others);
        self.begun.insert(0, stream);
        Ok(all)
    }

    /// Returns the chosen columns that occur in no head of the JSON inputs. They may stay empty.
    #[must_use]
    pub fn absent_columns(&self) -> Vec<AbsentColumn> {
        let near = |name: &String| AbsentColumn {
            near: nearest_name(self.seen.fields.names(), name),
            name: name.clone(),
        };
        self.seen.absent.iter().flatten().map(near).collect()
    }

    /// Returns the fields that exceed the maximum number of columns: see [`FeedOptions::all_fields`].
    #[must_use]
    pub fn left_out_fields(&self) -> &[String] {
        &self.left_out
    }

    /// Continues after the shard at `position`, which a feed with equal inputs and options returned. The next shards
    /// are the same as those that followed it. An input that cannot be read from the middle is read and discarded up
    /// to there.
    ///
    /// Must be called before the first shard is taken.
    pub fn resume(&mut self, position: Position) {
        self.turn = position.source.0 as usize;
        self.resume = Some(position.offset);
        self.begun.retain(|&source, _| source >= self.turn);
    }

    /// Returns the next shard; `None` at the end of the last input.
    ///
    /// # Errors
    /// If an input cannot be opened, read or decompressed, or its head shows that it cannot be used.
    pub fn next_shard(&mut self) -> Result<Option<Shard>, FeedError> {
        while self.turn < self.inputs.len() {
            if self.source.is_none() {
                self.source = self.open(self.turn)?;
                if let (Some(source), Some(offset)) = (&mut self.source, self.resume.take()) {
                    source.skip_to(offset, &self.inputs[self.turn].name)?;
                }
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

    /// Returns the layout of a source. It is known after [`Feed::check`] or the first shard of the source; where the
    /// records of a pipe begin is known only after its first shard. An empty CSV or TSV source has no layout.
    #[must_use]
    pub fn layout(&self, source: SourceId) -> Option<&Layout> {
        self.layouts.get(source.0 as usize)?.as_ref()
    }

    /// Returns the inputs. A [`SourceId`] is an index into them.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Opens a source; `None` if it is empty.
    fn open(&mut self, source: usize) -> Result<Option<Source>, FeedError> {
        let pieces = if is_splittable(&self.inputs[source]) {
            self.ranges(source)?.map(Pieces::Ranges)
        } else {
            self.blocks(source)?
                .map(|blocks| Pieces::Blocks(Box::new(blocks)))
        };
        Ok(pieces.map(|pieces| Source { pieces, stored: 0 }))
    }

    fn blocks(&mut self, source: usize) -> Result<Option<Blocks>, FeedError> {
        let stream = match self.begun.remove(&source) {
            Some(begun) => begun,
            None => self.open_stream(source)?,
        };
        let Some(layout) = &self.layouts[source] else {
            return Ok(None);
        };
        Blocks::new(stream, layout, self.options.block_size).map(Some)
    }

    /// Opens an input that is read here, not by workers. The layout that [`Feed::check`] found for a pipe does not
    /// tell where its records begin.
    fn open_stream(&mut self, source: usize) -> Result<Stream, FeedError> {
        let input = &self.inputs[source];
        let mut stream = Stream::open(input)?;
        if input.size.is_none() || self.layouts[source].is_none() {
            self.find_layout(source, &mut stream)?;
        }
        Ok(stream)
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

    /// Whether some fields must not occur in records.
    fn looks_for_fields(&self) -> bool {
        !self.options.replace && !self.options.added.is_empty()
    }

    /// Detects the layout (and the format, if it is not given) from the head of the source, which stays in the buffer
    /// of the stream.
    fn find_layout(&mut self, source: usize, stream: &mut Stream) -> Result<(), FeedError> {
        let format = match self.inputs[source].format {
            Some(format) => format,
            None => find_format(&self.inputs[source], stream)?,
        };
        self.inputs[source].format = Some(format);
        stream.fill(format.head_len())?;
        let is_file = self.inputs[source].size.is_some();
        let makes_columns = self.options.all_fields || self.options.columns.is_some();
        if format.names_fields() && (self.looks_for_fields() || makes_columns && is_file) {
            stream.fill_line(if is_file { FILE_HEAD } else { PIPE_HEAD })?;
        }
        let layout = self.detect(source, format, &stream.buffer, stream.ended())?;
        if let Some(layout) = &layout
            && format.names_fields()
            && makes_columns
            && is_file
        {
            self.seen.add(layout, &stream.buffer, stream.ended());
        }
        self.layouts[source] = layout;
        Ok(())
    }

    /// Detects the layout from a head; `None` if it contains neither a header nor a record.
    fn detect(
        &self,
        source: usize,
        format: Format,
        head: &[u8],
        head_is_all: bool,
    ) -> Result<Option<Layout>, FeedError> {
        let FeedOptions {
            reading,
            fields,
            added,
            replace,
            columns,
            all_fields,
            ..
        } = &self.options;
        let failed = |error| FeedError::Layout {
            name: self.inputs[source].name.clone(),
            source: error,
        };
        let layout = Layout::detect(format, *reading, fields, added, head, head_is_all);
        let mut layout = layout.map_err(failed)?;
        if let Some(columns) = columns {
            layout.choose_columns(columns).map_err(failed)?;
            if *all_fields && self.left_out.is_empty() {
                layout.note_other_fields();
            }
        }
        if !replace {
            layout.keep_fields();
            if let Some(field) = layout.taken(added, head, head_is_all) {
                return Err(FeedError::FieldTaken {
                    name: self.inputs[source].name.clone(),
                    field,
                });
            }
        }
        Ok((!layout.lacks_header()).then_some(layout))
    }
}

impl Source {
    fn skip_to(&mut self, offset: u64, name: &str) -> Result<(), FeedError> {
        match &mut self.pieces {
            Pieces::Ranges(ranges) => {
                self.stored = offset;
                ranges.skip_to(offset, name)
            }
            Pieces::Blocks(blocks) => blocks.skip_to(offset, name),
        }
    }

    fn next_shard(&mut self, number: usize, input: &Input) -> Result<Option<Shard>, FeedError> {
        let (piece, stored) = match &mut self.pieces {
            Pieces::Ranges(ranges) => {
                let piece = ranges.next(&input.name)?;
                let stored = match &piece {
                    Some(Piece {
                        content: ShardContent::Range { end, .. },
                        skipped,
                        ..
                    }) => end + skipped,
                    _ => self.stored,
                };
                (piece, stored)
            }
            Pieces::Blocks(blocks) => (blocks.next()?, blocks.stored()),
        };
        let used = stored - std::mem::replace(&mut self.stored, stored);
        Ok(piece.map(|piece| Shard {
            source: SourceId(u32::try_from(number).unwrap_or(u32::MAX)),
            content: piece.content,
            framing_errors: piece.framing_errors,
            skipped: piece.skipped,
            stored: used,
        }))
    }
}

/// Whether workers can read ranges of the source themselves.
fn is_splittable(input: &Input) -> bool {
    input.size.is_some()
        && input.compression == Compression::None
        && matches!(input.origin, Origin::File(_))
}

/// Detects the format of a stream from its first bytes. Only JSON objects can be recognized; a stream without records
/// gets a default.
fn find_format(input: &Input, stream: &mut Stream) -> Result<Format, FeedError> {
    let mut len = 4;
    loop {
        stream.fill(len)?;
        let head = &stream.buffer[..];
        check_encoding(head).map_err(|source| FeedError::Layout {
            name: input.name.clone(),
            source,
        })?;
        let head = head.strip_prefix(BOM).unwrap_or(head);
        let first = head.trim_ascii_start().first();
        match first.map(|&byte| Format::from_first_byte(byte)) {
            Some(Some(format)) => return Ok(format),
            None if stream.ended() => return Ok(OF_NOTHING),
            None if len < HEAD_LEN => len *= 2,
            Some(None) | None => {
                return Err(FeedError::UnknownContent {
                    name: input.name.clone(),
                });
            }
        }
    }
}
