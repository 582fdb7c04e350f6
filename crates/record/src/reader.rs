//! Walking the records of a shard.

use serde::{Deserialize, Serialize};

use crate::delimited::{Fault, Field, scan_row, terminator};
use crate::layout::Shape;
use crate::table::Table;
use crate::{Layout, json};

/// Where a record begins, relative to the start of its shard; both counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
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
    place: Place,
    /// A row's own; empty for other records.
    terminator: &'p [u8],
    body: Body<'p>,
}

/// What the renderer must know of a record to write it again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'p> {
    Text,
    Object(&'p json::Object),
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

    /// What a person says of its mood, if a field was named for it and the record has it.
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
    pub fn place(&self) -> Place {
        self.place
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

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed<'a> {
    /// Where it begins.
    pub place: Place,
    /// The record as it stands in the source, without its terminator.
    pub raw: &'a [u8],
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a malformed record. Columns are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
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
}

/// What kind of [`Reason`] it is, to count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReasonKind {
    /// [`Reason::BadUtf8`].
    BadUtf8,
    /// [`Reason::BadJson`].
    BadJson,
    /// [`Reason::NotAnObject`].
    NotAnObject,
    /// [`Reason::TextMissing`].
    TextMissing,
    /// [`Reason::TextNotString`].
    TextNotString,
    /// [`Reason::FieldTaken`].
    FieldTaken,
    /// [`Reason::Ragged`].
    Ragged,
    /// [`Reason::TextAfterQuote`].
    TextAfterQuote,
    /// [`Reason::UnclosedQuote`].
    UnclosedQuote,
}

impl Reason {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ReasonKind {
        match self {
            Reason::BadUtf8 { .. } => ReasonKind::BadUtf8,
            Reason::BadJson { .. } => ReasonKind::BadJson,
            Reason::NotAnObject => ReasonKind::NotAnObject,
            Reason::TextMissing => ReasonKind::TextMissing,
            Reason::TextNotString { .. } => ReasonKind::TextNotString,
            Reason::FieldTaken { .. } => ReasonKind::FieldTaken,
            Reason::Ragged { .. } => ReasonKind::Ragged,
            Reason::TextAfterQuote { .. } => ReasonKind::TextAfterQuote,
            Reason::UnclosedQuote { .. } => ReasonKind::UnclosedQuote,
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
    /// A reader at the start of `bytes`, which begin at a record and end with one (or with the source). A byte order
    /// mark and a header are none of them: see [`Layout::body_start`].
    #[must_use]
    pub fn new(layout: &'a Layout, bytes: &'a [u8]) -> Self {
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
            object: json::Object::default(),
            row: RowBuffers::default(),
        }
    }

    /// The next record, well-formed or not; `None` at the end of the shard.
    pub fn next_record(&mut self) -> Option<Result<Post<'_>, Malformed<'a>>> {
        let Reader {
            layout,
            shard,
            object,
            row,
        } = self;
        match layout.shape() {
            Shape::Texts => {
                let (place, raw) = shard.next_line(<[u8]>::is_empty)?;
                Some(shard.checked(place, raw).map(|line| text_post(line, place)))
            }
            Shape::Objects(wanted) => {
                let (place, raw) = shard.next_line(is_white)?;
                let line = match shard.checked(place, raw) {
                    Ok(line) => line,
                    Err(malformed) => return Some(Err(malformed)),
                };
                let post = object_post(wanted, object, line, place);
                Some(post.map_err(|reason| Malformed { place, raw, reason }))
            }
            Shape::Rows(table) => Some(shard.next_row(table, row)?),
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
    fn place(&self) -> Place {
        Place {
            offset: self.at as u64,
            line: self.lines,
        }
    }

    /// The next line that is not blank, without its terminator.
    fn next_line(&mut self, is_blank: impl Fn(&[u8]) -> bool) -> Option<(Place, &'a [u8])> {
        loop {
            let place = self.place();
            let rest = &self.bytes[self.at..];
            let line = match memchr::memchr(b'\n', rest) {
                Some(newline) => &rest[..=newline],
                None if rest.is_empty() => return None,
                None => rest,
            };
            self.at += line.len();
            self.lines += 1;
            let line = &line[..line.len() - terminator(line).len()];
            if !is_blank(line) {
                return Some((place, line));
            }
            self.blanks += 1;
        }
    }

    fn next_row<'p>(
        &mut self,
        table: &Table,
        buffers: &'p mut RowBuffers,
    ) -> Option<Result<Post<'p>, Malformed<'a>>>
    where
        'a: 'p,
    {
        let mut rest = &self.bytes[self.at..];
        while let [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] = rest {
            self.at += rest.len() - after.len();
            self.lines += 1;
            self.blanks += 1;
            rest = after;
        }
        if rest.is_empty() {
            return None;
        }
        let place = self.place();
        let row = scan_row(table.dialect, rest, &mut buffers.fields);
        self.at += row.next;
        self.lines += row.lines;
        let (raw, end) = rest[..row.next].split_at(row.len);
        let read = self.checked(place, raw).and_then(|line| {
            row_fault(row.fault, buffers.fields.len(), table.columns.len())
                .map_or(Ok(line), |reason| Err(Malformed { place, raw, reason }))
        });
        Some(read.map(|line| row_post(table, buffers, line, end, place)))
    }

    /// A record as text.
    fn checked(&self, place: Place, raw: &'a [u8]) -> Result<&'a str, Malformed<'a>> {
        if let Some(text) = self.text {
            let start = raw.as_ptr().addr() - self.bytes.as_ptr().addr();
            return Ok(&text[start..start + raw.len()]);
        }
        simdutf8::compat::from_utf8(raw).map_err(|error| Malformed {
            place,
            raw,
            reason: Reason::BadUtf8 {
                column: error.valid_up_to() + 1,
            },
        })
    }
}

/// Whether a line holds nothing but what JSON takes for white space.
fn is_white(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

fn row_fault(fault: Option<Fault>, has: usize, header: usize) -> Option<Reason> {
    match fault {
        Some(Fault::TextAfterQuote(index)) => Some(Reason::TextAfterQuote { column: index + 1 }),
        Some(Fault::UnclosedQuote(index)) => Some(Reason::UnclosedQuote { column: index + 1 }),
        None if has != header => Some(Reason::Ragged { has, header }),
        None => None,
    }
}

fn text_post(line: &str, place: Place) -> Post<'_> {
    Post {
        text: line,
        id: None,
        time: None,
        label: None,
        raw: line,
        place,
        terminator: b"",
        body: Body::Text,
    }
}

fn object_post<'p>(
    wanted: &json::Wanted,
    object: &'p mut json::Object,
    line: &'p str,
    place: Place,
) -> Result<Post<'p>, Reason> {
    object.read(wanted, line)?;
    let object = &*object;
    Ok(Post {
        text: object.text(wanted, line)?,
        id: object.scalar(wanted, json::Field::Id, line),
        time: object.scalar(wanted, json::Field::Time, line),
        label: object.scalar(wanted, json::Field::Label, line),
        raw: line,
        place,
        terminator: b"",
        body: Body::Object(object),
    })
}

fn row_post<'p>(
    table: &Table,
    buffers: &'p mut RowBuffers,
    line: &'p str,
    terminator: &'p [u8],
    place: Place,
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
        place,
        terminator,
        body: Body::Row(fields),
    }
}
