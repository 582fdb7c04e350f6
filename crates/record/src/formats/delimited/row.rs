//! Rows of delimited fields: CSV as in RFC 4180, and TSV with or without quotes.
//!
//! A field is quoted if its first byte is a quote. It then extends to the next quote that is not doubled, and may hold
//! delimiters and newlines. A quote anywhere else is an ordinary character. Where RFC 4180 does not say what is meant,
//! nothing is guessed: text between a closing quote and the next delimiter, or a quote that is never closed, makes the
//! row malformed, and the whole row becomes a reject.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2, memmem};

use crate::options::Dialect;
use crate::span::Span;

/// One field of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its content in the row, without the quotes around it.
    span: Span,
    quotes: Quotes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    None,
    /// Around the content.
    Around,
    /// Around the content, and doubled in it.
    Doubled,
}

impl Field {
    fn plain(span: Span) -> Field {
        Field {
            span,
            quotes: Quotes::None,
        }
    }

    /// Returns the field's value in its row; borrowed unless it has doubled quotes.
    pub(super) fn value(self, row: &str) -> Cow<'_, str> {
        let content = &row[self.span.range()];
        match self.quotes {
            Quotes::None | Quotes::Around => Cow::Borrowed(content),
            Quotes::Doubled => Cow::Owned(content.replace("\"\"", "\"")),
        }
    }

    /// Returns the same value, using `scratch` instead of a new allocation.
    pub(super) fn decode<'r>(self, row: &'r str, scratch: &'r mut String) -> &'r str {
        let content = &row[self.span.range()];
        if self.quotes != Quotes::Doubled {
            return content;
        }
        scratch.clear();
        let mut copied = 0;
        for quote in memmem::find_iter(content.as_bytes(), "\"\"") {
            scratch.push_str(&content[copied..=quote]);
            copied = quote + 2;
        }
        scratch.push_str(&content[copied..]);
        scratch
    }

    /// Returns the field as it stands in its row, including its quotes.
    pub(super) fn token(self, row: &str) -> &str {
        match self.quotes {
            Quotes::None => &row[self.span.range()],
            Quotes::Around | Quotes::Doubled => &row[self.span.start - 1..=self.span.end],
        }
    }
}

/// Where a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its length without the terminator.
    pub(super) len: usize,
    /// Its length with the terminator: where the next row starts.
    pub(super) next: usize,
    /// How many physical lines it spans.
    pub(super) lines: u64,
}

/// Quotes whose meaning RFC 4180 does not define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuoteError {
    /// Something other than a delimiter or a newline follows a closing quote, in the column of this index.
    TextAfterQuote(usize),
    /// The quote that opens the column of this index is never closed.
    UnclosedQuote(usize),
}

/// Splits the first row of `bytes`, which are not empty, into its fields.
///
/// # Errors
/// The first error. Nothing after it is examined, because each line may have one.
pub(super) fn scan_row(
    dialect: Dialect,
    bytes: &[u8],
    fields: &mut Vec<Field>,
) -> Result<Row, QuoteError> {
    fields.clear();
    let mut lines = 1;
    let mut start = 0;
    loop {
        let mut quoted = None;
        let mut rest = start;
        if dialect.quotes && bytes.get(start) == Some(&b'"') {
            let Some(field) = scan_quoted(bytes, start + 1) else {
                return Err(QuoteError::UnclosedQuote(fields.len()));
            };
            lines += count_newlines(&bytes[field.span.range()]);
            rest = field.span.end + 1;
            quoted = Some(field);
        }
        let stop = memchr2(dialect.delimiter, b'\n', &bytes[rest..]).map(|offset| rest + offset);
        let more = stop.is_some_and(|stop| bytes[stop] == dialect.delimiter);
        let end = match stop {
            Some(stop) if !more && stop > rest && bytes[stop - 1] == b'\r' => stop - 1,
            Some(stop) => stop,
            None => bytes.len(),
        };
        if quoted.is_some() && end > rest {
            return Err(QuoteError::TextAfterQuote(fields.len()));
        }
        fields.push(quoted.unwrap_or(Field::plain(Span::new(start, end))));
        if !more {
            let next = stop.map_or(bytes.len(), |newline| newline + 1);
            return Ok(Row {
                len: end,
                next,
                lines,
            });
        }
        start = end + 1;
    }
}

/// Returns the quoted field whose content begins at `start`, if it is ever closed.
fn scan_quoted(bytes: &[u8], start: usize) -> Option<Field> {
    let mut quotes = Quotes::Around;
    let mut at = start;
    loop {
        let quote = at + memchr(b'"', &bytes[at..])?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(Field {
                span: Span::new(start, quote),
                quotes,
            });
        }
        quotes = Quotes::Doubled;
        at = quote + 2;
    }
}

