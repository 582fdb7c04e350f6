//! How a source is read where its format leaves a choice: quotes, delimiters, the longest record.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a quotation mark means in a CSV or TSV source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quoting {
    /// The format's own: [`Rfc4180`](Quoting::Rfc4180) for CSV, [`None`](Quoting::None) for TSV. Quotes in TSV files
    /// are mostly text, and reading them otherwise would join lines at random.
    #[default]
    Auto,
    /// A field that begins with `"` ends at the next lone `"`, and may hold delimiters, newlines and doubled quotes.
    Rfc4180,
    /// Nothing: a row is a line, and quotes are text like any other.
    None,
}

/// The default of the longest record, in bytes.
pub const MAX_RECORD: usize = 16 << 20;

/// How the bytes of a source are read, where its format leaves a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// What a quotation mark means.
    pub quoting: Quoting,
    /// The byte that separates fields, if not the format's own delimiter.
    pub delimiter: Option<Delimiter>,
    /// The longest record, in bytes with its line end, at least 2; longer ones are rejects.
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
    /// A comma.
    pub(crate) const COMMA: Delimiter = Delimiter(b',');

    /// A tab.
    pub(crate) const TAB: Delimiter = Delimiter(b'\t');

    /// Returns the byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }
}

/// How the fields of a row are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// Whether a quote at the start of a field means anything.
    pub(crate) quotes: bool,
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

/// The typed text cannot separate fields.
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
            _ => Err(UnknownName::new("quoting", name, "auto, rfc4180, none")),
        }
    }
}

/// No [`Format`](crate::Format) or [`Quoting`] has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} \"{name}\": use one of {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str, known: impl Into<String>) -> UnknownName {
        UnknownName {
            what,
            name: name.to_owned(),
            known: known.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoting_shown_can_be_read_back() {
        for quoting in [Quoting::Auto, Quoting::Rfc4180, Quoting::None] {
            assert_eq!(quoting.to_string().parse(), Ok(quoting));
        }
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
}
