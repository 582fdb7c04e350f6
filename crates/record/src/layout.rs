//! How the records of one source lie in its bytes.
//!
//! A source may begin with a byte order mark, and a CSV or TSV source has a header; both are behind us where the first
//! record starts. What else a reader must know (which column is the text, whether quotes mean anything) is settled
//! here too, once, so that every worker reads every shard of the source in the same way.

use memchr::memchr_iter;
use serde::{Deserialize, Serialize};

use crate::delimited::{Dialect, QuoteError, Row, scan_row};
use crate::scalar_fields::complete_lines;
use crate::table::{Table, find};
use crate::{
    Delimiter, Format, MalformedRecord, Quoting, ReadOptions, Reader, RejectReason, encoding, json,
};

/// How much of a source [`Layout::detect`] wants to see (all of it, if it is shorter).
pub const HEAD_LEN: usize = 1 << 20;

/// The smallest limit of a record's length: an empty line fits.
const MIN_RECORD: usize = 2;

/// UTF-8's byte order mark, which means nothing but is common in files from Windows.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Where in a record its text, id, time and label stand.
///
/// For CSV and TSV a name is a column; for JSON it is a key, or a dotted path of keys (`commit.record.text`). A
/// top-level key that itself contains the dots wins over the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldNames {
    /// The text to be scored.
    pub text: String,
    /// What the post is known by.
    pub id: Option<String>,
    /// When the post was written.
    pub time: Option<String>,
    /// The label that a person gave it.
    pub label: Option<String>,
}

/// The columns that a model adds to each record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelColumns {
    /// The model's name: the key of its object in JSON, the beginning of its columns in CSV and TSV.
    pub model: String,
    /// What stands before the name, and before that of the sentiment.
    pub prefix: String,
    /// Its scores, in the order they are written.
    pub scores: Vec<ScoreColumn>,
}

/// One score of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreColumn {
    /// The score's name.
    pub name: String,
    /// At most how many decimals its values are rounded to; `None` for any double, written so that it reads back.
    pub decimals: Option<u8>,
}

/// Where a source may be cut into shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SplitMode {
    /// Anywhere: a range of bytes owns each line that starts in it.
    Lines,
    /// Only where a record ends, which a [`Framer`](crate::Framer) that has seen all before it can tell.
    Records,
}

/// Why a source cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The header has no column of this name.
    #[error(
        "no column \"{name}\" in the header{}: its columns are {}{}",
        did_you_mean(.near.as_deref()), listed(.columns), hint(name, .columns, *.delimiter)
    )]
    NoSuchColumn {
        /// The column asked for.
        name: String,
        /// The column that may have been meant.
        near: Option<String>,
        /// The columns there are.
        columns: Vec<String>,
        /// What seems to separate the columns, if it is not the delimiter that was used.
        delimiter: Option<Delimiter>,
    },
    /// The header has several columns of this name.
    #[error("{count} columns are called \"{name}\" in the header: rename all but one")]
    AmbiguousColumn {
        /// The column asked for.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// No end of the header in sight.
    #[error("the header does not end within the first {HEAD_LEN} bytes: is the format right")]
    HeaderTooLong,
    /// The header's quotes do not pair up.
    #[error("the header's column {column} opens a quote that is never closed")]
    UnclosedHeader {
        /// The column, counted from 1.
        column: usize,
    },
    /// The header's quotes do not surround its names.
    #[error("the header's column {column} has text after its closing quote")]
    TextAfterQuote {
        /// The column, counted from 1.
        column: usize,
    },
    /// The header is not UTF-8.
    #[error("the header is not UTF-8: convert the file first")]
    HeaderNotUtf8,
    /// The source is in another encoding.
    #[error(
        "it is {encoding}, not UTF-8: convert it first, as with `iconv -f {encoding} -t UTF-8`"
    )]
    NotUtf8 {
        /// The encoding, by the name that iconv knows.
        encoding: &'static str,
    },
}

