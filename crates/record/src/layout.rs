//! How the records of one source lie in its bytes.

use serde::{Deserialize, Serialize};

use crate::{Format, Quoting};

/// How much of a source [`Layout::detect`] wants to see (all of it, if it is shorter).
pub const HEAD_LEN: usize = 1 << 20;

/// Where in a record its text, id and time stand.
///
/// For CSV and TSV a name is a column; for JSON it is a key, or a dotted path of keys (`commit.record.text`). A key
/// that itself contains the dots wins over the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldNames {
    /// The text to be scored.
    pub text: String,
    /// What the post is known by.
    pub id: Option<String>,
    /// When the post was written.
    pub time: Option<String>,
}

/// The columns that a model adds to each record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelColumns {
    /// The model's name: the key of its object in JSON, the prefix of its columns in CSV and TSV.
    pub model: String,
    /// Its figures, in the order they are written.
    pub figures: Vec<FigureColumn>,
}

/// One figure of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureColumn {
    /// The figure's name.
    pub name: String,
    /// At most how many decimals its values are rounded to; `None` for any double, written so that it reads back.
    pub decimals: Option<u8>,
}

/// Where a source may be cut into shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cutting {
    /// Anywhere: a range of bytes owns each line that starts in it.
    AtLines,
    /// Only where a record ends, which a [`Cutter`](crate::Cutter) that has seen all before it can tell.
    AtRecords,
}

/// Why a source cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The named column is not in the header.
    #[error("no column \"{name}\" in the header")]
    NoSuchColumn {
        /// The column asked for.
        name: String,
    },
}

/// How the records of one source lie in its bytes: found once by looking at its head, then sent to all who read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    format: Format,
    body_start: u64,
    first_line: u64,
    columns: Vec<String>,
}

impl Layout {
    /// Looks at the first [`HEAD_LEN`] bytes of a source (`head_is_all`: they are the whole of it).
    ///
    /// # Errors
    /// If a CSV or TSV header cannot be read, or lacks a named column.
    pub fn detect(
        format: Format,
        quoting: Quoting,
        fields: &FieldNames,
        models: &[ModelColumns],
        head: &[u8],
        head_is_all: bool,
    ) -> Result<Layout, LayoutError> {
        let _ = (quoting, fields, models, head, head_is_all);
        Ok(Layout {
            format,
            body_start: 0,
            first_line: 1,
            columns: Vec::new(),
        })
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

    /// The number of the line at [`body_start`](Layout::body_start), counted from 1.
    #[must_use]
    pub fn first_line(&self) -> u64 {
        self.first_line
    }

    /// Where the source may be cut.
    #[must_use]
    pub fn cutting(&self) -> Cutting {
        Cutting::AtLines
    }

    /// The names in a CSV or TSV header; none for other formats.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
}
