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

/// How much of a file of JSON lines is looked through for the fields that it has, and for those that must not be there.
/// Later records are judged one by one when they are read.
const FILE_HEAD: usize = 64 << 10;
/// The same for a pipe, which may be slow: as little as holds a line, but for the doubling.
const PIPE_HEAD: usize = 64;

/// The format of a stream without any record, which could be any.
const OF_NOTHING: Format = Format::Jsonl;

/// How a [`Feed`] reads and cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedOptions {
    /// How many bytes of a file on disk make a shard.
    pub shard_size: u64,
    /// How many bytes, at the least, make a shard of anything that can be read only once.
    pub block_size: u64,
    /// What quotes and delimiters mean in CSV and TSV.
    pub reading: ReadOptions,
    /// Where in a record its text stands.
    pub fields: FieldNames,
    /// The names of the fields or columns to be added.
    pub added: Vec<String>,
    /// Whether an input may hold such fields already, and they are replaced.
    pub replace: bool,
    /// The columns that a table keeps, if they were chosen: see [`Layout::choose_columns`].
    pub columns: Option<Vec<String>>,
    /// Whether a table that is made of JSON objects alone, and of which no columns were chosen, keeps each field that holds a
    /// single value in the heads of the inputs.
    pub all_fields: bool,
}

/// Cuts inputs into shards: first those of the first input, in order, then those of the next.
///
/// An input is opened when its turn comes, and read no further than the shard that is asked for.
pub struct Feed {
    inputs: Vec<Input>,
    options: FeedOptions,
    layouts: Vec<Option<Layout>>,
    /// The pipes that [`Feed::check`] has begun to read, by the number of their input.
    begun: HashMap<usize, Stream>,
    /// What the heads of JSON inputs show, where columns are made of their fields.
    seen: Seen,
    /// The fields of objects that no column was left for.
    left_out: Vec<String>,
    /// The input whose turn it is.
    turn: usize,
    source: Option<Source>,
    /// Where to go on within the source whose turn it is, if it is not to begin at its first record.
    resume: Option<u64>,
}

/// What the heads of JSON inputs show.
#[derive(Default)]
struct Seen {
    fields: ScalarFields,
    /// The chosen columns that no head has; `None` as long as none was looked at.
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

/// A chosen column of JSON objects that none of them seems to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentColumn {
    /// Its name.
    pub name: String,
    /// The field that may have been meant.
    pub near: Option<String>,
}

/// The input whose turn it is, opened.
struct Source {
    pieces: Pieces,
    stored: u64,
}

enum Pieces {
    Ranges(Ranges),
    Blocks(Box<Blocks>),
}

impl Feed {
    /// A feed of these inputs. Opens none of them yet.
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

    /// Looks into the inputs before anything is done with them, so that a file that cannot be opened or a text column
    /// that is missing is found at once. Afterwards their [layouts](Feed::layout) are known.
    ///
    /// A pipe makes those who look into it wait for those who write into it. It is looked into only for what cannot be
    /// known otherwise, its format or its header, and only if no input before it says what the records look like: those
    /// who write into several pipes may do so one after the other.
    ///
    /// # Errors
    /// If an input cannot be opened, or its head says that it cannot be used.
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

    /// Chooses the columns of a table of JSON objects, if it is to have all fields: those of the heads of the inputs, in the
    /// order in which they first occur, and the text, id and time if they are not among those.
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
        // What is read has a column, however many others there are.
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
            // Objects can have any columns.
            let _ = layout.choose_columns(&names);
            if self.left_out.is_empty() {
                layout.note_other_fields();
            }
        }
        self.options.columns = Some(names);
        Ok(())
    }

    /// Returns the fields in the heads of the inputs. A pipe is looked into only if it is the first input, as those who write
    /// into several may do so one after the other; it has the same head as a file, so that the columns are the same.
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

    /// The chosen columns of JSON objects that none of the heads has which were looked into: they may stay empty.
    #[must_use]
    pub fn absent_columns(&self) -> Vec<AbsentColumn> {
        let near = |name: &String| AbsentColumn {
            near: nearest_name(self.seen.fields.names(), name),
            name: name.clone(),
        };
        self.seen.absent.iter().flatten().map(near).collect()
    }

    /// The fields that there was no room for among the columns: see [`FeedOptions::all_fields`].
    #[must_use]
    pub fn left_out_fields(&self) -> &[String] {
        &self.left_out
    }

    /// Goes on behind a shard that an equal feed of the same inputs gave: the shards to come are those that came after
    /// it then. What cannot be read from the middle is read up to there, and thrown away.
    ///
    /// To be called before the first shard is asked for.
    pub fn resume(&mut self, position: Position) {
        self.turn = position.source.0 as usize;
        self.resume = Some(position.offset);
        self.begun.retain(|&source, _| source >= self.turn);
    }

    /// The next shard; `None` when all inputs are used up.
    ///
    /// # Errors
    /// If an input cannot be opened, read or decompressed, or its head says that it cannot be used.
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

    /// How the records of a source lie: known once [`Feed::check`] has looked at it or its first shard was given out
    /// (only then, for a pipe, where they begin). An empty CSV or TSV source, which has no header, has none.
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

    /// Opens what is read only here. What [`Feed::check`] knows of a pipe is not where its records begin.
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

    /// Whether records must not have some fields.
    fn looks_for_fields(&self) -> bool {
        !self.options.replace && !self.options.added.is_empty()
    }

    /// Finds the layout (and the format, if nobody said it) in the head of the source, which stays in the stream's
    /// buffer.
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

    /// The layout that a head shows; none if there is neither a header nor a record in it.
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

/// Whether workers can read parts of the source for themselves.
fn is_splittable(input: &Input) -> bool {
    input.size.is_some()
        && input.compression == Compression::None
        && matches!(input.origin, Origin::File(_))
}

/// What the first bytes of a stream say of its format. Only JSON objects begin with something that little else begins
/// with; a stream without any record may pass for anything.
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
