//! The formats a source or an output can have, and how they are named by people and by file extensions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How records are written down in a source or an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// One JSON object a line (also known as NDJSON).
    Jsonl,
    /// Comma-separated rows under a header row, quoted as in RFC 4180.
    Csv,
    /// Tab-separated rows under a header row.
    Tsv,
    /// One post a line, nothing else.
    Text,
}

impl Format {
    /// The format that a file extension stands for, if it is one of ours. Upper or lower case, without the dot.
    ///
    /// `json` is none: a `.json` file holds one document, not lines of them.
    #[must_use]
    pub fn from_extension(ext: &str) -> Option<Format> {
        match ext.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "csv" => Some(Format::Csv),
            "tsv" | "tab" => Some(Format::Tsv),
            "txt" | "text" => Some(Format::Text),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Text => "text",
        })
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Format, UnknownName> {
        match name {
            "jsonl" | "ndjson" => Ok(Format::Jsonl),
            "csv" => Ok(Format::Csv),
            "tsv" => Ok(Format::Tsv),
            "text" | "txt" => Ok(Format::Text),
            _ => Err(UnknownName {
                what: "format",
                name: name.to_owned(),
                known: "jsonl, csv, tsv, text",
            }),
        }
    }
}

/// What a quotation mark means in a CSV or TSV source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quoting {
    /// RFC 4180 for CSV; for TSV whichever of the two fits the head of the source.
    #[default]
    Auto,
    /// A field that begins with `"` ends at the next lone `"`, and may hold delimiters, newlines and doubled quotes.
    Rfc4180,
    /// Nothing: a row is a line, and quotes are text like any other.
    None,
}

impl fmt::Display for Quoting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Quoting::Auto => "auto",
            Quoting::Rfc4180 => "rfc4180",
            Quoting::None => "none",
        })
    }
}

impl FromStr for Quoting {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Quoting, UnknownName> {
        match name {
            "auto" => Ok(Quoting::Auto),
            "rfc4180" => Ok(Quoting::Rfc4180),
            "none" => Ok(Quoting::None),
            _ => Err(UnknownName {
                what: "quoting",
                name: name.to_owned(),
                known: "auto, rfc4180, none",
            }),
        }
    }
}

/// A name that stands for no [`Format`] or [`Quoting`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} \"{name}\": use one of {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shown_can_be_read_back() {
        for format in [Format::Jsonl, Format::Csv, Format::Tsv, Format::Text] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for quoting in [Quoting::Auto, Quoting::Rfc4180, Quoting::None] {
            assert_eq!(quoting.to_string().parse(), Ok(quoting));
        }
    }

    #[test]
    fn extensions_are_known_in_any_case() {
        assert_eq!(Format::from_extension("NDJSON"), Some(Format::Jsonl));
        assert_eq!(Format::from_extension("Tab"), Some(Format::Tsv));
        assert_eq!(Format::from_extension("json"), None);
        assert_eq!(Format::from_extension(""), None);
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown format \"xml\": use one of jsonl, csv, tsv, text"
        );
    }
}
