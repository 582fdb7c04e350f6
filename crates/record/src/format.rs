//! How formats are named and recognized.

use std::fmt;
use std::str::FromStr;

use crate::encoding::{ENCODING_SAMPLE, without_mark};
use crate::formats::{Format, Head};
use crate::layout_error::HEAD_LEN;
use crate::options::{Delimiter, Dialect, Quoting, ReadOptions, UnknownName};
use crate::scalar_fields::ScalarFields;

impl Format {
    /// Returns the format that a file extension stands for. Upper or lower case, without the dot.
    ///
    /// `json` is none: a `.json` file holds one document, not lines of them.
    #[must_use]
    pub fn from_extension(ext: &str) -> Option<Format> {
        let ext = ext.to_ascii_lowercase();
        let has = |format: &Format| format.spec().extensions.contains(&&*ext);
        Format::ALL.into_iter().find(has)
    }

    /// Returns the format whose records alone begin with this byte.
    #[must_use]
    pub fn from_first_byte(byte: u8) -> Option<Format> {
        let begins = |format: &Format| format.spec().first_byte == Some(byte);
        Format::ALL.into_iter().find(begins)
    }

    /// Returns whether a source has a header before its records.
    #[must_use]
    pub fn has_header(self) -> bool {
        self.spec().has_header
    }

    /// Returns whether each record names its fields itself, so that records of one source can have different ones.
    #[must_use]
    pub fn names_fields(self) -> bool {
        self.spec().names_fields
    }

    /// Returns how many bytes of a source [`Layout::detect`](crate::Layout::detect) needs.
    #[must_use]
    pub fn head_len(self) -> usize {
        if self.has_header() {
            HEAD_LEN
        } else {
            ENCODING_SAMPLE
        }
    }

    /// Adds the fields in a head that hold a single value and can be columns of a table, if records
    /// [name their fields](Format::names_fields). `head_is_all` states that the source ends with the head; if it does not,
    /// an unfinished last record does not count.
    ///
    /// ```
    /// use moodring_record::{Format, ScalarFields};
    ///
    /// let mut fields = ScalarFields::default();
    /// let head = b"{\"id\":1,\"user\":{\"name\":\"ann\"}}\n{\"id\":2,\"text\":\"hi\"}\n{\"cut";
    /// Format::Jsonl.scalar_fields(head, false, &mut fields);
    /// assert_eq!(fields.names(), ["id", "text"]);
    /// ```
    pub fn scalar_fields(self, head: &[u8], head_is_all: bool, fields: &mut ScalarFields) {
        let head = Head {
            bytes: without_mark(head),
            is_all: head_is_all,
        };
        self.add_scalar_fields(head, fields);
    }

    /// Returns how the fields of a source in this format are told apart.
    pub(crate) fn dialect(self, reading: ReadOptions) -> Dialect {
        Dialect {
            delimiter: reading.delimiter.unwrap_or(Delimiter::of(self)).byte(),
            quotes: reading.quoting.resolve(self) == Quoting::Rfc4180,
        }
    }
}

impl Quoting {
    /// Returns what `Auto` means for this format, and any other quoting as it is.
    #[must_use]
    pub fn resolve(self, format: Format) -> Quoting {
        match self {
            Quoting::Auto => format.spec().quoting,
            known => known,
        }
    }
}

impl Delimiter {
    /// Returns the default delimiter of this format.
    #[must_use]
    pub fn of(format: Format) -> Delimiter {
        format.spec().delimiter
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.spec().name)
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Format, UnknownName> {
        let has = |format: &Format| {
            let spec = format.spec();
            spec.name == name || spec.aliases.contains(&name)
        };
        Format::ALL.into_iter().find(has).ok_or_else(|| {
            let known = Format::ALL.map(|format| format.spec().name);
            UnknownName::new("format", name, known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shown_can_be_read_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn no_two_formats_share_a_name_an_extension_or_a_first_byte() {
        for format in Format::ALL {
            let spec = format.spec();
            for alias in spec.aliases {
                assert_eq!(alias.parse(), Ok(format), "{alias}");
            }
            for extension in spec.extensions {
                assert_eq!(
                    Format::from_extension(extension),
                    Some(format),
                    "{extension}"
                );
            }
            if let Some(byte) = spec.first_byte {
                assert_eq!(Format::from_first_byte(byte), Some(format), "{byte}");
            }
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
