//! How records are written.

use serde::{Deserialize, Serialize};

use crate::formats::Format;
use crate::options::{Delimiter, Dialect, Quoting, ReadOptions};

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
    /// Returns the style of an output in `format` with sources in these formats, read with these options.
    ///
    /// The output has no quotes only if quotes mean nothing in all of the sources: other sources may hold fields that
    /// need them.
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

    pub(crate) fn dialect(self) -> Dialect {
        Dialect {
            delimiter: self.delimiter.byte(),
            quotes: self.quotes,
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
