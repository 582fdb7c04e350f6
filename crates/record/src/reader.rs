//! Walking the records of a shard.

use serde::{Deserialize, Serialize};

use crate::delimited::{Field, Row, scan_row, terminator};
use crate::frame::{Boundary, EXCERPT_LEN, Framer, FramingError};
use crate::layout::Shape;
use crate::table::Table;
use crate::{Layout, json};

/// Where a record begins, relative to the start of its shard; both counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Bytes before it.
    pub offset: u64,
    /// Lines before it.
    pub line: u64,
}

/// One well-formed record, as long as its [`Reader`] stands still.
#[derive(Debug)]
pub struct Post<'p> {
    text: &'p str,
    id: Option<&'p str>,
    time: Option<&'p str>,
    label: Option<&'p str>,
    raw: &'p str,
    location: Location,
    /// A row's own; empty for other records.
    terminator: &'p [u8],
    body: Body<'p>,
}

/// What the renderer must know of a record to write it again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'p> {
    Text,
    Object(&'p json::Wanted, &'p json::Object),
    Row(&'p [Field]),
}

impl Post<'_> {
    /// The text to be scored.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text
    }

    /// What the post is known by, if a field was named for it and the record has it. A JSON number stands here as it
    /// was written.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id
    }

    /// When the post was written, if a field was named for it and the record has it.
    #[must_use]
    pub fn time(&self) -> Option<&str> {
        self.time
    }

    /// The label that a person gave it, if a field was named for it and the record has it.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label
    }

    /// The record as it stands in the source, without its terminator.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.raw.as_bytes()
    }

    /// Where the record begins.
    #[must_use]
    pub fn location(&self) -> Location {
        self.location
    }

    /// The name of the first field that holds a single value, other than null, and has no column, as it stands in the
    /// record. Only for objects, and if [`Layout::note_other_fields`] asked for it.
    #[must_use]
    pub fn other_field(&self) -> Option<&str> {
        match self.body {
            Body::Object(_, object) => object.other(self.raw),
            Body::Text | Body::Row(_) => None,
        }
    }

    /// Whether the record is an object that has the chosen column of this index.
    pub(crate) fn has_column(&self, index: usize) -> bool {
        match self.body {
            Body::Object(wanted, object) => object.has_column(wanted, index),
            Body::Text | Body::Row(_) => false,
        }
    }

    pub(crate) fn raw_str(&self) -> &str {
        self.raw
    }

    pub(crate) fn terminator(&self) -> &[u8] {
        self.terminator
    }

    pub(crate) fn body(&self) -> Body<'_> {
        self.body
    }
}

/// A record that has been framed and not parsed: its bytes are known, but not what they say.
#[derive(Debug)]
pub struct RawRecord<'a> {
    framed: Framed<'a>,
}

/// What framing found.
#[derive(Debug)]
enum Framed<'a> {
    /// A record, which ends where it should.
    Whole {
        location: Location,
        raw: &'a [u8],
        terminator: &'a [u8],
    },
    /// an error of framing.
    Malformed(MalformedRecord<'a>),
}

impl<'a> RawRecord<'a> {
    fn error(malformed: MalformedRecord<'a>) -> Self {
        let framed = Framed::Malformed(malformed);
        RawRecord { framed }
    }

    /// Returns where the record begins.
    #[must_use]
    pub fn location(&self) -> Location {
        match &self.framed {
            Framed::Whole { location, .. } => *location,
            Framed::Malformed(malformed) => malformed.location,
        }
    }

    /// Returns the record as it stands in the source, without its terminator; or its first bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        match &self.framed {
            Framed::Whole { raw, .. } => raw,
            Framed::Malformed(malformed) => malformed.raw,
        }
    }

    /// Returns the length of the record, with the end of its last line, if [`bytes`](Self::bytes) is only its beginning.
    #[must_use]
    pub fn len_if_cut(&self) -> Option<u64> {
        match &self.framed {
            Framed::Whole { .. } => None,
            Framed::Malformed(malformed) => malformed.len,
        }
    }
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRecord<'a> {
    /// Where it begins.
    pub location: Location,
    /// The record as it stands in the source, without its terminator; or its first bytes.
    pub raw: &'a [u8],
    /// How long it is, with the end of its last line, if `raw` is only its beginning.
    pub len: Option<u64>,
    /// How many lines of it come before the one in which a quote was opened that is at fault, if it is one.
    pub quote_line: Option<u64>,
    /// What is wrong with it.
    pub reason: RejectReason,
}

