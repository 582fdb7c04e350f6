//! What all windows of a series have in common.

use std::time::Duration;

use moodring_window::{BadGrid, Grid, TimeZone};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The rules by which a series was made, as they are stored beside it: all that a query needs to read its panes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesRules {
    /// What makes two series different.
    pub identity: SeriesIdentity,
    /// The width of windows unless a query says otherwise, in milliseconds.
    pub window_ms: u64,
    /// For how long late posts corrected final windows, in milliseconds.
    pub corrections_ms: u64,
    /// How many tags of a pane are kept apart.
    pub max_tags: usize,
    /// How many groups each dimension has.
    pub max_groups: usize,
}

/// What makes two series different: their windows must never be merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesIdentity {
    /// The width of panes, in milliseconds.
    pub slide_ms: u64,
    /// The time zone to whose days panes are aligned.
    pub align: Option<String>,
    /// The dimensions, in the order of their numbers, as `--group-by` spells them.
    pub group_by: Vec<String>,
    /// The tracked terms.
    pub track: Vec<String>,
    /// The languages that are scored.
    pub lang: Vec<String>,
    /// The steps by which texts are cleaned.
    pub clean: String,
    /// The first model, with a checksum of its words.
    pub model: String,
    /// The version of the program that scores.
    pub scorer: String,
    /// The fields with the text and the time, by source where they differ.
    pub fields: Vec<String>,
    /// The time zone of times without one.
    pub time_zone: String,
}

/// Rules that make no grid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadRules {
    /// There is no such time zone.
    #[error(
        "there is no time zone `{0}`; write a name of the IANA database, such as Europe/Berlin"
    )]
    Zone(String),
    /// The width does not go.
    #[error(transparent)]
    Grid(#[from] BadGrid),
}

impl SeriesIdentity {
    /// Returns the text that two runs of the same series have in common.
    ///
    /// # Errors
    /// None in practice: all of it can be written as JSON.
    pub fn fingerprint(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl SeriesRules {
    /// Returns the panes of the series.
    ///
    /// # Errors
    /// [`BadRules`] if its width or time zone makes no sense.
    pub fn grid(&self) -> Result<Grid, BadRules> {
        let width = Duration::from_millis(self.identity.slide_ms);
        Ok(match &self.identity.align {
            Some(name) => {
                let zone = TimeZone::get(name).map_err(|_| BadRules::Zone(name.clone()))?;
                Grid::days(width, zone)?
            }
            None => Grid::utc(width)?,
        })
    }
}
