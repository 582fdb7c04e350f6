//! What keeps a state small, and what becomes of its alerts. Each call is one transaction of a bounded size.

use std::ops::Range;

use rusqlite::{ErrorCode, params};

use super::error::StateError;
use super::rows::{Extent, PaneRow, Series, SeriesId, StoredAlert};
use super::select::{self, delivery};
use super::writer::State;

/// What became of an attempt to deliver an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt<'a> {
    /// It was delivered.
    Delivered,
    /// It failed, and is to be tried again at a time by the clock.
    Retry {
        /// When.
        next: i64,
        /// What happened.
        why: &'a str,
    },
    /// It failed, and is not to be tried again.
    GivenUp {
        /// What happened.
        why: &'a str,
    },
}

impl State {
    /// Returns all series, from the first to the present one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn all_series(&self) -> Result<Vec<Series>, StateError> {
        self.read(select::all_series)
    }

    /// Returns which panes of each width a series has, from the narrowest.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn extents(&self, series: SeriesId) -> Result<Vec<Extent>, StateError> {
        self.read(|conn| select::extents(conn, series))
    }

    /// Replaces all panes of a series that are `factor` wide and have a number in the range by others of any width. The
    /// others must hold whatever the old ones did: to roll panes up, or to erase what was in them.
    ///
    /// # Errors
    /// [`StateError::PaneTaken`] if one of the new panes is there already and not among those that are replaced; others if
    /// the file cannot be written. Nothing is replaced then.
    pub fn replace_panes(
        &mut self,
        series: SeriesId,
        factor: i64,
        range: &Range<i64>,
        panes: &[PaneRow],
    ) -> Result<(), StateError> {
        let replaced = self.write(|conn| {
            conn.prepare_cached(
                "DELETE FROM pane WHERE series = ?1 AND factor = ?2 AND pane >= ?3 AND pane < ?4",
            )?
            .execute(params![series.0, factor, range.start, range.end])?;
            let sql =
                "INSERT INTO pane (series, factor, pane, cohort, cell) VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut insert = conn.prepare_cached(sql)?;
            for it in panes {
                insert.execute(params![series.0, it.factor, it.pane, it.group, it.cell])?;
            }
            Ok(())
        });
        match replaced {
            Err(StateError::Sql { path, source })
                if source.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) =>
            {
                Err(StateError::PaneTaken { path })
            }
            replaced => replaced,
        }
    }

    /// Deletes panes of a series that are `factor` wide and have a number below `below`, at most `limit` of them, and returns
    /// how many there were.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn trim_panes(
        &mut self,
        series: SeriesId,
        factor: i64,
        below: i64,
        limit: u32,
    ) -> Result<usize, StateError> {
        let sql = "DELETE FROM pane WHERE rowid IN (SELECT rowid FROM pane WHERE series = ?1 AND factor = ?2
                   AND pane < ?3 ORDER BY pane, cohort LIMIT ?4)";
        self.write(|conn| {
            conn.prepare_cached(sql)?
                .execute(params![series.0, factor, below, limit])
        })
    }

    /// Deletes the closed series that have no pane left, with their groups.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn trim_series(&mut self) -> Result<usize, StateError> {
        self.write(|conn| {
            let sql = "DELETE FROM series WHERE is_closed AND NOT EXISTS (SELECT 1 FROM pane WHERE series = series.id)";
            let deleted = conn.execute(sql, [])?;
            if deleted > 0 {
                conn.execute("DELETE FROM cohort WHERE series NOT IN (SELECT id FROM series)", [])?;
            }
            Ok(deleted)
        })
    }

    /// Deletes alerts and gaps from before a time, at most `limit` of each, and returns how many there were. Alerts that are
    /// still to be delivered go, too.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn trim_events(&mut self, before: i64, limit: u32) -> Result<usize, StateError> {
        let alerts = "DELETE FROM alert WHERE id IN (SELECT id FROM alert WHERE at < ?1 ORDER BY id LIMIT ?2)";
        let gaps = "DELETE FROM gap WHERE id IN (SELECT id FROM gap WHERE ended < ?1 ORDER BY id LIMIT ?2)";
        self.write(|conn| {
            Ok(conn
                .prepare_cached(alerts)?
                .execute(params![before, limit])?
                + conn.prepare_cached(gaps)?.execute(params![before, limit])?)
        })
    }

    /// Gives up to `pages` free pages (4 KiB each) back to the file system, and returns how many are still free.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn shrink(&mut self, pages: u32) -> Result<u64, StateError> {
        self.read(|conn| {
            // Each step of the statement frees a page.
            let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            let left: i64 = conn.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
            Ok(left.cast_unsigned())
        })
    }

    /// Writes what is in the log into the file and empties the log, so that nothing that was deleted or replaced is left in
    /// either. Returns `false` if a reader still needs the log: call again later.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn purge_log(&mut self) -> Result<bool, StateError> {
        self.read(|conn| {
            let busy: i64 =
                conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            Ok(busy == 0)
        })
    }

    /// Returns alerts that are to be delivered by now, at most `limit`: first those that have waited longest.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn due_alerts(&self, now: i64, limit: u32) -> Result<Vec<StoredAlert>, StateError> {
        self.read(|conn| select::due(conn, now, limit))
    }

    /// Notes what became of an attempt to deliver an alert.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn attempted(&mut self, alert: i64, attempt: Attempt<'_>) -> Result<(), StateError> {
        let (delivery, next, why) = match attempt {
            Attempt::Delivered => (delivery::DELIVERED, 0, None),
            Attempt::Retry { next, why } => (delivery::DUE, next, Some(why)),
            Attempt::GivenUp { why } => (delivery::GIVEN_UP, 0, Some(why)),
        };
        let sql = "UPDATE alert SET delivery = ?2, next = ?3, why = ?4, attempts = attempts + 1
                   WHERE id = ?1 AND delivery = 1";
        self.write(|conn| {
            conn.prepare_cached(sql)?
                .execute(params![alert, delivery, next, why])
        })?;
        Ok(())
    }
}
