//! Keeps a state small: older panes are put together into wider ones, and the oldest are deleted.

use std::time::Duration;

use moodring_store::state::{Extent, PaneRow, Series, State};
use moodring_window::{Grid, Level, Timestamp, levels, roll_up};

use crate::encoding::{decode_cell, encode_cell};
use crate::error::LiveError;
use crate::rules::SeriesRules;
use crate::stream::BadSaved;

/// How many panes are deleted in one transaction.
const TRIM: u32 = 2000;
/// How many free pages are given back at a time.
const PAGES: u32 = 200;

/// What keeps a state small, step by step. Each step is a transaction or a few.
#[derive(Debug)]
pub(crate) struct Upkeep {
    grid: Grid,
    levels: Vec<Level>,
    max_tags: usize,
    /// For how long panes are kept.
    keep: Option<Duration>,
    watermark: Option<Timestamp>,
}

impl Upkeep {
    /// Has nothing to do before the watermark is known.
    pub(crate) fn new(
        grid: Grid,
        corrections: Duration,
        max_tags: usize,
        keep: Option<Duration>,
    ) -> Self {
        Self {
            levels: levels(grid.width(), corrections),
            grid,
            max_tags,
            keep: keep.map(|keep| keep.max(corrections)),
            watermark: None,
        }
    }

    /// Tells where the watermark of the present series is saved.
    pub(crate) fn advance(&mut self, watermark: Option<i64>) {
        self.watermark = watermark.map(Timestamp::from_micros);
    }

    /// Takes a step, and returns whether there is nothing left to do.
    pub(crate) fn step(&self, state: &mut State) -> Result<bool, LiveError> {
        let Some(watermark) = self.watermark else {
            return Ok(true);
        };
        let is_trimmed = self.trim(state, watermark)?;
        Ok(is_trimmed && self.roll_up(state, watermark)?)
    }

    /// Puts the panes of one wide pane of the present series together.
    fn roll_up(&self, state: &mut State, watermark: Timestamp) -> Result<bool, LiveError> {
        let series = state.series();
        for level in &self.levels {
            // All wide panes before this one have ended long enough ago.
            let ended = self.grid.last_ended(watermark.before(level.after)) + 1;
            let end = ended.div_euclid(level.factor);
            for Extent { factor, first, .. } in state.extents(series)? {
                let times = level.factor / factor;
                if factor >= level.factor || level.factor % factor != 0 {
                    continue;
                }
                let wide = first.div_euclid(times);
                if wide < end {
                    self.put_together(state, factor, (wide, times), level.factor)?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn put_together(
        &self,
        state: &mut State,
        factor: i64,
        (wide, times): (i64, i64),
        wide_factor: i64,
    ) -> Result<(), LiveError> {
        let series = state.series();
        let range = wide * times..(wide + 1) * times;
        let mut rows = Vec::new();
        state.panes(series, factor, &range, |row| rows.push(row))?;
        rows.sort_by_key(|row| (row.group, row.pane));
        let mut panes = Vec::new();
        for group in rows.chunk_by(|one, other| one.group == other.group) {
            let cells = group
                .iter()
                .map(|row| Ok((row.pane, decode_cell(&row.cell)?)));
            let cells: Result<Vec<_>, BadSaved> = cells.collect();
            let cells = cells.map_err(|error| LiveError::Saved {
                path: state.path().to_owned(),
                error,
            })?;
            for (pane, cell) in roll_up(cells, times, self.max_tags) {
                panes.push(PaneRow {
                    factor: wide_factor,
                    pane,
                    group: group[0].group,
                    cell: encode_cell(&cell)?,
                });
            }
        }
        Ok(state.replace_panes(series, factor, &range, &panes)?)
    }

    /// Deletes some of what is older than it is kept.
    fn trim(&self, state: &mut State, watermark: Timestamp) -> Result<bool, LiveError> {
        let Some(keep) = self.keep else {
            return Ok(true);
        };
        let oldest = watermark.before(keep);
        for series in state.all_series()? {
            let Some(grid) = self.grid_of(&series, state) else {
                continue;
            };
            let first = grid.pane_of(oldest);
            for extent in state.extents(series.id)? {
                let below = first.div_euclid(extent.factor);
                if extent.first < below {
                    state.trim_panes(series.id, extent.factor, below, TRIM)?;
                    return Ok(false);
                }
            }
        }
        state.trim_events(oldest.as_micros(), TRIM)?;
        state.trim_series()?;
        state.shrink(PAGES)?;
        Ok(true)
    }

    fn grid_of(&self, series: &Series, state: &State) -> Option<Grid> {
        if series.id == state.series() {
            return Some(self.grid.clone());
        }
        let rules = SeriesRules::from_json(&series.rules).ok()?;
        rules.grid().ok()
    }
}
