//! How the records of one source lie in its bytes.

use serde::{Deserialize, Serialize};

use crate::columns::FieldNames;
use crate::encoding::{check_encoding, without_mark};
use crate::formats::{AnyFormat, Detected, Format, Head};
use crate::frame::{Framer, Framing};
use crate::layout_error::LayoutError;
use crate::options::ReadOptions;

/// The smallest limit of a record's length: an empty line fits.
const MIN_RECORD: usize = 2;

/// Where a source may be cut into shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SplitMode {
    /// Anywhere: a range of bytes owns each line that starts in it.
    Lines,
    /// Only where a record ends, which takes a [`Framer`](crate::Framer) that has seen everything before it.
    Records,
}

/// How the records of one source lie in its bytes.
///
/// A source may begin with a byte order mark, and a CSV or TSV source has a header; the first record comes after both.
/// The layout also holds what a reader must know (which column is the text, whether quotes mean anything). It is detected
/// once and sent to all who read the source, so that every worker reads every shard in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    body_start: u64,
    first_line: u64,
    max_record: usize,
    format: AnyFormat,
}

impl Layout {
    /// Detects the layout from the first [`Format::head_len`] bytes of a source. `head_is_all` states that the source
    /// ends with them.
    ///
    /// A CSV or TSV source of nothing but empty lines has no header and no records, and that is not an error.
    ///
    /// # Errors
    /// If the source is UTF-16, or a CSV or TSV header cannot be read or lacks a named column.
    pub fn detect(
        format: Format,
        reading: impl Into<ReadOptions>,
        fields: &FieldNames,
        added: &[String],
        head: &[u8],
        head_is_all: bool,
    ) -> Result<Layout, LayoutError> {
        check_encoding(head)?;
        let reading = reading.into();
        let unmarked = Head {
            bytes: without_mark(head),
            is_all: head_is_all,
        };
        let mark_len = head.len() - unmarked.bytes.len();
        let Detected {
            format,
            header_len,
            header_lines,
        } = format.detect(format.dialect(reading), fields, added, unmarked)?;
        Ok(Layout {
            body_start: (mark_len + header_len) as u64,
            first_line: 1 + header_lines,
            max_record: reading.max_record.max(MIN_RECORD),
            format,
        })
    }

    /// Rejects records that hold a field of an added name, instead of replacing the field: see
    /// [`RejectReason::FieldTaken`](crate::RejectReason::FieldTaken).
    pub fn keep_fields(&mut self) {
        self.format.keep_fields();
    }

    /// Chooses the columns that a CSV or TSV output keeps, in this order. The default is all columns of a table, or the
    /// text, id and time of an object. For objects the names are fields, or paths as in [`FieldNames`], at most
    /// [`MAX_COLUMNS`](crate::MAX_COLUMNS).
    ///
    /// # Errors
    /// If a table has no such column, or a column other than `text` is chosen for plain text.
    pub fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError> {
        self.format.choose_columns(names)
    }

    /// Returns the first of the `added` names that the source already has, in its header or in the complete lines of its
    /// `head`. `head_is_all` states that the source ends with the head.
    #[must_use]
    pub fn taken(&self, added: &[String], head: &[u8], head_is_all: bool) -> Option<String> {
        let body = self.body(head, head_is_all);
        self.format.taken(added, body, self.max_record)
    }

    /// Returns the chosen columns that no object has in the complete lines of its `head`. `head_is_all` states that the
    /// source ends with the head. `None` if it has no objects.
    #[must_use]
    pub fn absent_columns(&self, head: &[u8], head_is_all: bool) -> Option<Vec<String>> {
        let body = self.body(head, head_is_all);
        self.format.absent_columns(body, self.max_record)
    }

    /// Returns the records in the complete lines of a head.
    fn body<'h>(&self, head: &'h [u8], head_is_all: bool) -> &'h [u8] {
        let head = Head {
            bytes: head,
            is_all: head_is_all,
        };
        let start = usize::try_from(self.body_start).unwrap_or(usize::MAX);
        head.complete_lines().get(start..).unwrap_or_default()
    }

    /// Makes each [`Post`](crate::Post) name a field that holds a single value and has no column, if it has one.
    pub fn note_other_fields(&mut self) {
        self.format.note_other_fields();
    }

    /// Returns the format of the source.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.format()
    }

    /// Returns the offset of the first record: after a byte order mark and a header.
    #[must_use]
    pub fn body_start(&self) -> u64 {
        self.body_start
    }

    /// Returns the number of the line at [`body_start`](Layout::body_start), counted from 1. A header may span lines.
    #[must_use]
    pub fn first_line(&self) -> u64 {
        self.first_line
    }

    /// Returns the longest record, in bytes with its line end; longer ones are rejects.
    #[must_use]
    pub fn max_record(&self) -> usize {
        self.max_record
    }

    /// Returns where the source may be cut.
    #[must_use]
    pub fn split_mode(&self) -> SplitMode {
        match self.format.framing() {
            Framing::Lines => SplitMode::Lines,
            Framing::Quoted { .. } => SplitMode::Records,
        }
    }

    /// Returns the names in a CSV or TSV header; none for other formats.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.format.columns()
    }

    /// Returns whether the format has a header and the source does not: then it has no records either.
    #[must_use]
    pub fn lacks_header(&self) -> bool {
        self.format().has_header() && self.columns().is_empty()
    }

    pub(crate) fn any_format(&self) -> &AnyFormat {
        &self.format
    }
}

