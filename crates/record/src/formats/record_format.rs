//! What a format provides.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;

use memchr::memrchr;

use crate::columns::{FieldNames, ModelColumns, ValuesOf};
use crate::cursor::Cursor;
use crate::frame::Framing;
use crate::layout_error::LayoutError;
use crate::options::{Delimiter, Dialect, Quoting};
use crate::raw_record::RawRecord;
use crate::reject_reason::RejectReason;
use crate::scalar_fields::ScalarFields;

/// How a format is named and recognized.
#[derive(Debug)]
pub(crate) struct FormatSpec {
    pub(crate) name: &'static str,
    /// Other names that are accepted.
    pub(crate) aliases: &'static [&'static str],
    /// Extensions of files, in lower case and without the dot.
    pub(crate) extensions: &'static [&'static str],
    /// The byte that its records begin with, if those of no other format do.
    pub(crate) first_byte: Option<u8>,
    /// What `Quoting::Auto` means.
    pub(crate) quoting: Quoting,
    /// The default delimiter.
    pub(crate) delimiter: Delimiter,
    /// Whether a source has a header before its records.
    pub(crate) has_header: bool,
    /// Whether each record names its fields itself.
    pub(crate) names_fields: bool,
}

/// The beginning of a source, without a byte order mark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'h> {
    pub(crate) bytes: &'h [u8],
    /// Whether the source ends with it.
    pub(crate) is_all: bool,
}

impl<'h> Head<'h> {
    /// Returns the lines that are complete; all of them if the source ends with the head.
    pub(crate) fn complete_lines(self) -> &'h [u8] {
        match memrchr(b'\n', self.bytes) {
            _ if self.is_all => self.bytes,
            newline => &self.bytes[..newline.map_or(0, |newline| newline + 1)],
        }
    }
}

/// What the head of a source shows.
#[derive(Debug)]
pub(crate) struct Detected<F> {
    pub(crate) format: F,
    /// The length in bytes of what comes before the first record.
    pub(crate) header_len: usize,
    /// How many lines come before the first record.
    pub(crate) header_lines: u64,
}

/// A format as the records of one source have it: the value holds what is known of the source.
///
/// A worker reads a shard with [`next_raw`](RecordFormat::next_raw) and [`parse`](RecordFormat::parse), once each per
/// record, so neither allocates for a well-formed one.
pub(crate) trait RecordFormat: Any + Sized {
    /// Kept from record to record for its allocations. Framing may leave something in it for parsing.
    type Buffers: Debug + Default;
    /// A parsed record.
    type Body<'p>: RecordBody;
    /// Writes an output of this format.
    type Renderer: RecordRenderer;

    /// Finds out how the records of a source lie in its bytes.
    fn detect(
        dialect: Dialect,
        fields: &FieldNames,
        added: &[String],
        head: Head<'_>,
    ) -> Result<Detected<Self>, LayoutError>;

    /// Returns what ends a record, for those who only cut.
    fn framing(&self) -> Framing {
        Framing::Lines
    }

    /// Returns the names in the header.
    fn columns(&self) -> &[String] {
        &[]
    }

    /// Rejects from now on records that hold a field of an added name.
    fn keep_fields(&mut self) {}

    /// Chooses the columns that a table made of the records has, in this order.
    fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError>;

    /// Returns the first of the `added` names that the source has already, in its header or in the whole lines `body`,
    /// of which those longer than `limit` are ignored.
    fn taken(&self, added: &[String], body: &[u8], limit: usize) -> Option<String> {
        let _ = (added, body, limit);
        None
    }

    /// Returns the chosen columns that no record in the whole lines `body` has; `None` if there is no record, or if the
    /// header already says which there are.
    fn absent_columns(&self, body: &[u8], limit: usize) -> Option<Vec<String>> {
        let _ = (body, limit);
        None
    }

    /// Makes each record name a field that holds a single value and has no column, if records name their fields.
    fn note_other_fields(&mut self) {}

