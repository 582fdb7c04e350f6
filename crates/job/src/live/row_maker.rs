//! Makes a row of a scored post.

use std::time::Duration;

use moodring_pool::JobError;
use moodring_record::{Post, RejectKind, ValuesOf};
use moodring_text::{Lang, hashtags, lowercase_into};
use moodring_window::{Class, Score, TimeZone, Timestamp};

use super::row_table::{Figures, RowTable};
use crate::message::{GroupBy, MAX_DIMENSIONS, MAX_TEXT, RowRules, Rows, TextRules, Unfit};
use crate::preprocess::Processed;

/// How far the clock of whoever wrote a post may be ahead.
const MAX_AHEAD: Duration = Duration::from_mins(1);

/// Hashtags of a post beyond this many do not count.
const MAX_TAGS: usize = 1000;

/// Values of a field of a post beyond this many do not count.
const MAX_VALUES: usize = 1000;

/// Collects the rows of a block or a shard.
#[derive(Debug)]
pub(crate) struct RowMaker {
    rules: RowRules,
    /// For each dimension that is a field, which of the extra fields it is.
    fields: Vec<usize>,
    zone: TimeZone,
    /// The tracked terms, by their number.
    terms: Vec<String>,
    table: RowTable,
    /// A lowercased hashtag.
    tag: String,
}

/// When a post was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventTime {
    pub(crate) time: Timestamp,
    /// Whether the post claims a time in the future, and has that of its arrival instead.
    pub(crate) is_clamped: bool,
}

impl RowMaker {
    pub(crate) fn new(rules: RowRules, texts: &TextRules) -> Result<Self, JobError> {
        if rules.group_by.len() > MAX_DIMENSIONS {
            return Err(JobError::new("there are too many dimensions to group by"));
        }
        let zone = TimeZone::get(&rules.time_zone).map_err(JobError::new)?;
        let names = rules.fields();
        let field = |group_by: &GroupBy| match group_by {
            GroupBy::Field(name) => names.iter().position(|other| other == name).unwrap_or(0),
            _ => 0,
        };
        Ok(Self {
            fields: rules.group_by.iter().map(field).collect(),
            rules,
            zone,
            terms: texts.track.clone(),
            table: RowTable::default(),
            tag: String::new(),
        })
    }

    /// Returns whether the languages of posts are needed.
    pub(crate) fn groups_by_lang(&self) -> bool {
        self.rules.group_by.contains(&GroupBy::Lang)
    }

    /// Removes all rows.
    pub(crate) fn clear(&mut self) {
        self.table.clear();
    }

    /// Returns how many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns the rows.
    pub(crate) fn rows(&self) -> Rows<'_> {
        self.table.rows()
    }

    /// Returns when a post was written. `arrival` is given for posts that come as they are written: the time of those that
    /// do not say theirs, and the limit of those that do.
    ///
    /// # Errors
    /// If the time cannot be read, or is missing and there is no arrival.
    pub(crate) fn time_of(
        &self,
        post: &Post<'_>,
        arrival: Option<Timestamp>,
    ) -> Result<EventTime, Unfit> {
        let text = post.time().filter(|time| !time.trim().is_empty());
        let time = match (text, arrival) {
            (Some(text), _) => Timestamp::parse(text, &self.zone)
                .map_err(|bad| unfit(format!("the time field: {bad}")))?,
            (None, Some(arrival)) => arrival,
            (None, None) => return Err(unfit("the time field is missing or empty".to_owned())),
        };
        Ok(match arrival {
            Some(arrival) if time > arrival.after(MAX_AHEAD) => EventTime {
                time: arrival,
                is_clamped: true,
            },
            _ => EventTime {
                time,
                is_clamped: false,
            },
        })
    }

    /// Adds the row of a post of the source with this number.
    pub(crate) fn add(
        &mut self,
        source: u32,
        post: &Post<'_>,
        processed: &Processed<'_>,
        time: Timestamp,
        primary: f64,
    ) {
        let Self {
            rules,
            fields,
            terms,
            table,
            tag,
            ..
        } = self;
        let readable = &processed.readable;
        for ((group_by, field), dimension) in rules.group_by.iter().zip(fields).zip(0..) {
            match group_by {
                GroupBy::All => table.add_key(dimension, ""),
                GroupBy::Source => {
                    let name = rules.sources.get(source as usize);
                    table.add_key(dimension, name.map_or("", String::as_str));
                }
                GroupBy::Tag => {
                    let has_tags = for_each_tag(readable, tag, |tag| table.add_key(dimension, tag));
                    if !has_tags {
                        table.add_key(dimension, "");
                    }
                }
                GroupBy::Track => {
                    let mut has_terms = false;
                    for &term in processed.terms {
                        let term = terms.get(term as usize);
                        table.add_key(dimension, term.map_or("", String::as_str));
                        has_terms = true;
                    }
                    if !has_terms {
                        table.add_key(dimension, "");
                    }
                }
                GroupBy::Lang => {
                    let lang = processed.lang.as_ref();
                    table.add_key(dimension, lang.map_or("", Lang::as_str));
                }
                GroupBy::Field(_) => {
                    let mut room = MAX_VALUES;
                    post.for_each_value(ValuesOf::Extra(*field), |value| {
                        if room > 0 {
                            table.add_key(dimension, beginning(value));
                            room -= 1;
                        }
                    });
                    if room == MAX_VALUES {
                        table.add_key(dimension, "");
                    }
                }
            }
        }
        for_each_tag(readable, tag, |tag| table.add_tag(tag));
        let figures = Figures {
            time,
            // A primary score is in −1..1, which has a score.
            score: Score::from_f64(primary).unwrap_or_default(),
            class: Class::of(primary),
        };
        let is_shown = self.rules.keeps_texts && figures.score != Score::ZERO;
        let text = if is_shown { beginning(post.text()) } else { "" };
        let id = post.id().filter(|id| !id.is_empty());
        self.table.add_row(figures, id, text);
    }
}

/// Calls `add` with each of the first hashtags of a text, lowercased in `buffer`. Returns whether there is any.
fn for_each_tag(text: &str, buffer: &mut String, mut add: impl FnMut(&str)) -> bool {
    let mut has_tags = false;
    for tag in hashtags(text).take(MAX_TAGS) {
        buffer.clear();
        lowercase_into(tag, buffer);
        add(buffer);
        has_tags = true;
    }
    has_tags
}

fn unfit(reason: String) -> Unfit {
    Unfit {
        reason,
        kind: RejectKind::Time,
    }
}

/// At most [`MAX_TEXT`] bytes of a text or value, in whole characters.
fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}
