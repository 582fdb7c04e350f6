//! A saved series, and where its panes are coarse.

use std::time::Duration;

use moodring_store::state::{Extent, Series};
use moodring_window::{Grid, PaneIndex, Timestamp};

use super::error::HistoryError;
use crate::rules::SeriesRules;

/// A series with its rules.
#[derive(Debug, Clone)]
pub struct SavedSeries {
    /// The saved series.
    pub series: Series,
    /// Its rules.
    pub rules: SeriesRules,
    /// Its panes.
    pub grid: Grid,
}

/// The oldest windows of a series, which are left out because they need finer panes than are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// The series.
    pub series: i64,
    /// The start of the first window that is returned.
    pub since: Timestamp,
    /// The width of the panes before that.
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

    /// Returns the last final pane. In a series that another one has followed, all panes are final.
    pub(super) fn last_final(&self) -> Option<PaneIndex> {
        if self.series.is_closed {
            return Some(PaneIndex::MAX);
        }
        let watermark = self.series.watermark.map(Timestamp::from_micros)?;
        Some(self.grid.last_ended(watermark))
    }

    /// Returns the first pane that was not final when another series followed this one.
    pub(super) fn first_partial(&self) -> Option<PaneIndex> {
        if !self.series.is_closed {
            return None;
        }
        let watermark = self.series.watermark.map(Timestamp::from_micros);
        Some(watermark.map_or(PaneIndex::MIN, |watermark| {
            self.grid.last_ended(watermark) + 1
        }))
    }

    /// Returns the last pane that is too wide for windows with this slide.
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
