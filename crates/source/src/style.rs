//! How the records of a source are written, as far as it was said.

use std::fmt;
use std::path::Path;

use moodring_codec::Compression;
use moodring_record::{
    FieldNames, Format, HEAD_LEN, Layout, LayoutError, ReadOptions, check_encoding,
};
use thiserror::Error;

/// The byte order mark in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How the records of a source are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    /// `None` if the first bytes are to tell.
    pub(crate) format: Option<Format>,
    pub(crate) reading: ReadOptions,
    pub(crate) fields: FieldNames,
}

/// Why the records of a source cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum StyleError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(
        "cannot tell the format from the first bytes (only JSON objects can be told): add format=jsonl, csv, tsv or text"
    )]
    UnknownFormat,
}

impl Style {
    /// How records lie in a source that begins with `head` (`ended`: and has nothing behind it). `None` while that is too
    /// little to tell.
    pub(crate) fn layout(&self, head: &[u8], ended: bool) -> Result<Option<Layout>, StyleError> {
        let is_enough = ended || head.len() >= HEAD_LEN;
        if !is_enough && !head.contains(&b'\n') {
            return Ok(None);
        }
        let Some(format) = self.format_of(head, is_enough)? else {
            return Ok(None);
        };
        match Layout::detect(format, self.reading, &self.fields, &[], head, ended) {
            Err(LayoutError::HeaderTooLong) if !is_enough => Ok(None),
            layout => Ok(Some(layout?)),
        }
    }

    fn format_of(&self, head: &[u8], is_enough: bool) -> Result<Option<Format>, StyleError> {
        if self.format.is_some() {
            return Ok(self.format);
        }
        check_encoding(head)?;
        let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
        match text.first() {
            Some(&byte) => match Format::from_first_byte(byte) {
                Some(format) => Ok(Some(format)),
                None => Err(StyleError::UnknownFormat),
            },
            // Nothing but blank lines passes for anything.
            None if is_enough => Ok(Some(Format::Jsonl)),
            None => Ok(None),
        }
    }
}

/// Returns the compression and the format that the name of a file tells.
pub(crate) fn told_by_name(path: &Path) -> (Compression, Option<Format>) {
    let (compression, extension) = Compression::of_path(path);
    (compression, Format::from_extension(&extension))
}

/// What could not be done with a file, and why.
pub(crate) fn failure(doing: &str, name: &str, error: impl fmt::Display) -> String {
    format!("cannot {doing} \"{name}\": {error}")
}