impl<'a> MalformedRecord<'a> {
    fn whole(location: Location, raw: &'a [u8], reason: RejectReason) -> MalformedRecord<'a> {
        MalformedRecord {
            location,
            raw,
            len: None,
            quote_line: None,
            reason,
        }
    }
}

/// What is wrong with a malformed record. Columns are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// The record is not UTF-8.
    #[error("bad UTF-8 at byte {column}")]
    BadUtf8 {
        /// Which of its bytes is the first bad one, counted from 1.
        column: usize,
    },
    /// The line does not hold JSON.
    #[error("bad JSON at byte {column}: {what}")]
    BadJson {
        /// Which of its bytes is the first bad one, counted from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// The line holds something else.
    #[error("not a JSON object")]
    NotAnObject,
    /// The object lacks the text.
    #[error("the text field is missing")]
    TextMissing,
    /// The text is something else.
    #[error("the text field is {found}, not a string")]
    TextNotString {
        /// What it is.
        found: &'static str,
    },
    /// The object has a field of the name of one that is to be added.
    #[error("the record has a field `{name}` already, which would be replaced")]
    FieldTaken {
        /// The field.
        name: String,
    },
    /// The row does not fit the header.
    #[error("the row has {has} columns, the header has {header}")]
    Ragged {
        /// How many columns the row has.
        has: usize,
        /// How many columns the header has.
        header: usize,
    },
    /// A quoted field goes on after it ended.
    #[error("column {column} has text after its closing quote")]
    TextAfterQuote {
        /// The column.
        column: usize,
    },
    /// A quoted field takes the rest of the source.
    #[error("column {column} opens a quote that is never closed")]
    UnclosedQuote {
        /// The column.
        column: usize,
    },
    /// A quoted field makes its record too long.
    #[error(
        "column {column} opens a quote, and the record does not end within {limit} bytes (see --max-record)"
    )]
    QuoteTooLong {
        /// The column.
        column: usize,
        /// The longest record there may be.
        limit: usize,
    },
    /// The record is too long.
    #[error("the record does not end within {limit} bytes (see --max-record)")]
    TooLong {
        /// The longest record there may be.
        limit: usize,
    },
}

/// The kinds of reasons for which a record is rejected, to count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RejectKind {
    /// [`RejectReason::BadUtf8`].
    BadUtf8,
    /// [`RejectReason::BadJson`].
    BadJson,
    /// [`RejectReason::NotAnObject`].
    NotAnObject,
    /// [`RejectReason::TextMissing`].
    TextMissing,
    /// [`RejectReason::TextNotString`].
    TextNotString,
    /// [`RejectReason::FieldTaken`].
    FieldTaken,
    /// [`RejectReason::Ragged`].
    Ragged,
    /// [`RejectReason::TextAfterQuote`].
    TextAfterQuote,
    /// [`RejectReason::UnclosedQuote`].
    UnclosedQuote,
    /// [`RejectReason::QuoteTooLong`] or [`RejectReason::TooLong`].
    TooLong,
    /// The record does not say when it was written, or not in a way that can be read. Not found by a reader.
    Time,
    /// A model cannot score the text. Not found by a reader.
    NotScored,
}

impl RejectReason {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> RejectKind {
        match self {
            RejectReason::BadUtf8 { .. } => RejectKind::BadUtf8,
            RejectReason::BadJson { .. } => RejectKind::BadJson,
            RejectReason::NotAnObject => RejectKind::NotAnObject,
            RejectReason::TextMissing => RejectKind::TextMissing,
            RejectReason::TextNotString { .. } => RejectKind::TextNotString,
            RejectReason::FieldTaken { .. } => RejectKind::FieldTaken,
            RejectReason::Ragged { .. } => RejectKind::Ragged,
            RejectReason::TextAfterQuote { .. } => RejectKind::TextAfterQuote,
            RejectReason::UnclosedQuote { .. } => RejectKind::UnclosedQuote,
            RejectReason::QuoteTooLong { .. } | RejectReason::TooLong { .. } => RejectKind::TooLong,
        }
    }
}

