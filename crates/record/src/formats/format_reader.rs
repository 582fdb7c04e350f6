//! Reads the records of a shard whose format is known to the compiler.

use super::record_format::{PostFields, RecordFormat};
use crate::cursor::Cursor;
use crate::raw_record::{Location, MalformedRecord, RawRecord};

/// Reads the records of a shard.
#[derive(Debug)]
pub(crate) struct FormatReader<'a, F: RecordFormat> {
    format: &'a F,
    cursor: Cursor<'a>,
    buffers: F::Buffers,
}

/// A parsed record. `B` is its body, or one of any format.
#[derive(Debug)]
pub(crate) struct Parsed<'p, B> {
    pub(crate) location: Location,
    pub(crate) fields: PostFields<'p>,
    pub(crate) body: B,
}

impl<'a, F: RecordFormat> FormatReader<'a, F> {
    pub(crate) fn new(format: &'a F, cursor: Cursor<'a>) -> Self {
        FormatReader {
            format,
            cursor,
            buffers: F::Buffers::default(),
        }
    }

    /// Frames the next record; `None` at the end of the shard.
    #[inline]
    pub(crate) fn next_raw(&mut self) -> Option<RawRecord<'a>> {
        self.format.next_raw(&mut self.cursor, &mut self.buffers)
    }

    /// Parses the record that was framed last. `wrap` makes its body one of any format here, where the record is made, so
    /// that it is not copied.
    #[inline]
    pub(crate) fn parse<'p, B>(
        &'p mut self,
        record: RawRecord<'a>,
        wrap: impl FnOnce(F::Body<'p>) -> B,
    ) -> Result<Parsed<'p, B>, MalformedRecord<'a>> {
        let record = record.into_whole()?;
        let raw = match self.cursor.text_of(record.raw) {
            Ok(raw) => raw,
            Err(reason) => return Err(record.rejected(reason)),
        };
        match self.format.parse(&mut self.buffers, raw, record.terminator) {
            Ok((fields, body)) => Ok(Parsed {
                location: record.location,
                fields,
                body: wrap(body),
            }),
            Err(reason) => Err(record.rejected(reason)),
        }
    }

    /// Returns where the reader stands.
    pub(crate) fn cursor(&self) -> &Cursor<'a> {
        &self.cursor
    }
}
