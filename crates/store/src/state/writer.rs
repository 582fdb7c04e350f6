//! The side of a state that writes: the run whose state it is.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::error::StateError;
use super::place::{Lock, identity, resolve};
use super::rows::{Beginning, Commit, FileRow, GapRow, PaneRow, Restored, Series, SeriesId};
use super::select::{self, Which, delivery};
use super::{ids, migrate, schema};

/// How many ids of each scope are kept unless [`State::keep_ids`] says otherwise.
const IDS: usize = 1_000_000;
/// How many files of a role are kept in mind; of rolled files, the youngest.
const FILES: i64 = 10_000;
/// How many gaps of a source are kept apart.
const GAPS: i64 = 1000;

/// The state of a live run. One process at a time has it; others may [read](super::StateReader) it meanwhile.
///
/// What a method has done when it returns is on the disk, and of what failed nothing is done.
#[derive(Debug)]
pub struct State {
    // Before the lock, as fields are dropped in this order.
    conn: Connection,
    path: PathBuf,
    identity: Option<(u64, u64)>,
    series: SeriesId,
    id: String,
    keep_ids: usize,
    _lock: Lock,
}

impl State {
    /// Opens a state, or creates it. The last series is continued if it has this fingerprint; otherwise it is closed, and a
    /// new one with these rules begins now.
    ///
    /// # Errors
    /// [`StateError`], and nothing is changed, if another process has it, or it is not a sound state of this version or an
    /// older one.
    pub fn open(
        path: &Path,
        fingerprint: &str,
        rules: &str,
        now: i64,
    ) -> Result<(State, Restored), StateError> {
        let path = resolve(path)?;
        let lock = Lock::take(&path)?;
        if fs::metadata(&path).map_or(0, |it| it.len()) == 0 {
            schema::create(&path)?;
        }
        check(&path)?;
        let mut conn = schema::open_read_write(&path)?;
        migrate::migrate(&mut conn, &path)?;
        let (id, restored) = restore(&mut conn, (fingerprint, rules), now)
            .map_err(|error| StateError::sql(&path, error))?;
        let state = State {
            conn,
            identity: identity(&path),
            path,
            series: restored.series.id,
            id,
            keep_ids: IDS,
            _lock: lock,
        };
        Ok((state, restored))
    }

    /// Sets how many ids of each scope are kept, at least.
    pub fn keep_ids(&mut self, ids: usize) {
        self.keep_ids = ids;
    }

    /// Returns the real path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a name that no other state has: together with the number of an alert it is a key for the whole world.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the present series.
    #[must_use]
    pub fn series(&self) -> SeriesId {
        self.series
    }

    /// Saves what changed since the last commit.
    ///
    /// # Errors
    /// [`StateError`], and nothing of it is saved. Where that [may pass](StateError::may_pass), the same commit can be tried
    /// again.
    pub fn commit(&mut self, commit: &Commit) -> Result<(), StateError> {
        let (series, keep_ids) = (self.series, self.keep_ids);
        self.write(|conn| {
            save_sources(conn, commit)?;
            save_panes(conn, series, commit)?;
            for (scope, new) in &commit.ids {
                ids::append(conn, scope, new, keep_ids)?;
            }
            save_files(conn, &commit.files)?;
            save_alerts(conn, series, commit)?;
            save_gaps(conn, &commit.gaps)
        })
    }

    /// Passes the panes of a series that are `factor` wide and have a number in the range, by their numbers and groups.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn panes(
        &self,
        series: SeriesId,
        factor: i64,
        range: &Range<i64>,
        mut visit: impl FnMut(PaneRow),
    ) -> Result<(), StateError> {
        self.read(|conn| select::panes(conn, (series, factor), range, Which::All, &mut visit))
    }

    /// Runs one transaction.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        if self.identity != identity(&self.path) {
            return Err(StateError::Replaced {
                path: self.path.clone(),
            });
        }
        let done = (|| {
            // Dropped on an error, it is rolled back.
            let transaction = self
                .conn
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        done.map_err(|error| StateError::sql(&self.path, error))
    }

    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        work(&self.conn).map_err(|error| StateError::sql(&self.path, error))
    }
}

