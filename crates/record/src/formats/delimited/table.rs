//! The header of a CSV or TSV source.

use memchr::memchr_iter;
use serde::{Deserialize, Serialize};

use super::row::{QuoteError, Row, scan_row};
use crate::columns::{FieldNames, find_column};
use crate::formats::record_format::{Detected, Head};
use crate::layout_error::LayoutError;
use crate::options::Dialect;

/// The columns of a source, and which of them matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(super) dialect: Dialect,
    /// The header as it stands in the source, without its terminator.
    pub(super) header: String,
    /// Whether the header ends with `\r\n` and not with `\n`, as a last row without a terminator is to end.
    pub(super) ends_with_crlf: bool,
    pub(super) columns: Vec<String>,
    pub(super) text: usize,
    pub(super) id: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) label: Option<usize>,
    pub(super) lang: Option<usize>,
    pub(super) extra: Vec<usize>,
    /// The columns that an output keeps, if they were chosen.
    pub(super) chosen: Option<Vec<usize>>,
}

impl Table {
    /// Reads the header. A source that has nothing but empty lines has neither header nor records.
    pub(super) fn read_header(
        dialect: Dialect,
        fields: &FieldNames,
        head: Head<'_>,
    ) -> Result<Detected<Table>, LayoutError> {
        let empty = empty_lines(head.bytes);
        let rest = Head {
            bytes: &head.bytes[empty.len()..],
            ..head
        };
        let (table, len, lines) = match find_header(dialect, rest)? {
            Some(Row { next, lines, .. }) => {
                let table = Table::new(dialect, &rest.bytes[..next], fields)?;
                (table, next, lines)
            }
            None => (Table::empty(dialect), 0, 0),
        };
        Ok(Detected {
            format: table,
            header_len: empty.len() + len,
            header_lines: memchr_iter(b'\n', empty).count() as u64 + lines,
        })
    }

    /// Returns the table under this header, which ends with its terminator unless the source ends with it.
    fn new(dialect: Dialect, header: &[u8], fields: &FieldNames) -> Result<Table, LayoutError> {
        let header = simdutf8::basic::from_utf8(header).map_err(|_| LayoutError::HeaderNotUtf8)?;
        let mut names = Vec::new();
        let row = scan_row(dialect, header.as_bytes(), &mut names)?;
        let columns: Vec<String> = names
            .iter()
            .map(|name| name.value(header).into_owned())
            .collect();
        let found =
            |name: Option<&String>| name.map(|name| find_column(&columns, name)).transpose();
        Ok(Table {
            dialect,
            header: header[..row.len].to_owned(),
            ends_with_crlf: header.ends_with("\r\n"),
            text: find_column(&columns, &fields.text)?,
            id: found(fields.id.as_ref())?,
            time: found(fields.time.as_ref())?,
            label: found(fields.label.as_ref())?,
            lang: found(fields.lang.as_ref())?,
            extra: fields
                .extra
                .iter()
                .map(|name| find_column(&columns, name))
                .collect::<Result<_, _>>()?,
            chosen: None,
            columns,
        })
    }

    /// Chooses the columns that an output keeps. A source without a header has none to choose from.
    pub(super) fn choose(&mut self, names: &[String]) -> Result<(), LayoutError> {
        if !self.columns.is_empty() {
            let chosen = names.iter().map(|name| find_column(&self.columns, name));
            self.chosen = Some(chosen.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Returns the table of a source without a header.
    fn empty(dialect: Dialect) -> Table {
        Table {
            dialect,
            header: String::new(),
            ends_with_crlf: false,
            columns: Vec::new(),
            text: 0,
            id: None,
            time: None,
            label: None,
            lang: None,
            extra: Vec::new(),
            chosen: None,
        }
    }
}

/// Returns the empty lines that `head` begins with.
fn empty_lines(head: &[u8]) -> &[u8] {
    let mut len = 0;
    loop {
        match &head[len..] {
            [b'\n', ..] => len += 1,
            [b'\r', b'\n', ..] => len += 2,
            _ => return &head[..len],
        }
    }
}

/// Finds the end of the header, if the source is not empty.
fn find_header(dialect: Dialect, head: Head<'_>) -> Result<Option<Row>, LayoutError> {
    if head.bytes.is_empty() && head.is_all {
        return Ok(None);
    }
    match scan_row(dialect, head.bytes, &mut Vec::new()) {
        Ok(row) if !head.is_all && !head.bytes[..row.next].ends_with(b"\n") => {
            Err(LayoutError::HeaderTooLong)
        }
        Err(QuoteError::UnclosedQuote(_)) if !head.is_all => Err(LayoutError::HeaderTooLong),
        row => Ok(Some(row?)),
    }
}

impl From<QuoteError> for LayoutError {
    fn from(error: QuoteError) -> LayoutError {
        match error {
            QuoteError::UnclosedQuote(index) => LayoutError::UnclosedHeader { column: index + 1 },
            QuoteError::TextAfterQuote(index) => LayoutError::TextAfterQuote { column: index + 1 },
        }
    }
}