impl Framer {
    /// Returns a framer at the start of a record, `offset` bytes into the source.
    #[must_use]
    pub fn new(layout: &Layout, offset: u64) -> Framer {
        Framer::with(layout.format.framing(), layout.max_record, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Quoting;

    fn names(text: &str) -> FieldNames {
        FieldNames {
            text: text.into(),
            ..FieldNames::default()
        }
    }

    fn detect(format: Format, head: &str) -> Result<Layout, LayoutError> {
        Layout::detect(
            format,
            Quoting::Auto,
            &names("text"),
            &[],
            head.as_bytes(),
            true,
        )
    }

    fn cutting(tsv: &str) -> SplitMode {
        detect(Format::Tsv, tsv).unwrap().split_mode()
    }

    #[test]
    fn records_start_after_a_byte_order_mark() {
        let layout = detect(Format::Jsonl, "\u{feff}{}").unwrap();
        assert_eq!((layout.body_start(), layout.first_line()), (3, 1));
        let layout = detect(Format::Csv, "\u{feff}text\nhello\n").unwrap();
        assert_eq!((layout.body_start(), layout.first_line()), (8, 2));
    }

    #[test]
    fn a_header_may_span_lines_and_follow_empty_ones() {
        let layout = detect(Format::Csv, "\r\n\"the\nid\",text\r\nx").unwrap();
        assert_eq!(layout.columns(), ["the\nid", "text"]);
        assert_eq!((layout.body_start(), layout.first_line()), (17, 4));
    }

    #[test]
    fn a_layout_can_be_sent_to_another_process() {
        for (format, head) in [
            (Format::Jsonl, ""),
            (Format::Tsv, "id\ttext\r\n"),
            (Format::Text, "x"),
        ] {
            let layout = detect(format, head).unwrap();
            let sent = serde_json::to_string(&layout).unwrap();
            assert_eq!(serde_json::from_str::<Layout>(&sent).unwrap(), layout);
        }
    }

    #[test]
    fn an_empty_source_is_no_error() {
        for format in [Format::Jsonl, Format::Csv, Format::Tsv, Format::Text] {
            for source in ["", "\u{feff}"] {
                let layout = detect(format, source).unwrap();
                assert_eq!(layout.body_start(), source.len() as u64);
                assert!(layout.columns().is_empty());
            }
        }
    }

    #[test]
    fn a_missing_column_is_answered_with_those_there_are() {
        let error = detect(Format::Csv, "id,Text\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no column \"text\" in the header (did you mean \"Text\"?): its columns are \"id\", \"Text\""
        );
    }

    #[test]
    fn two_columns_of_the_name_are_one_too_many() {
        let error = detect(Format::Csv, "text,text\n").unwrap_err();
        assert_eq!(
            error,
            LayoutError::AmbiguousColumn {
                name: "text".into(),
                count: 2
            }
        );
    }

    #[test]
    fn a_header_must_end_within_the_head() {
        for head in ["id,text", "id,\"text\n\n"] {
            let layout = Layout::detect(
                Format::Csv,
                Quoting::Auto,
                &names("text"),
                &[],
                head.as_bytes(),
                false,
            );
            assert_eq!(layout, Err(LayoutError::HeaderTooLong));
        }
        assert_eq!(
            detect(Format::Csv, "id,\"text\n"),
            Err(LayoutError::UnclosedHeader { column: 2 })
        );
    }

    #[test]
    fn auto_quoting_never_joins_lines_of_a_tsv() {
        for tsv in [
            "id\ttext\n1\t\"two\nlines\"\n",
            "id\ttext\n1\t\"Great\n2\tfilm\"\n",
            "id\ttext\n1\t\"quoted\"\n",
        ] {
            assert_eq!(cutting(tsv), SplitMode::Lines, "{tsv:?}");
        }
    }

    #[test]
    fn a_header_split_at_the_wrong_character_names_the_right_one() {
        for (header, shown) in [
            ("id;text\n", ";"),
            ("id|text\n", "|"),
            ("id\ttext\n", "tab"),
        ] {
            let error = detect(Format::Csv, header).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("add --delimiter '{shown}'")),
                "{error}"
            );
        }
        let error = detect(Format::Csv, "id;x,body\n").unwrap_err().to_string();
        assert!(!error.contains("--delimiter"), "{error}");
    }

    #[test]
    fn a_quoted_header_that_is_read_as_text_names_the_flag() {
        let error = detect(Format::Tsv, "\"id\"\t\"text\"\n")
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("add --quoting rfc4180"), "{error}");
    }

    #[test]
    fn another_delimiter_splits_the_header() {
        let reading = ReadOptions {
            delimiter: ";".parse().ok(),
            ..ReadOptions::default()
        };
        let head = b"id;text\n1;a, b\n";
        let layout = Layout::detect(Format::Csv, reading, &names("text"), &[], head, true).unwrap();
        assert_eq!(layout.columns(), ["id", "text"]);
    }
}