/// Walks the records of a shard.
///
/// The records are lent: each [`Post`] borrows the reader's buffers until the next one is asked for.
#[derive(Debug)]
pub struct Reader<'a> {
    layout: &'a Layout,
    shard: Shard<'a>,
    known: Known<'a>,
    object: json::Object,
    row: RowBuffers,
}

/// The bytes of a shard, and how far they have been read.
#[derive(Debug)]
struct Shard<'a> {
    bytes: &'a [u8],
    /// The same, if all of it is UTF-8, as it almost always is; checking it in one go is fastest.
    text: Option<&'a str>,
    at: usize,
    lines: u64,
    blanks: u64,
}

/// The framing errors of a shard that were found when it was cut.
#[derive(Debug, Default)]
struct Known<'a> {
    framing_errors: &'a [FramingError],
    /// Where the shard begins in the source.
    offset: u64,
}

impl<'a> Known<'a> {
    /// The error that begins at this place of the shard.
    fn take(&mut self, at: usize) -> Option<&'a FramingError> {
        let (first, rest) = self.framing_errors.split_first()?;
        (first.offset == self.offset + at as u64).then(|| {
            self.framing_errors = rest;
            first
        })
    }
}

/// The fields of the current row, and room to decode those that a post shows.
#[derive(Debug, Default)]
struct RowBuffers {
    fields: Vec<Field>,
    text: String,
    id: String,
    time: String,
    label: String,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`, which begin at a record and end with the source. A byte order mark and a header
    /// are none of them: see [`Layout::body_start`].
    #[must_use]
    pub fn new(layout: &'a Layout, bytes: &'a [u8]) -> Self {
        Reader::of_shard(layout, bytes, 0, &[])
    }

    /// A reader of a shard that begins `offset` bytes into its source, and ends where a [`Framer`] found an end after
    /// these framing errors. Of an error that is longer than the limit the bytes are missing, and nothing comes after it.
    #[must_use]
    pub fn of_shard(
        layout: &'a Layout,
        bytes: &'a [u8],
        offset: u64,
        framing_errors: &'a [FramingError],
    ) -> Self {
        let text = simdutf8::basic::from_utf8(bytes).ok();
        Reader {
            layout,
            shard: Shard {
                bytes,
                text,
                at: 0,
                lines: 0,
                blanks: 0,
            },
            known: Known {
                framing_errors,
                offset,
            },
            object: json::Object::default(),
            row: RowBuffers::default(),
        }
    }

    /// Frames and parses the next record; `None` at the end of the shard.
    pub fn next_record(&mut self) -> Option<Result<Post<'_>, MalformedRecord<'a>>> {
        let record = self.next_raw()?;
        Some(self.parse(record))
    }

    /// Frames the next record without parsing it; `None` at the end of the shard.
    pub fn next_raw(&mut self) -> Option<RawRecord<'a>> {
        let Reader {
            layout,
            shard,
            known,
            row,
            ..
        } = self;
        let limit = layout.max_record();
        match layout.shape() {
            Shape::Texts => shard.next_line(<[u8]>::is_empty, limit, known),
            Shape::Objects(_) => shard.next_line(is_white, limit, known),
            Shape::Rows(table) => shard.next_row(table, layout, &mut row.fields, known),
        }
    }

    /// Parses the record that [`next_raw`](Self::next_raw) returned last.
    ///
    /// # Errors
    /// If the record is malformed.
    pub fn parse(&mut self, record: RawRecord<'a>) -> Result<Post<'_>, MalformedRecord<'a>> {
        let (location, raw, terminator) = match record.framed {
            Framed::Whole {
                location,
                raw,
                terminator,
            } => (location, raw, terminator),
            Framed::Malformed(malformed) => return Err(malformed),
        };
        let line = self.shard.checked(location, raw)?;
        match self.layout.shape() {
            Shape::Texts => Ok(text_post(line, location)),
            Shape::Objects(wanted) => object_post(wanted, &mut self.object, line, location)
                .map_err(|reason| MalformedRecord::whole(location, raw, reason)),
            Shape::Rows(table) => {
                let (has, header) = (self.row.fields.len(), table.columns.len());
                if has == header {
                    Ok(row_post(table, &mut self.row, line, terminator, location))
                } else {
                    let reason = RejectReason::Ragged { has, header };
                    Err(MalformedRecord::whole(location, raw, reason))
                }
            }
        }
    }

    /// The physical lines passed so far, for line numbers.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.shard.lines
    }

    /// The empty lines skipped so far.
    #[must_use]
    pub fn blanks(&self) -> u64 {
        self.shard.blanks
    }
}

impl<'a> Shard<'a> {
    fn location(&self) -> Location {
        Location {
            offset: self.at as u64,
            line: self.lines,
        }
    }

    /// The next line that is not blank, without its terminator.
    fn next_line(
        &mut self,
        is_blank: impl Fn(&[u8]) -> bool,
        limit: usize,
        known: &mut Known<'a>,
    ) -> Option<RawRecord<'a>> {
        loop {
            let location = self.location();
            let rest = &self.bytes[self.at..];
            let line = match memchr::memchr(b'\n', rest) {
                Some(newline) => &rest[..=newline],
                None if rest.is_empty() => {
                    let error = known.take(self.at)?;
                    return Some(RawRecord::error(self.known_error(location, error, limit)));
                }
                None => rest,
            };
            self.at += line.len();
            self.lines += 1;
            if line.len() > limit {
                let (raw, len) = excerpt(line, line.len() as u64, limit);
                let reason = RejectReason::TooLong { limit };
                let malformed = MalformedRecord::whole(location, raw, reason);
                return Some(RawRecord::error(MalformedRecord { len, ..malformed }));
            }
            let raw = &line[..line.len() - terminator(line).len()];
            if !is_blank(raw) {
                let framed = Framed::Whole {
                    location,
                    raw,
                    terminator: b"",
                };
                return Some(RawRecord { framed });
            }
            self.blanks += 1;
        }
    }

    /// The next row, whose fields are left in `fields`.
    fn next_row(
        &mut self,
        table: &Table,
        layout: &Layout,
        fields: &mut Vec<Field>,
        known: &mut Known<'a>,
    ) -> Option<RawRecord<'a>> {
        let mut rest = &self.bytes[self.at..];
        while let [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] = rest {
            self.at += rest.len() - after.len();
            self.lines += 1;
            self.blanks += 1;
            rest = after;
        }
        let limit = layout.max_record();
        let location = self.location();
        if let Some(error) = known.take(self.at) {
            return Some(RawRecord::error(self.known_error(location, error, limit)));
        }
        if rest.is_empty() {
            return None;
        }
        let within = &rest[..rest.len().min(limit)];
        // A row that the limit cuts off ends there too.
        let is_whole = |row: &Row| {
            row.next < within.len() || within.len() == rest.len() || within.ends_with(b"\n")
        };
        let row = match scan_row(table.dialect, within, fields) {
            Ok(row) if is_whole(&row) => row,
            Ok(_) | Err(_) => {
                let error = first_error(layout, rest);
                return Some(RawRecord::error(self.error(location, &error, limit)));
            }
        };
        self.at += row.next;
        self.lines += row.lines;
        let (raw, terminator) = rest[..row.next].split_at(row.len);
        let framed = Framed::Whole {
            location,
            raw,
            terminator,
        };
        Some(RawRecord { framed })
    }

    /// Passes over an error that was found when the shard was cut.
    fn known_error(
        &mut self,
        location: Location,
        error: &'a FramingError,
        limit: usize,
    ) -> MalformedRecord<'a> {
        let malformed = self.error(location, error, limit);
        if error.excerpt.is_empty() {
            return malformed;
        }
        MalformedRecord {
            raw: within_characters(&error.excerpt),
            ..malformed
        }
    }

    /// Passes over an error.
    fn error(
        &mut self,
        location: Location,
        error: &FramingError,
        limit: usize,
    ) -> MalformedRecord<'a> {
        let rest = &self.bytes[self.at..];
        let len = usize::try_from(error.len).unwrap_or(usize::MAX);
        let record = &rest[..len.min(rest.len())];
        self.at += record.len();
        self.lines += error.lines;
        let (raw, len) = excerpt(record, error.len, limit);
        MalformedRecord {
            location,
            raw,
            len,
            quote_line: error.column.map(|_| error.quote_line),
            reason: error.reason(limit),
        }
    }

    /// A record as text.
    fn checked(&self, location: Location, raw: &'a [u8]) -> Result<&'a str, MalformedRecord<'a>> {
        if let Some(text) = self.text {
            let start = raw.as_ptr().addr() - self.bytes.as_ptr().addr();
            return Ok(&text[start..start + raw.len()]);
        }
        simdutf8::compat::from_utf8(raw).map_err(|error| {
            let column = error.valid_up_to() + 1;
            MalformedRecord::whole(location, raw, RejectReason::BadUtf8 { column })
        })
    }
}

/// The error at the start of the rest of a source.
#[cold]
fn first_error(layout: &Layout, rest: &[u8]) -> FramingError {
    let mut framer = Framer::new(layout, 0);
    let step = framer.next(rest, true, 1);
    if let Some(error) = framer.take_errors().into_iter().next() {
        return error;
    }
    debug_assert!(matches!(step, Boundary::Oversized(0)), "{step:?}");
    let mut error = framer.oversized(rest);
    let known = usize::try_from(error.len).unwrap_or(usize::MAX);
    let end = memchr::memchr(b'\n', &rest[known..]);
    error.len = end.map_or(rest.len(), |end| known + end + 1) as u64;
    error.excerpt.clear();
    error
}

/// What is kept of a record of this length, and that length if it is not all.
fn excerpt(record: &[u8], len: u64, limit: usize) -> (&[u8], Option<u64>) {
    if len > limit as u64 {
        let kept = record.len().min(limit).min(EXCERPT_LEN);
        return (within_characters(&record[..kept]), Some(len));
    }
    let raw = &record[..record.len() - terminator(record).len()];
    match raw.get(..EXCERPT_LEN) {
        Some(kept) if kept.len() < raw.len() => (within_characters(kept), Some(len)),
        _ => (raw, None),
    }
}

/// Without the start of a character at its end.
fn within_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

/// Whether a line holds nothing but what JSON takes for white space.
fn is_white(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

fn text_post(line: &str, location: Location) -> Post<'_> {
    Post {
        text: line,
        id: None,
        time: None,
        label: None,
        raw: line,
        location,
        terminator: b"",
        body: Body::Text,
    }
}

fn object_post<'p>(
    wanted: &'p json::Wanted,
    object: &'p mut json::Object,
    line: &'p str,
    location: Location,
) -> Result<Post<'p>, RejectReason> {
    object.read(wanted, line)?;
    let object = &*object;
    Ok(Post {
        text: object.text(wanted, line)?,
        id: object.scalar(wanted, json::Field::Id, line),
        time: object.scalar(wanted, json::Field::Time, line),
        label: object.scalar(wanted, json::Field::Label, line),
        raw: line,
        location,
        terminator: b"",
        body: Body::Object(wanted, object),
    })
}

fn row_post<'p>(
    table: &Table,
    buffers: &'p mut RowBuffers,
    line: &'p str,
    terminator: &'p [u8],
    location: Location,
) -> Post<'p> {
    let RowBuffers {
        fields,
        text,
        id,
        time,
        label,
    } = buffers;
    Post {
        text: fields[table.text].decode(line, text),
        id: table.id.map(|column| fields[column].decode(line, id)),
        time: table.time.map(|column| fields[column].decode(line, time)),
        label: table.label.map(|column| fields[column].decode(line, label)),
        raw: line,
        location,
        terminator,
        body: Body::Row(fields),
    }
}
