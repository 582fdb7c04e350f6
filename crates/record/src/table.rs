//! What the header of a CSV or TSV source says.

use serde::{Deserialize, Serialize};

use crate::delimited::{Dialect, scan_row, terminator};
use crate::{Delimiter, FieldNames, LayoutError};

/// How alike two names must be (Jaro-Winkler, 0 to 1) for one to be suggested for the other.
const NEAR: f64 = 0.8;

/// The columns of a source, and which of them matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) dialect: Dialect,
    /// The header as it stands in the source, without its terminator.
    pub(crate) header: String,
    /// The header's terminator, which a last row without one borrows.
    pub(crate) terminator: String,
    pub(crate) columns: Vec<String>,
    pub(crate) text: usize,
    pub(crate) id: Option<usize>,
    pub(crate) time: Option<usize>,
    pub(crate) label: Option<usize>,
    /// The columns that an output keeps, if they were chosen.
    pub(crate) chosen: Option<Vec<usize>>,
}

impl Table {
    /// The table under this header, which ends with its terminator unless the source ends with it.
    pub(crate) fn new(
        dialect: Dialect,
        header: &[u8],
        fields: &FieldNames,
    ) -> Result<Table, LayoutError> {
        let header = simdutf8::basic::from_utf8(header).map_err(|_| LayoutError::HeaderNotUtf8)?;
        let mut names = Vec::new();
        let row = scan_row(dialect, header.as_bytes(), &mut names)?;
        let columns: Vec<String> = names
            .iter()
            .map(|name| name.value(header).into_owned())
            .collect();
        let terminator = match terminator(header.as_bytes()) {
            b"\r\n" => "\r\n",
            _ => "\n",
        };
        let found = |name: Option<&String>| name.map(|name| find(&columns, name)).transpose();
        Ok(Table {
            dialect,
            header: header[..row.len].to_owned(),
            terminator: terminator.to_owned(),
            text: find(&columns, &fields.text)?,
            id: found(fields.id.as_ref())?,
            time: found(fields.time.as_ref())?,
            label: found(fields.label.as_ref())?,
            chosen: None,
            columns,
        })
    }

    /// Chooses the columns that an output keeps. A source without a header has none to choose from.
    pub(crate) fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError> {
        if !self.columns.is_empty() {
            let chosen = names.iter().map(|name| find(&self.columns, name));
            self.chosen = Some(chosen.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// The table of a source that has not even a header.
    pub(crate) fn empty(dialect: Dialect) -> Table {
        Table {
            dialect,
            header: String::new(),
            terminator: "\n".to_owned(),
            columns: Vec::new(),
            text: 0,
            id: None,
            time: None,
            label: None,
            chosen: None,
        }
    }
}

/// The index of the one column of this name.
pub(crate) fn find(columns: &[String], name: &str) -> Result<usize, LayoutError> {
    let mut same = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| *column == name);
    match (same.next(), same.count()) {
        (Some((index, _)), 0) => Ok(index),
        (Some(_), others) => Err(LayoutError::AmbiguousColumn {
            name: name.to_owned(),
            count: others + 1,
        }),
        (None, _) => Err(LayoutError::NoSuchColumn {
            name: name.to_owned(),
            near: nearest_name(columns, name),
            delimiter: seeming_delimiter(columns),
            columns: columns.to_owned(),
        }),
    }
}

/// What seems to separate the names in the one column that another delimiter left of a header.
fn seeming_delimiter(columns: &[String]) -> Option<Delimiter> {
    let [only] = columns else { return None };
    [";", "\t", "|", ","]
        .into_iter()
        .find(|&delimiter| only.contains(delimiter))
        .and_then(|delimiter| delimiter.parse().ok())
}

/// The one of these names that is most like `name`, whatever its case, if any is much like it.
#[must_use]
pub fn nearest_name(columns: &[String], name: &str) -> Option<String> {
    let name = name.to_lowercase();
    columns
        .iter()
        .map(|column| {
            (
                strsim::jaro_winkler(&column.trim().to_lowercase(), &name),
                column,
            )
        })
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, column)| column.clone())
}
