//! Writes scored posts as rows, and recognizes the header of those.

use std::any::Any;

use super::row::{scan_row, write_field};
use super::table::Table;
use crate::columns::{ModelColumns, sentiment_name};
use crate::formats::record_format::{Column, PostFields, RecordBody, RecordFormat, RecordRenderer};
use crate::formats::scores::{ScoreSlot, ScoreTemplate};
use crate::options::Dialect;

/// Writes scored posts as rows.
#[derive(Clone, Debug)]
pub(crate) struct RowRenderer {
    dialect: Dialect,
    /// `None` if the source has no columns.
    header: Option<Vec<u8>>,
    columns: Vec<String>,
    record: Record,
    scores: ScoreTemplate,
    /// The terminator of a record that has none.
    terminator: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Record {
    /// The row as it stands.
    Row,
    /// These fields of a row in the same dialect, as they stand.
    Tokens(Vec<usize>),
    /// The values of these columns.
    Columns(Vec<Column>),
}

impl RowRenderer {
    pub(super) fn new<S: RecordFormat>(
        dialect: Dialect,
        source: &S,
        models: &[ModelColumns],
    ) -> RowRenderer {
        // Rows in the output's dialect are copied; others are decoded and written anew.
        let table = (source as &dyn Any).downcast_ref::<Table>();
        let table = table.filter(|table| table.dialect == dialect);
        let added = added_names(models);
        let offered = source.offered_columns();
        let count = offered.len();
        let is_kept = |(name, _): &(String, Column)| !added.contains(name);
        let (names, kept): (Vec<_>, Vec<_>) = offered.into_iter().filter(is_kept).unzip();
        let header = header(dialect, table, &names, &kept, &added, source.terminator());
        let record = match table {
            Some(table) if kept.len() == count && table.chosen.is_none() => Record::Row,
            Some(_) => Record::Tokens(kept.iter().filter_map(|column| column.index()).collect()),
            None => Record::Columns(kept),
        };
        let separator = vec![dialect.delimiter];
        let scores = models.iter().flat_map(|columns| &columns.scores);
        let scores = scores.map(|score| ScoreSlot {
            before: separator.clone(),
            decimals: score.decimals,
        });
        RowRenderer {
            dialect,
            header: (count > 0).then_some(header),
            columns: match count {
                0 => Vec::new(),
                _ => names.into_iter().chain(added).collect(),
            },
            record,
            scores: ScoreTemplate::new(scores.collect(), separator),
            terminator: source.terminator().as_bytes().to_vec(),
        }
    }
}

impl RecordRenderer for RowRenderer {
    fn header(&self) -> Option<&[u8]> {
        self.header.as_deref()
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn write(
        &self,
        out: &mut Vec<u8>,
        post: &PostFields<'_>,
        body: &impl RecordBody,
        scores: &[f64],
        sentiment: &str,
    ) {
        let any = match &self.record {
            Record::Row => {
                out.extend_from_slice(post.raw.as_bytes());
                true
            }
            Record::Tokens(fields) => {
                for (at, &field) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(self.dialect.delimiter);
                    }
                    out.extend_from_slice(body.token(field, post.raw).as_bytes());
                }
                !fields.is_empty()
            }
            Record::Columns(columns) => {
                for (at, column) in columns.iter().enumerate() {
                    if at > 0 {
                        out.push(self.dialect.delimiter);
                    }
                    write_field(out, self.dialect, &column.value(post, body));
                }
                !columns.is_empty()
            }
        };
        self.scores.write(out, !any, scores, sentiment);
        out.extend_from_slice(match post.terminator {
            [] => &self.terminator,
            own => own,
        });
    }
}

/// Returns the names of the columns that are added: one for each score, and the sentiment.
pub(super) fn added_names(models: &[ModelColumns]) -> Vec<String> {
    let scores = models.iter().flat_map(|columns| {
        let model = columns.prefixed_name();
        let names = columns.scores.iter();
        names.map(move |score| format!("{model}_{}", score.name))
    });
    scores.chain([sentiment_name(models)]).collect()
}

/// Returns the header row. The names of a `table` in the same dialect stand as they stand there.
fn header(
    dialect: Dialect,
    table: Option<&Table>,
    names: &[String],
    kept: &[Column],
    added: &[String],
    terminator: &str,
) -> Vec<u8> {
    let source = table.map_or("", |table| &table.header);
    let mut tokens = Vec::new();
    if !source.is_empty() {
        // It had no error when the layout was detected.
        let _ = scan_row(dialect, source.as_bytes(), &mut tokens);
    }
    let mut header = Vec::new();
    for (name, column) in names.iter().zip(kept) {
        match column.index().and_then(|index| tokens.get(index)) {
            Some(token) => header.extend_from_slice(token.token(source).as_bytes()),
            None => write_field(&mut header, dialect, name),
        }
        header.push(dialect.delimiter);
    }
    for (index, name) in added.iter().enumerate() {
        if index > 0 {
            header.push(dialect.delimiter);
        }
        write_field(&mut header, dialect, name);
    }
    header.extend_from_slice(terminator.as_bytes());
    header
}

/// Returns whether a line ends as the header of scored rows does: with the columns of its last model, and the sentiment. Any
/// ASCII character but letters, digits and `_` may separate them.
pub(super) fn is_scored(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let ends = [&b"_compound"[..], b"_subjectivity"];
    let name_end = |end: &[u8]| Some(memchr::memmem::rfind(line, end)? + end.len());
    let Some(end) = ends.into_iter().filter_map(name_end).max() else {
        return false;
    };
    let rest = line[end..].strip_prefix(b"\"").unwrap_or(&line[end..]);
    let Some((delimiter, sentiment)) = rest.split_first() else {
        return false;
    };
    let may_separate =
        delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric() && *delimiter != b'_';
    may_separate && sentiment.ends_with(b"sentiment") && !sentiment.contains(delimiter)
}
