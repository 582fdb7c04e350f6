//! The side of a state that only reads: queries beside a run, or after it.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction};

use super::error::StateError;
use super::place::{beside, resolve, uri};
use super::rows::{
    Extent, FileRow, GroupRow, PaneRow, Series, SeriesId, SourceRow, StoredAlert, StoredGap,
};
use super::schema;
use super::select::{self, Which};

/// A state that is read, while a run writes it or after it was killed.
#[derive(Debug)]
pub struct StateReader {
    conn: Connection,
    path: PathBuf,
    /// Whether the file is read as one that nobody writes.
    is_still: bool,
}

impl StateReader {
    /// Opens a state to read it.
    ///
    /// A file that nobody writes can be read in a folder that this user may not write. One that a killed run left behind
    /// can be read there as well, as long as its `-wal` and `-shm` files are beside it.
    ///
    /// # Errors
    /// If there is none, or it is not a state of this version.
    pub fn open(path: &Path) -> Result<StateReader, StateError> {
        if !path.exists() {
            return Err(StateError::Missing {
                path: path.to_owned(),
            });
        }
        let path = resolve(path)?;
        let reader = |conn, is_still| StateReader {
            conn,
            path: path.clone(),
            is_still,
        };
        let conn = schema::open_read_only(&path, &path)?;
        match schema::check(&conn, &path) {
            Ok(()) => Ok(reader(conn, false)),
            Err(StateError::Unopenable { .. } | StateError::ReadOnly { .. }) if has_log(&path) => {
                Err(StateError::Unclosed { path })
            }
            // SQLite cannot make the files that go with a log. Without a log, there is nothing in them.
            Err(StateError::Unopenable { .. } | StateError::ReadOnly { .. }) => {
                let conn = schema::open_read_only(&path, Path::new(&uri(&path, "immutable=1")))?;
                schema::check(&conn, &path)?;
                Ok(reader(conn, true))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the state as it is now: what is asked of it is answered from the same commit.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, StateError> {
        let sql = |error| StateError::sql(&self.path, error);
        let transaction = self.conn.unchecked_transaction().map_err(sql)?;
        let snapshot = Snapshot {
            reader: self,
            transaction,
        };
        // A transaction begins with its first reading.
        snapshot.read(|conn| {
            conn.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0))
        })?;
        Ok(snapshot)
    }
}

fn has_log(path: &Path) -> bool {
    fs::symlink_metadata(beside(path, "-wal")).is_ok()
}

/// A state as it was at one commit. A run that writes it meanwhile cannot shorten its log, so keep it for seconds at most.
#[derive(Debug)]
pub struct Snapshot<'a> {
    reader: &'a StateReader,
    transaction: Transaction<'a>,
}

impl Snapshot<'_> {
    /// Returns all series, from the first to the present one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn all_series(&self) -> Result<Vec<Series>, StateError> {
        self.read(select::all_series)
    }

    /// Returns the sources by their names.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn sources(&self) -> Result<Vec<SourceRow>, StateError> {
        self.read(select::sources)
    }

    /// Returns the groups of a series by their numbers.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn groups(&self, series: SeriesId) -> Result<Vec<GroupRow>, StateError> {
        self.read(|conn| select::groups(conn, series))
    }

    /// Returns which panes of each width a series has, from the narrowest.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn extents(&self, series: SeriesId) -> Result<Vec<Extent>, StateError> {
        self.read(|conn| select::extents(conn, series))
    }

    /// Passes the panes of some groups of a series that are `factor` wide and have a number in the range, by their numbers
    /// and groups.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn panes(
        &self,
        series: SeriesId,
        factor: i64,
        range: &Range<i64>,
        which: Which,
        mut visit: impl FnMut(PaneRow),
    ) -> Result<(), StateError> {
        self.read(|conn| select::panes(conn, (series, factor), range, which, &mut visit))
    }

    /// Returns the youngest alerts of a range of times, at most `limit`, from the oldest to the youngest.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn alerts(&self, range: &Range<i64>, limit: u32) -> Result<Vec<StoredAlert>, StateError> {
        self.read(|conn| select::alerts(conn, range, limit))
    }

    /// Returns the files beside the state, and how much of them counts.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn files(&self) -> Result<Vec<FileRow>, StateError> {
        self.read(select::files)
    }

    /// Returns the gaps of all sources in the order in which they were found.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn gaps(&self) -> Result<Vec<StoredGap>, StateError> {
        self.read(select::gaps)
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let path = &self.reader.path;
        let value = work(&self.transaction).map_err(|error| StateError::sql(path, error))?;
        if self.reader.is_still && has_log(path) {
            return Err(StateError::Changed { path: path.clone() });
        }
        Ok(value)
    }
}
