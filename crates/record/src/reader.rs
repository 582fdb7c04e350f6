//! Reads the records of a shard.

use crate::columns::ValuesOf;
use crate::cursor::Cursor;
use crate::formats::{AnyBody, AnyReader, Parsed, PostFields};
use crate::frame::FramingError;
use crate::layout::Layout;
use crate::raw_record::{Location, MalformedRecord, RawRecord};

/// One well-formed record. It borrows the buffers of its [`Reader`].
#[derive(Debug)]
pub struct Post<'p>(Parsed<'p, AnyBody<'p>>);

impl<'p> Post<'p> {
    /// Returns the text to be scored.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.fields.text
    }

    /// Returns the id, if a field was named for it and the record has it. A JSON number stands here as it was written.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.fields.id
    }

    /// Returns when the post was written, if a field was named for it and the record has it.
    #[must_use]
    pub fn time(&self) -> Option<&str> {
        self.0.fields.time
    }

    /// Returns the sentiment that a person assigned, if a field was named for it and the record has it.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.0.fields.label
    }

    /// Calls `each` with each value of a field, if it was named and the record has it. A JSON array of strings, numbers and
    /// Booleans has several values, and anything else that is not null or an object has one. A number or a Boolean stands
    /// as it was written.
    pub fn for_each_value(&self, of: ValuesOf, mut each: impl FnMut(&str)) {
        let raw = self.0.fields.raw;
        self.0.body.for_each_value(of, raw, &mut each);
    }

    /// Returns the record as it stands in the source, without its terminator.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.0.fields.raw.as_bytes()
    }

    /// Returns where the record begins.
    #[must_use]
    pub fn location(&self) -> Location {
        self.0.location
    }

    /// Returns the name of the first field that holds a single value, other than null, and has no column, as it stands in
    /// the record. Only for objects, and if [`Layout::note_other_fields`] asked for it.
    #[must_use]
    pub fn other_field(&self) -> Option<&str> {
        self.0.body.other_field(self.0.fields.raw)
    }

    pub(crate) fn fields(&self) -> &PostFields<'p> {
        &self.0.fields
    }

    pub(crate) fn body(&self) -> &AnyBody<'p> {
        &self.0.body
    }
}

/// Reads the records of a shard.
///
/// A [`Post`] borrows the reader's buffers until the next record is read.
#[derive(Debug)]
pub struct Reader<'a> {
    records: AnyReader<'a>,
}

impl<'a> Reader<'a> {
    /// Returns a reader at the start of `bytes`, which begin at a record and end with the source. A byte order mark and a
    /// header are not records: see [`Layout::body_start`].
    #[must_use]
    pub fn new(layout: &'a Layout, bytes: &'a [u8]) -> Self {
        Reader::of_shard(layout, bytes, 0, &[])
    }

    /// Returns a reader of a shard that begins `offset` bytes into its source, and ends where a
    /// [`Framer`](crate::Framer) found an end after these framing errors. The bytes of an error that is longer than the
    /// limit are missing, and nothing comes after it.
    #[must_use]
    pub fn of_shard(
        layout: &'a Layout,
        bytes: &'a [u8],
        offset: u64,
        framing_errors: &'a [FramingError],
    ) -> Self {
        let cursor = Cursor::new(bytes, layout.max_record(), offset, framing_errors);
        Reader {
            records: layout.any_format().reader(cursor),
        }
    }

    /// Frames and parses the next record; `None` at the end of the shard.
    pub fn next_record(&mut self) -> Option<Result<Post<'_>, MalformedRecord<'a>>> {
        let record = self.next_raw()?;
        Some(self.parse(record))
    }

    /// Frames the next record without parsing it; `None` at the end of the shard.
    pub fn next_raw(&mut self) -> Option<RawRecord<'a>> {
        self.records.next_raw()
    }

    /// Parses the record that [`next_raw`](Self::next_raw) returned last.
    ///
    /// # Errors
    /// If the record is malformed.
    pub fn parse(&mut self, record: RawRecord<'a>) -> Result<Post<'_>, MalformedRecord<'a>> {
        self.records.parse(record).map(Post)
    }

    /// Returns how many line ends have been passed, for line numbers.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.records.cursor().lines()
    }

    /// Returns how many empty lines have been skipped.
    #[must_use]
    pub fn blanks(&self) -> u64 {
        self.records.cursor().blanks()
    }
}
