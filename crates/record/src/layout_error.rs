//! Why a source cannot be read.

use crate::options::Delimiter;

/// How much of a source [`Layout::detect`](crate::Layout::detect) wants to see (all of it, if it is shorter).
pub const HEAD_LEN: usize = 1 << 20;

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
    /// More fields of JSON objects are named than can be read.
    #[error(
        "too many fields of JSON are named: name fewer columns or groups, and no more than 64 of both"
    )]
    TooManyFields,
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