fn count_newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// Appends a field, in quotes if it needs them.
pub(super) fn write_field(out: &mut Vec<u8>, dialect: Dialect, value: &str) {
    let special = |&byte: &u8| byte == dialect.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    if !dialect.quotes || !value.as_bytes().iter().any(special) {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.push(b'"');
    let mut copied = 0;
    for quote in memchr_iter(b'"', value.as_bytes()) {
        out.extend_from_slice(&value.as_bytes()[copied..=quote]);
        copied = quote;
    }
    out.extend_from_slice(&value.as_bytes()[copied..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSV: Dialect = Dialect {
        delimiter: b',',
        quotes: true,
    };
    const BARE: Dialect = Dialect {
        delimiter: b'\t',
        quotes: false,
    };

    fn scan(dialect: Dialect, source: &str) -> (Row, Vec<String>) {
        let mut fields = Vec::new();
        let row = scan_row(dialect, source.as_bytes(), &mut fields).unwrap();
        let values = fields
            .iter()
            .map(|field| field.value(&source[..row.len]).into_owned());
        (row, values.collect())
    }

    fn values(source: &str) -> Vec<String> {
        scan(CSV, source).1
    }

    fn error(source: &str) -> QuoteError {
        scan_row(CSV, source.as_bytes(), &mut Vec::new()).unwrap_err()
    }

    #[test]
    fn a_row_is_split_at_its_delimiters() {
        assert_eq!(values("a,b,c\nd"), ["a", "b", "c"]);
        assert_eq!(values(",,\n"), ["", "", ""]);
        assert_eq!(values("a,"), ["a", ""]);
    }

    #[test]
    fn a_quoted_field_may_hold_newlines() {
        let (row, values) = scan(CSV, "\"a\r\nb\",c\nd");
        assert_eq!(values, ["a\r\nb", "c"]);
        assert_eq!(
            row,
            Row {
                len: 8,
                next: 9,
                lines: 2
            }
        );
    }

    #[test]
    fn a_doubled_quote_stands_for_one() {
        assert_eq!(
            values("\"say \"\"hi\"\"\",\"\"\"\",\"\""),
            ["say \"hi\"", "\"", ""]
        );
    }

    #[test]
    fn a_quote_inside_a_field_is_a_quote() {
        assert_eq!(values("5\" disk,a\"\"b\n"), ["5\" disk", "a\"\"b"]);
    }

    #[test]
    fn a_carriage_return_before_the_newline_is_none_of_the_row() {
        assert_eq!(values("a,b\r\n"), ["a", "b"]);
        assert_eq!(values("a,\"b\"\r\n"), ["a", "b"]);
        assert_eq!(values("a,\r\n"), ["a", ""]);
        assert_eq!(values("a\rb,c\r"), ["a\rb", "c\r"]);
    }

    #[test]
    fn text_after_a_closing_quote_is_a_fault() {
        assert_eq!(
            error("a,\"b\" c,\"d\ne\"\nf\n"),
            QuoteError::TextAfterQuote(1)
        );
    }

    #[test]
    fn a_quote_never_closed_is_a_fault() {
        assert_eq!(error("a,\"b\nc\n"), QuoteError::UnclosedQuote(1));
    }

    #[test]
    fn without_quoting_quotes_are_text() {
        let (row, values) = scan(BARE, "\"a\t\"b\"\r\nc");
        assert_eq!(values, ["\"a", "\"b\""]);
        assert_eq!(
            row,
            Row {
                len: 6,
                next: 8,
                lines: 1
            }
        );
    }

    proptest! {
        #[test]
        fn fields_written_are_read_back(fields in prop::collection::vec("[a\",\t\r\n é]{0,6}", 1..5)) {
            let mut row = Vec::new();
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    row.push(b',');
                }
                write_field(&mut row, CSV, field);
            }
            row.push(b'\n');
            prop_assert_eq!(values(std::str::from_utf8(&row).unwrap()), fields);
        }

        #[test]
        fn both_ways_to_decode_agree(row in "\"([a\n]|\"\"){0,8}\"") {
            let mut fields = Vec::new();
            scan_row(CSV, row.as_bytes(), &mut fields).unwrap();
            let mut scratch = String::new();
            prop_assert_eq!(fields[0].decode(&row, &mut scratch), fields[0].value(&row));
        }
    }
}
