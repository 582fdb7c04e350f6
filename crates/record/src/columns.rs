//! The names of the fields that are read and of the columns that are added, and how names are looked up.

use serde::{Deserialize, Serialize};

use crate::layout_error::LayoutError;
use crate::options::Delimiter;

/// How alike two names must be (Jaro-Winkler, 0 to 1) for one to be suggested for the other.
const NEAR: f64 = 0.8;

/// Where in a record its text, id, time and label stand.
///
/// For CSV and TSV a name is a column. For JSON it is a key, or a dotted path of keys (`commit.record.text`). A
/// top-level key that itself contains the dots takes precedence over the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldNames {
    /// The text to be scored.
    pub text: String,
    /// The id of the post.
    pub id: Option<String>,
    /// When the post was written.
    pub time: Option<String>,
    /// The sentiment that a person assigned.
    pub label: Option<String>,
    /// The language of the text.
    pub lang: Option<String>,
    /// Other fields of interest, such as those that posts are grouped by.
    pub extra: Vec<String>,
}

/// A field of which a record may have several values, named in [`FieldNames`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValuesOf {
    /// [`FieldNames::lang`].
    Lang,
    /// The one of this index in [`FieldNames::extra`].
    Extra(usize),
}

/// The columns that a model adds to each record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelColumns {
    /// The model's name: the key of its object in JSON, the beginning of its columns in CSV and TSV.
    pub model: String,
    /// Prefix of the name, and of the sentiment's name.
    pub prefix: String,
    /// Its scores, in the order they are written.
    pub scores: Vec<ScoreColumn>,
}

/// One score of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreColumn {
    /// The score's name.
    pub name: String,
    /// The largest number of decimals that its values are rounded to; `None` for any double, written so that it reads
    /// back.
    pub decimals: Option<u8>,
}

impl ModelColumns {
    pub(crate) fn prefixed_name(&self) -> String {
        format!("{}{}", self.prefix, self.model)
    }
}

/// Returns the name of the sentiment, which has the prefix of the first model.
pub(crate) fn sentiment_name(models: &[ModelColumns]) -> String {
    let prefix = models.first().map_or("", |columns| &columns.prefix);
    format!("{prefix}sentiment")
}

/// Returns the index of the one column of this name.
pub(crate) fn find_column(columns: &[String], name: &str) -> Result<usize, LayoutError> {
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
            delimiter: apparent_delimiter(columns),
            columns: columns.to_owned(),
        }),
    }
}

/// Returns the delimiter that seems to separate the names in a header that another one left as a single column.
fn apparent_delimiter(columns: &[String]) -> Option<Delimiter> {
    let [only] = columns else { return None };
    [";", "\t", "|", ","]
        .into_iter()
        .find(|&delimiter| only.contains(delimiter))
        .and_then(|delimiter| delimiter.parse().ok())
}

/// Returns the one of these names that is most similar to `name`, ignoring case, if any is similar enough.
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
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, column)| column.clone())
}
