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
    /// [`Rfc4180`](Quoting::Rfc4180) for CSV, [`None`](Quoting::None) for TSV: quotes in TSV files are mostly text, and
    /// reading them otherwise would join lines at random.
    #[default]
    Auto,
    /// A field that begins with `"` ends at the next lone `"`, and may hold delimiters, newlines and doubled quotes.
    Rfc4180,
    /// Nothing: a row is a line, and quotes are text like any other.
    None,
}

impl Quoting {
    /// What `Auto` comes to for this format.
    #[must_use]
    pub fn resolve(self, format: Format) -> Quoting {
        match (self, format) {
            (Quoting::Auto, Format::Tsv) => Quoting::None,
            (Quoting::Auto, _) => Quoting::Rfc4180,
            (known, _) => known,
        }
    }
}

/// The longest record that is read, in bytes, unless something else is asked for.
pub const MAX_RECORD: usize = 16 << 20;

/// How the bytes of a source are read, where its format leaves a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// What a quotation mark means.
    pub quoting: Quoting,
    /// What separates fields, if not the format's own delimiter.
    pub delimiter: Option<Delimiter>,
    /// The longest record, in bytes with its line end, 2 at the least; longer ones are rejects.
    pub max_record: usize,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            quoting: Quoting::Auto,
            delimiter: None,
            max_record: MAX_RECORD,
        }
    }
}

/// How records are written in an output, the same for those of all its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputStyle {
    /// The format. [`Format::Text`] has no room for scores and gives JSONL.
    pub format: Format,
    /// What separates the fields of CSV and TSV.
    pub delimiter: Delimiter,
    /// Whether fields of CSV and TSV are quoted where they need it. If not, all sources must be tables without quotes.
    pub quotes: bool,
}

impl OutputStyle {
    /// The style of an output in `format` with sources in these formats, read like this.
    ///
    /// Quotes mean nothing in the output only if they mean nothing in any of the sources: other sources may hold fields
    /// that need them.
    #[must_use]
    pub fn new(
        format: Format,
        reading: ReadOptions,
        sources: impl IntoIterator<Item = Option<Format>>,
    ) -> OutputStyle {
        let literal = reading.quoting.resolve(format) == Quoting::None;
        let mut sources = sources.into_iter();
        OutputStyle {
            format,
            delimiter: reading.delimiter.unwrap_or(Delimiter::of(format)),
            quotes: !(literal && sources.all(|source| source == Some(format))),
        }
    }
}

impl From<Format> for OutputStyle {
    fn from(format: Format) -> OutputStyle {
        OutputStyle {
            format,
            delimiter: Delimiter::of(format),
            quotes: true,
        }
    }
}

impl From<Quoting> for ReadOptions {
    fn from(quoting: Quoting) -> ReadOptions {
        ReadOptions {
            quoting,
            ..ReadOptions::default()
        }
    }
}

/// A byte that separates fields: ASCII, and neither a quote nor part of a line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Delimiter(u8);

impl Delimiter {
    /// The byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }

    /// What separates the fields of this format unless something else is asked for.
    #[must_use]
    pub fn of(format: Format) -> Delimiter {
        match format {
            Format::Tsv => Delimiter(b'\t'),
            _ => Delimiter(b','),
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.pad("tab"),
            byte => f.pad(char::from(byte).encode_utf8(&mut [0; 4])),
        }
    }
}

impl FromStr for Delimiter {
    type Err = BadDelimiter;

    fn from_str(typed: &str) -> Result<Delimiter, BadDelimiter> {
        match typed.as_bytes() {
            b"tab" | b"\\t" => Ok(Delimiter(b'\t')),
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => {
                Ok(Delimiter(*byte))
            }
            _ => Err(BadDelimiter),
        }
    }
}

/// What was typed cannot separate fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delimiter is one ASCII character (not a quote or a line end), `tab` or `\\t`")]
pub struct BadDelimiter;

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
    fn a_delimiter_is_one_ascii_character_or_a_tab_by_name() {
        for (typed, byte) in [
            (";", b';'),
            ("|", b'|'),
            ("tab", b'\t'),
            ("\\t", b'\t'),
            ("\t", b'\t'),
        ] {
            let delimiter: Delimiter = typed.parse().unwrap();
            assert_eq!(delimiter.byte(), byte, "{typed}");
            assert_eq!(delimiter.to_string().parse(), Ok(delimiter));
        }
        for wrong in ["", ";;", "\"", "\r", "\n", "é", "comma"] {
            assert_eq!(wrong.parse::<Delimiter>(), Err(BadDelimiter), "{wrong}");
        }
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