/// What to do about a missing column if the header was read in the wrong way.
fn hint(name: &str, columns: &[String], delimiter: Option<Delimiter>) -> String {
    if let Some(delimiter) = delimiter {
        return format!("; if `{delimiter}` separates them, add --delimiter '{delimiter}'");
    }
    let quoted = format!("\"{name}\"");
    if columns.contains(&quoted) {
        return "; if the quotes are no part of the names, add --quoting rfc4180".to_owned();
    }
    String::new()
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!(" (did you mean \"{near}\"?)"))
}

/// The first columns, in quotes; a header may have thousands.
fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = columns
        .iter()
        .take(SHOWN)
        .map(|name| format!("\"{name}\""))
        .collect();
    if columns.len() > SHOWN {
        names.push(format!("and {} more", columns.len() - SHOWN));
    }
    names.join(", ")
}

/// How the records of one source lie in its bytes: found once by looking at its head, then sent to all who read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    format: Format,
    body_start: u64,
    first_line: u64,
    max_record: usize,
    shape: Shape,
}

/// What is known of the records, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// Each line is a text.
    Texts,
    /// Each line is a JSON object.
    Objects(json::Wanted),
    /// Rows under a header.
    Rows(Table),
}

impl Layout {
    /// Looks at the first [`HEAD_LEN`] bytes of a source (`head_is_all`: they are the whole of it).
    ///
    /// A CSV or TSV source of nothing but empty lines has no header and no records, and that is no error.
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
        encoding::check(head)?;
        let ReadOptions {
            quoting,
            delimiter,
            max_record,
        } = reading.into();
        let max_record = max_record.max(MIN_RECORD);
        let mark = if head.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        let lines = |shape| Layout {
            format,
            body_start: mark as u64,
            first_line: 1,
            max_record,
            shape,
        };
        match format {
            Format::Text => return Ok(lines(Shape::Texts)),
            Format::Jsonl => return Ok(lines(Shape::Objects(json::Wanted::new(fields, added)))),
            Format::Csv | Format::Tsv => {}
        }
        let blank = blank_lines(&head[mark..]);
        let head = &head[mark + blank.len()..];
        let dialect = Dialect {
            delimiter: delimiter.unwrap_or(Delimiter::of(format)).byte(),
            quotes: quoting.resolve(format) == Quoting::Rfc4180,
        };
        let (table, header_len, header_lines) = match read_header(dialect, head, head_is_all)? {
            Some(Row { next, lines, .. }) => {
                let table = Table::new(dialect, &head[..next], fields)?;
                (table, next, lines)
            }
            None => (Table::empty(dialect), 0, 0),
        };
        let blank_count = memchr_iter(b'\n', blank).count();
        Ok(Layout {
            format,
            body_start: (mark + blank.len() + header_len) as u64,
            first_line: 1 + blank_count as u64 + header_lines,
            max_record,
            shape: Shape::Rows(table),
        })
    }

    /// Has records rejected that hold a field of an added name, instead of replacing it: see
    /// [`RejectReason::FieldTaken`](crate::RejectReason::FieldTaken).
    pub fn keep_fields(&mut self) {
        if let Shape::Objects(wanted) = &mut self.shape {
            wanted.keep_fields();
        }
    }

    /// Chooses the columns that a CSV or TSV output keeps, in this order, instead of all columns of a table, or the text, id
    /// and time of an object. For objects they are fields, or paths as in [`FieldNames`], at most
    /// [`MAX_COLUMNS`](crate::MAX_COLUMNS).
    ///
    /// # Errors
    /// If a table has no such column, or a source of plain text is to have one other than `text`.
    pub fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError> {
        match &mut self.shape {
            Shape::Objects(wanted) => wanted.choose_columns(names),
            Shape::Rows(table) => table.choose_columns(names)?,
            Shape::Texts => {
                let columns = ["text".to_owned()];
                for name in names {
                    find(&columns, name)?;
                }
            }
        }
        Ok(())
    }

    /// The first of the `added` names that the source has already, in its header or in the complete lines of its `head`
    /// (`head_is_all`: which is the whole of it).
    #[must_use]
    pub fn taken(&self, added: &[String], head: &[u8], head_is_all: bool) -> Option<String> {
        if let Shape::Rows(table) = &self.shape {
            return table
                .columns
                .iter()
                .find(|name| added.contains(name))
                .cloned();
        }
        let mut layout = self.clone();
        layout.keep_fields();
        let mut reader = Reader::new(&layout, self.body(head, head_is_all));
        while let Some(record) = reader.next_record() {
            if let Err(MalformedRecord {
                reason: RejectReason::FieldTaken { name },
                ..
            }) = record
            {
                return Some(name);
            }
        }
        None
    }

    /// The chosen columns that no object has in the complete lines of its `head` (`head_is_all`: which is the whole of it).
    /// `None` if there is no object to look at.
    #[must_use]
    pub fn absent_columns(&self, head: &[u8], head_is_all: bool) -> Option<Vec<String>> {
        let Shape::Objects(wanted) = &self.shape else {
            return None;
        };
        let mut any = false;
        let columns = wanted.columns();
        let mut is_absent = vec![true; columns.len()];
        let mut reader = Reader::new(self, self.body(head, head_is_all));
        while let Some(record) = reader.next_record() {
            let Ok(post) = record else { continue };
            any = true;
            for (index, is_absent) in is_absent.iter_mut().enumerate() {
                *is_absent &= !post.has_column(index);
            }
        }
        let absent = columns.iter().zip(is_absent).filter(|(_, absent)| *absent);
        any.then(|| absent.map(|(name, _)| name.clone()).collect())
    }

    /// The records in the complete lines of a head.
    fn body<'h>(&self, head: &'h [u8], head_is_all: bool) -> &'h [u8] {
        let start = usize::try_from(self.body_start).unwrap_or(usize::MAX);
        let lines = complete_lines(head, head_is_all);
        lines.get(start..).unwrap_or_default()
    }

    /// Has each [`Post`](crate::Post) name a field that holds a single value and has no column, if it has one.
    pub fn note_other_fields(&mut self) {
        if let Shape::Objects(wanted) = &mut self.shape {
            wanted.note_other_fields();
        }
    }

    /// The format of the source.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The offset of the first record: after a byte order mark and a header.
    #[must_use]
    pub fn body_start(&self) -> u64 {
        self.body_start
    }

    /// The number of the line at [`body_start`](Layout::body_start), counted from 1. A header may span lines itself.
    #[must_use]
    pub fn first_line(&self) -> u64 {
        self.first_line
    }

    /// The longest record, in bytes with its line end; longer ones are rejects.
    #[must_use]
    pub fn max_record(&self) -> usize {
        self.max_record
    }

    /// Where the source may be cut.
    #[must_use]
    pub fn split_mode(&self) -> SplitMode {
        match self.dialect() {
            Some(Dialect { quotes: true, .. }) => SplitMode::Records,
            Some(Dialect { quotes: false, .. }) | None => SplitMode::Lines,
        }
    }

    /// The names in a CSV or TSV header; none for other formats.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match &self.shape {
            Shape::Rows(table) => &table.columns,
            Shape::Texts | Shape::Objects(_) => &[],
        }
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(crate) fn dialect(&self) -> Option<Dialect> {
        match &self.shape {
            Shape::Rows(table) => Some(table.dialect),
            Shape::Texts | Shape::Objects(_) => None,
        }
    }
}

/// The empty lines that `head` begins with.
fn blank_lines(head: &[u8]) -> &[u8] {
    let mut len = 0;
    loop {
        match &head[len..] {
            [b'\n', ..] => len += 1,
            [b'\r', b'\n', ..] => len += 2,
            _ => return &head[..len],
        }
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

/// Finds the end of the header, if there is anything at all.
fn read_header(
    dialect: Dialect,
    head: &[u8],
    head_is_all: bool,
) -> Result<Option<Row>, LayoutError> {
    if head.is_empty() && head_is_all {
        return Ok(None);
    }
    match scan_row(dialect, head, &mut Vec::new()) {
        Ok(row) if !head_is_all && !head[..row.next].ends_with(b"\n") => {
            Err(LayoutError::HeaderTooLong)
        }
        Err(QuoteError::UnclosedQuote(_)) if !head_is_all => Err(LayoutError::HeaderTooLong),
        row => Ok(Some(row?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> FieldNames {
        FieldNames {
            text: text.into(),
            id: None,
            time: None,
            label: None,
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
