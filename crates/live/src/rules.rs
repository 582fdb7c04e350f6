//! The rules of a series of windows, as they are saved with it.

use std::time::Duration;

use moodring_window::{BadGrid, Grid, TimeZone};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What makes the windows of a series: everything that a query must know, and everything that two runs must have in common
/// to continue the same series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesRules {
    /// What two runs must have in common.
    pub kind: SeriesKind,
    /// The width of the windows that the user asked for, in milliseconds: a multiple of the slide.
    pub window_ms: u64,
    /// For how long late posts correct final panes, in milliseconds.
    pub corrections_ms: u64,
    /// How many tags are kept apart in each pane and group.
    pub max_tags: usize,
}

/// What two runs must have in common to continue the same series: their panes can be merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesKind {
    /// The width of a pane, in milliseconds.
    pub slide_ms: u64,
    /// The time zone whose days the panes are aligned to; without it they are aligned to the epoch in UTC.
    pub align: Option<String>,
    /// The dimensions, as `--group-by` spells them.
    pub group_by: Vec<String>,
    /// The terms that are tracked, in order.
    pub track: Vec<String>,
    /// The models with all that their scores depend on: their names, versions, and checksums of lists of words.
    pub models: Vec<String>,
    /// The steps of cleaning, in order.
    pub clean: Vec<String>,
    /// The languages that are kept; all if there are none.
    pub lang: Vec<String>,
    /// The fields that the text and the time are read from, unless a source names its own, and the zone of times without one.
    pub fields: [Option<String>; 3],
}

/// Rules of a series that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadRules {
    /// They are not what this program writes.
    #[error("the rules of the series are damaged")]
    Damaged(#[from] serde_json::Error),
    /// There is no such time zone in this program.
    #[error("there is no time zone `{0}`")]
    TimeZone(String),
    /// The panes have an impossible width.
    #[error(transparent)]
    Grid(#[from] BadGrid),
}

impl SeriesRules {
    /// Returns what two runs must have in common, as text.
    ///
    /// # Errors
    /// Never in practice; what serde says.
    pub fn fingerprint(&self) -> Result<String, BadRules> {
        Ok(serde_json::to_string(&self.kind)?)
    }

    /// Returns the rules as they are saved.
    ///
    /// # Errors
    /// Never in practice; what serde says.
    pub fn to_json(&self) -> Result<String, BadRules> {
        Ok(serde_json::to_string(self)?)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// If it is something else.
    pub fn from_json(json: &str) -> Result<Self, BadRules> {
        Ok(serde_json::from_str(json)?)
    }

    /// The panes.
    ///
    /// # Errors
    /// If their width or their time zone cannot be.
    pub fn grid(&self) -> Result<Grid, BadRules> {
        let width = Duration::from_millis(self.kind.slide_ms);
        Ok(match &self.kind.align {
            None => Grid::utc(width)?,
            Some(name) => {
                let zone = TimeZone::get(name).map_err(|_| BadRules::TimeZone(name.clone()))?;
                Grid::days(width, zone)?
            }
        })
    }

    /// How many panes a window has; at least 1.
    #[must_use]
    pub fn length(&self) -> i64 {
        let panes = self.window_ms / self.kind.slide_ms.max(1);
        i64::try_from(panes).unwrap_or(i64::MAX).max(1)
    }
}
