//! A series as it is saved, and how fine it still is.

use std::time::Duration;

use moodring_store::state::{Extent, Series};
use moodring_window::{Grid, PaneIndex, Timestamp};

use super::error::HistoryError;
use crate::rules::SeriesRules;

/// A series with its rules.
#[derive(Debug, Clone)]
pub struct SavedSeries {
    /// As it is saved.
    pub series: Series,
    /// Its rules.
    pub rules: SeriesRules,
    /// Its panes.
    pub grid: Grid,
}

/// Why the oldest windows are not shown: they would need finer panes than are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// The series.
    pub series: i64,
    /// Since when windows are shown.
    pub since: Timestamp,
    /// How wide the panes before that are.
    pub width: Duration,
}

impl SavedSeries {
    /// Reads the rules of a series.
    ///
    /// # Errors
    /// If they are damaged.
    pub fn new(series: Series) -> Result<Self, HistoryError> {
        let rules = SeriesRules::from_json(&series.rules)?;
        let grid = rules.grid()?;
        Ok(Self {
            series,
            rules,
            grid,
        })
    }

    /// The last pane that is final; all of them in a series that another one has followed.
    pub(super) fn last_final(&self) -> Option<PaneIndex> {
        if self.series.is_closed {
            return Some(PaneIndex::MAX);
        }
        let watermark = self.series.watermark.map(Timestamp::from_micros)?;
        Some(self.grid.last_ended(watermark))
    }

    /// The first pane that was not final when another series followed this one.
    pub(super) fn first_partial(&self) -> Option<PaneIndex> {
        if !self.series.is_closed {
            return None;
        }
        let watermark = self.series.watermark.map(Timestamp::from_micros);
        Some(watermark.map_or(PaneIndex::MIN, |watermark| {
            self.grid.last_ended(watermark) + 1
        }))
    }

    /// The last of the panes that windows with this slide cannot be made of, as they are too wide.
    pub(super) fn last_coarse(
        &self,
        extents: &[Extent],
        slide: i64,
    ) -> Option<(Limited, PaneIndex)> {
        let is_coarse = |extent: &&Extent| slide % extent.factor != 0;
        let coarse = extents.iter().filter(is_coarse);
        let last = coarse.max_by_key(|extent| extent.last.saturating_add(1) * extent.factor)?;
        let after = last.last.saturating_add(1).saturating_mul(last.factor);
        let width = self.grid.width() * u32::try_from(last.factor).unwrap_or(u32::MAX);
        let limited = Limited {
            series: self.series.id.0,
            since: self.grid.start(after),
            width,
        };
        Some((limited, after - 1))
    }
}