    /// Frames the next record; `None` at the end of the shard.
    fn next_raw<'a>(
        &self,
        cursor: &mut Cursor<'a>,
        buffers: &mut Self::Buffers,
    ) -> Option<RawRecord<'a>>;

    /// Parses the record that was framed last.
    fn parse<'p>(
        &'p self,
        buffers: &'p mut Self::Buffers,
        raw: &'p str,
        terminator: &'p [u8],
    ) -> Result<(PostFields<'p>, Self::Body<'p>), RejectReason>;

    /// Returns the columns that a record offers to an output of another format, in order.
    fn offered_columns(&self) -> Vec<(String, Column)>;

    /// Returns the terminator for a record that has none, in an output of lines.
    fn terminator(&self) -> &'static str {
        "\n"
    }

    /// Returns the names of the fields that an output of this format adds to each record, in order.
    fn added_names(models: &[ModelColumns]) -> Vec<String>;

    /// Returns a renderer of the records of `source` for an output of this format.
    fn renderer<S: RecordFormat>(
        dialect: Dialect,
        source: &S,
        models: &[ModelColumns],
    ) -> Self::Renderer;

    /// Returns whether a file with this first line, without its terminator, is an output of this format.
    fn is_scored(first_line: &[u8]) -> bool {
        let _ = first_line;
        false
    }

    /// Adds the fields in a head that can be columns of a table, if records name their fields.
    fn add_scalar_fields(head: Head<'_>, fields: &mut ScalarFields) {
        let _ = (head, fields);
    }
}

/// What all parsed records have.
#[derive(Debug)]
pub(crate) struct PostFields<'p> {
    pub(crate) text: &'p str,
    pub(crate) id: Option<&'p str>,
    pub(crate) time: Option<&'p str>,
    pub(crate) label: Option<&'p str>,
    /// The record without its terminator.
    pub(crate) raw: &'p str,
    /// The terminator, if a renderer repeats it; else empty.
    pub(crate) terminator: &'p [u8],
}

/// A column that a record offers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Text,
    Id,
    Time,
    /// What it is an index of, the format of the record knows.
    Index(usize),
}

/// A parsed record, as renderers of any format see it.
pub(crate) trait RecordBody: Debug {
    /// Appends the record in its own format, without the fields that scores replace, and ready for more fields. Returns
    /// whether it has any.
    fn write_open(&self, out: &mut Vec<u8>, raw: &str) -> bool {
        out.extend_from_slice(raw.as_bytes());
        true
    }

    /// Returns the name of the first field that holds a single value and has no column, as it stands in the record.
    fn other_field<'v>(&self, raw: &'v str) -> Option<&'v str> {
        let _ = raw;
        None
    }

    /// Calls `each` with each value of a field.
    fn for_each_value(&self, of: ValuesOf, raw: &str, each: &mut dyn FnMut(&str)) {
        let _ = (of, raw, each);
    }

    /// Returns the value of the column of this index.
    fn value<'v>(&'v self, index: usize, raw: &'v str) -> Cow<'v, str> {
        let _ = (index, raw);
        Cow::Borrowed("")
    }

    /// Returns the value of the column of this index as it stands in the record.
    fn token<'v>(&'v self, index: usize, raw: &'v str) -> &'v str {
        let _ = (index, raw);
        ""
    }
}

/// Writes scored posts in one format.
pub(crate) trait RecordRenderer {
    /// Returns the header row with its terminator.
    fn header(&self) -> Option<&[u8]> {
        None
    }

    /// Returns the names in the header.
    fn columns(&self) -> &[String] {
        &[]
    }

    /// Appends one scored post.
    fn write(
        &self,
        out: &mut Vec<u8>,
        post: &PostFields<'_>,
        body: &impl RecordBody,
        scores: &[f64],
        sentiment: &str,
    );
}

impl Column {
    /// Returns the index, if it has one.
    pub(crate) fn index(self) -> Option<usize> {
        match self {
            Column::Index(index) => Some(index),
            Column::Text | Column::Id | Column::Time => None,
        }
    }

    /// Returns the value of this column of a post.
    pub(crate) fn value<'v>(
        self,
        post: &'v PostFields<'_>,
        body: &'v impl RecordBody,
    ) -> Cow<'v, str> {
        match self {
            Column::Text => Cow::Borrowed(post.text),
            Column::Id => Cow::Borrowed(post.id.unwrap_or_default()),
            Column::Time => Cow::Borrowed(post.time.unwrap_or_default()),
            Column::Index(index) => body.value(index, post.raw),
        }
    }
}