/// Looks at all of the file before anything may change it.
fn check(path: &Path) -> Result<(), StateError> {
    schema::check_names(path)?;
    let conn = schema::open_read_only(path, path)?;
    schema::check(&conn, path)?;
    schema::check_pages(&conn, path)
}

fn restore(
    conn: &mut Connection,
    (fingerprint, rules): (&str, &str),
    now: i64,
) -> rusqlite::Result<(String, Restored)> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (beginning, series) = match select::open_series(&transaction)? {
        Some(series) if series.fingerprint == fingerprint => (Beginning::Continued, series),
        Some(mut last) => {
            transaction.execute("UPDATE series SET is_closed = 1 WHERE id = ?1", [last.id.0])?;
            // What they say is about windows of the series before.
            transaction.execute("DELETE FROM alert_state", [])?;
            last.is_closed = true;
            (
                Beginning::After(last),
                begin(&transaction, fingerprint, rules, now)?,
            )
        }
        None => (
            Beginning::New,
            begin(&transaction, fingerprint, rules, now)?,
        ),
    };
    let restored = Restored {
        beginning,
        sources: select::sources(&transaction)?,
        groups: select::groups(&transaction, series.id)?,
        ids: ids::all(&transaction)?,
        files: select::files(&transaction)?,
        alert_states: select::alert_states(&transaction)?,
        series,
    };
    let id = transaction.query_row("SELECT value FROM meta WHERE name = 'id'", [], |row| {
        row.get(0)
    })?;
    transaction.commit()?;
    Ok((id, restored))
}

fn begin(conn: &Connection, fingerprint: &str, rules: &str, now: i64) -> rusqlite::Result<Series> {
    conn.execute(
        "INSERT INTO series (fingerprint, rules, began) VALUES (?1, ?2, ?3)",
        params![fingerprint, rules, now],
    )?;
    Ok(Series {
        id: SeriesId(conn.last_insert_rowid()),
        fingerprint: fingerprint.to_owned(),
        rules: rules.to_owned(),
        began: now,
        watermark: None,
        is_closed: false,
    })
}

fn save_sources(conn: &Connection, commit: &Commit) -> rusqlite::Result<()> {
    let sql = "INSERT INTO source (name, position, books, greatest, status) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (name) DO UPDATE SET position = excluded.position, books = excluded.books,
               greatest = excluded.greatest, status = excluded.status";
    let mut save = conn.prepare_cached(sql)?;
    for it in &commit.sources {
        save.execute(params![
            it.name,
            it.position,
            it.books,
            it.greatest,
            it.status
        ])?;
    }
    Ok(())
}

fn save_panes(conn: &Connection, series: SeriesId, commit: &Commit) -> rusqlite::Result<()> {
    if let Some(watermark) = commit.watermark {
        // It never goes back.
        conn.prepare_cached(
            "UPDATE series SET watermark = max(ifnull(watermark, ?2), ?2) WHERE id = ?1",
        )?
        .execute(params![series.0, watermark])?;
    }
    let mut save = conn.prepare_cached(
        "INSERT INTO cohort (series, id, dimension, value) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for it in &commit.groups {
        save.execute(params![series.0, it.id, it.dimension, it.value])?;
    }
    let sql = "INSERT INTO pane (series, factor, pane, cohort, cell) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (series, factor, pane, cohort) DO UPDATE SET cell = excluded.cell";
    let mut save = conn.prepare_cached(sql)?;
    for it in &commit.panes {
        save.execute(params![series.0, it.factor, it.pane, it.group, it.cell])?;
    }
    Ok(())
}

fn save_files(conn: &Connection, files: &[FileRow]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO file (role, path, len) VALUES (?1, ?2, ?3)
               ON CONFLICT (role, path) DO UPDATE SET len = excluded.len";
    let mut save = conn.prepare_cached(sql)?;
    for it in files {
        save.execute(params![it.role, it.path, it.len.cast_signed()])?;
    }
    let sql = "DELETE FROM file WHERE id IN
               (SELECT id FROM file WHERE role = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)";
    if let Some(last) = files.last() {
        conn.prepare_cached(sql)?
            .execute(params![last.role, FILES])?;
    }
    Ok(())
}

