//! Scored posts as rows of figures, as they travel to the fold.

use std::fmt;
use std::str::FromStr;

use moodring_text::Steps;
use moodring_window::{Class, Score, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which texts are scored, and what of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRules {
    /// How texts are cleaned before they are scored.
    pub clean: Steps,
    /// Only posts in one of these languages are scored: ISO 639-1 codes. All posts if there is none.
    pub langs: Vec<String>,
    /// Only posts with one of these terms are scored: words and phrases. All posts if there is none.
    pub track: Vec<String>,
}

/// How scored posts become rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRules {
    /// The dimensions, in the order of their numbers.
    pub group_by: Vec<GroupBy>,
    /// The time zone of event times that do not name theirs, by its IANA name.
    pub time_zone: String,
    /// Whether rows carry texts to show.
    pub keeps_texts: bool,
    /// What the sources are called, by their number.
    pub sources: Vec<String>,
}

impl RowRules {
    /// Returns the fields that posts are grouped by, each once. A [`Layout`](moodring_record::Layout) must have been
    /// detected with these as its extra fields.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        for group_by in &self.group_by {
            if let GroupBy::Field(name) = group_by
                && !fields.contains(name)
            {
                fields.push(name.clone());
            }
        }
        fields
    }
}

/// A way to divide posts into groups: a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupBy {
    /// All posts in one group, whose value is empty.
    All,
    /// By the name of the source.
    Source,
    /// By hashtag. A post counts once in each of its tags.
    Tag,
    /// By tracked term. A post counts once in each that it has.
    Track,
    /// By language: an ISO 639-1 code.
    Lang,
    /// By the values of a field, of which at most [`MAX_TEXT`] bytes count. A post counts once in each of several, and where
    /// it has none, under the empty one.
    Field(String),
}

/// There is no such dimension.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is nothing to group by; write all, source, tag, track, lang or field:NAME")]
pub struct UnknownGroup(String);

impl FromStr for GroupBy {
    type Err = UnknownGroup;

    fn from_str(typed: &str) -> Result<Self, UnknownGroup> {
        Ok(match typed {
            "all" => Self::All,
            "source" => Self::Source,
            "tag" => Self::Tag,
            "track" => Self::Track,
            "lang" => Self::Lang,
            _ => match typed.strip_prefix("field:") {
                Some(name) if !name.is_empty() => Self::Field(name.to_owned()),
                _ => return Err(UnknownGroup(typed.to_owned())),
            },
        })
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Source => "source",
            Self::Tag => "tag",
            Self::Track => "track",
            Self::Lang => "lang",
            Self::Field(name) => return write!(f, "field:{name}"),
        })
    }
}

/// Scored posts, in the order of the input. Groups and tags stand once for all rows, and rows refer to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows<'a> {
    /// The groups that occur: the number of a dimension and the value in it. Each occurs once.
    #[serde(borrow)]
    pub keys: Vec<(u16, &'a str)>,
    /// The hashtags that occur, lowercased and without `#`. Each occurs once.
    #[serde(borrow)]
    pub tags: Vec<&'a str>,
    /// What the rows refer to, row after row: [`Row::groups`] indices into [`keys`](Self::keys), then [`Row::tags`]
    /// indices into [`tags`](Self::tags). No row refers to the same one twice.
    pub refs: Vec<u32>,
    /// The posts.
    #[serde(borrow)]
    pub rows: Vec<Row<'a>>,
}

/// A scored post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row<'a> {
    /// When it was written.
    pub time: Timestamp,
    /// The first model's primary score.
    pub score: Score,
    /// What that model calls it.
    pub class: Class,
    /// What it is known by, if it has an id that is not empty.
    pub id: Option<&'a str>,
    /// Its text as it was written, of which at most [`MAX_TEXT`] bytes. Empty if texts are not kept, or the score is zero:
    /// no window shows such a post.
    pub text: &'a str,
    /// How many groups it counts in.
    pub groups: u16,
    /// How many hashtags it has.
    pub tags: u16,
}

/// How many dimensions there are at most.
pub const MAX_DIMENSIONS: usize = 32;

/// How many bytes of a text a row has at most.
pub const MAX_TEXT: usize = 1000;
