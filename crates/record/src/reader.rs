//! Walking the records of a shard.

use crate::Layout;

/// Where a record begins, relative to the start of its shard; both counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Lines before it.
    pub line: u64,
}

/// One well-formed record.
#[derive(Debug)]
pub struct Post<'a> {
    text: &'a str,
    id: Option<&'a str>,
    time: Option<&'a str>,
    raw: &'a [u8],
    place: Place,
}

impl Post<'_> {
    /// The text to be scored.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text
    }

    /// What the post is known by, if a field was named for it and the record has it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id
    }

    /// When the post was written, if a field was named for it and the record has it.
    #[must_use]
    pub fn time(&self) -> Option<&str> {
        self.time
    }

    /// The record as it stands in the source, without its terminator.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.raw
    }

    /// Where the record begins.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
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

/// What is wrong with a malformed record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The record is not UTF-8.
    #[error("bad UTF-8")]
    BadUtf8,
}

/// Walks the records of a shard.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    lines: u64,
    blanks: u64,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`, which begin at a record and end with one (or with the source).
    #[must_use]
    pub fn new(layout: &'a Layout, bytes: &'a [u8]) -> Self {
        let _ = layout;
        Reader {
            bytes,
            at: 0,
            lines: 0,
            blanks: 0,
        }
    }

    /// The next record, well-formed or not; `None` at the end of the shard.
    pub fn next_record(&mut self) -> Option<Result<Post<'_>, Malformed<'a>>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let place = Place {
            offset: self.at as u64,
            line: self.lines,
        };
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let raw = &rest[..end];
        self.at = (self.at + end + 1).min(self.bytes.len());
        self.lines += 1;
        Some(match simdutf8::basic::from_utf8(raw) {
            Ok(text) => Ok(Post {
                text,
                id: None,
                time: None,
                raw,
                place,
            }),
            Err(_) => Err(Malformed {
                place,
                raw,
                reason: Reason::BadUtf8,
            }),
        })
    }

    /// The physical lines passed so far, for line numbers.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The empty lines skipped so far.
    #[must_use]
    pub fn blanks(&self) -> u64 {
        self.blanks
    }
}