fn save_alerts(conn: &Connection, series: SeriesId, commit: &Commit) -> rusqlite::Result<()> {
    let sql = "INSERT INTO alert (series, at, rule, body, delivery) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut save = conn.prepare_cached(sql)?;
    for it in &commit.alerts {
        let delivery = if it.is_due {
            delivery::DUE
        } else {
            delivery::NONE
        };
        save.execute(params![series.0, it.at, it.rule, it.body, delivery])?;
    }
    let sql = "INSERT INTO alert_state (rule, state) VALUES (?1, ?2)
               ON CONFLICT (rule) DO UPDATE SET state = excluded.state";
    let mut save = conn.prepare_cached(sql)?;
    for (rule, state) in &commit.alert_states {
        save.execute(params![rule, state])?;
    }
    Ok(())
}

/// Adds gaps. Where a source has too many, the oldest two become one.
fn save_gaps(conn: &Connection, gaps: &[GapRow]) -> rusqlite::Result<()> {
    for it in gaps {
        conn.prepare_cached(
            "INSERT INTO gap (source, began, ended, why, count) VALUES (?1, ?2, ?3, ?4, 1)",
        )?
        .execute(params![it.source, it.from, it.to, it.why])?;
        let count: i64 = conn
            .prepare_cached("SELECT count(*) FROM gap WHERE source = ?1")?
            .query_row([&it.source], |row| row.get(0))?;
        if count > GAPS {
            let sql =
                "SELECT id, began, ended, count FROM gap WHERE source = ?1 ORDER BY id LIMIT 1";
            let (id, began, ended, count): (i64, i64, i64, i64) =
                conn.prepare_cached(sql)?.query_row([&it.source], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?;
            conn.prepare_cached("DELETE FROM gap WHERE id = ?1")?
                .execute([id])?;
            let sql =
                "UPDATE gap SET began = min(began, ?2), ended = max(ended, ?3), count = count + ?4
                       WHERE id = (SELECT min(id) FROM gap WHERE source = ?1)";
            conn.prepare_cached(sql)?
                .execute(params![it.source, began, ended, count])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{GroupRow, SourceRow};

    #[test]
    fn a_commit_that_finds_no_space_leaves_nothing_and_can_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let (mut state, restored) = State::open(&path, "rules", "{}", 0).unwrap();
        let source = SourceRow {
            name: "a".to_owned(),
            position: None,
            books: Vec::new(),
            greatest: None,
            status: String::new(),
        };
        let group = GroupRow {
            id: 0,
            dimension: 0,
            value: None,
        };
        let pane = |pane| PaneRow {
            factor: 1,
            pane,
            group: 0,
            cell: vec![1; 5000],
        };
        let commit = Commit {
            watermark: Some(1),
            sources: vec![source],
            groups: vec![group],
            panes: (0..50).map(pane).collect(),
            ids: vec![("a".to_owned(), vec![1, 2, 3])],
            ..Commit::default()
        };
        // As if the disk had room for this many pages.
        state
            .conn
            .pragma_update_and_check(None, "max_page_count", 40, |_| Ok(()))
            .unwrap();
        let error = state.commit(&commit).unwrap_err();
        assert!(
            matches!(error, StateError::Full { .. }) && error.may_pass(),
            "{error}"
        );
        assert!(error.to_string().contains("free some space"), "{error}");
        drop(state);

        let (mut state, again) = State::open(&path, "rules", "{}", 0).unwrap();
        assert_eq!(
            again,
            Restored {
                beginning: Beginning::Continued,
                ..restored
            }
        );
        state.commit(&commit).unwrap();
        let mut panes = 0;
        state
            .panes(state.series(), 1, &(0..99), |_| panes += 1)
            .unwrap();
        assert_eq!(panes, 50);
    }
}
