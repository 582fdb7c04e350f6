//! The tables of a state file: how they are made, and what is looked at before a file is believed to have them.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StateError;
use super::migrate::VERSION;
use super::place::beside;
use crate::syncer::sync_name;

/// `mood`, by which `file(1)` and we recognize a state.
const APPLICATION: i32 = 0x6d6f_6f64;

/// How long another connection may hold a lock, such as a reader that recovers the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tables with row ids throughout: with blobs, `WITHOUT ROWID` is many times slower. `ids` has chunks of ids as
/// 8 bytes each, little-endian, and the index answers what is in a scope without its blobs.
const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO meta VALUES ('id', lower(hex(randomblob(16))));
CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL, rules TEXT NOT NULL, began INTEGER NOT NULL,
    watermark INTEGER, is_closed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE source (
    name TEXT NOT NULL PRIMARY KEY, position BLOB, books BLOB NOT NULL, greatest INTEGER, status TEXT NOT NULL);
CREATE TABLE cohort (
    series INTEGER NOT NULL, id INTEGER NOT NULL, dimension INTEGER NOT NULL, value TEXT, UNIQUE (series, id));
CREATE TABLE pane (
    series INTEGER NOT NULL, factor INTEGER NOT NULL, pane INTEGER NOT NULL, cohort INTEGER NOT NULL,
    cell BLOB NOT NULL, UNIQUE (series, factor, pane, cohort));
CREATE TABLE ids (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, count INTEGER NOT NULL, hashes BLOB NOT NULL);
CREATE INDEX ids_of_scope ON ids (scope, id, count);
CREATE TABLE file (id INTEGER PRIMARY KEY, role TEXT NOT NULL, path BLOB NOT NULL, len INTEGER NOT NULL,
    UNIQUE (role, path));
CREATE TABLE alert (
    id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, at INTEGER NOT NULL, rule TEXT NOT NULL,
    body TEXT NOT NULL, delivery INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0,
    why TEXT);
CREATE INDEX alert_due ON alert (next, id) WHERE delivery = 1;
CREATE TABLE alert_state (rule TEXT NOT NULL PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE gap (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER NOT NULL, why TEXT NOT NULL,
    count INTEGER NOT NULL);
CREATE INDEX gap_of_source ON gap (source, id);
";

/// Creates an empty state. It has its name only once it is complete and on the disk, so no crash leaves half of one.
pub(super) fn create(path: &Path) -> Result<(), StateError> {
    for suffix in ["-wal", "-journal"] {
        let part = beside(path, suffix);
        if fs::symlink_metadata(&part).is_ok() {
            let path = path.to_owned();
            return Err(StateError::Orphan { path, part });
        }
    }
    let new = beside(path, ".new");
    for suffix in ["", "-journal", "-wal", "-shm"] {
        match fs::remove_file(beside(&new, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(StateError::io(&new, &error));
            }
            _ => {}
        }
    }
    let io = |error| StateError::io(path, &error);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(io)?;
    fill(&new).map_err(|error| StateError::sql(path, error))?;
    File::open(&new)
        .and_then(|file| file.sync_all())
        .map_err(io)?;
    fs::rename(&new, path).map_err(io)?;
    sync_name(path).map_err(io)
}

fn fill(path: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    conn.execute_batch(&format!(
        "BEGIN; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; {TABLES} COMMIT;"
    ))?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.close().map_err(|(_, error)| error)
}

/// Whether a file has one name only: changed under two of them, each with a log of its own, it would be damaged.
pub(super) fn check_names(path: &Path) -> Result<(), StateError> {
    let names = fs::metadata(path)
        .map_err(|error| StateError::io(path, &error))?
        .nlink();
    if names > 1 {
        return Err(StateError::Linked {
            path: path.to_owned(),
            names,
        });
    }
    Ok(())
}

/// Looks at a file without changing it, and says why it is no state that this program can use.
///
/// The connection must be one that can only read: it changes nothing, not even when it finds what a killed process left.
/// Nor may anybody open the file except by `SQLite`: closing it again would release the locks of this process on it
/// (<https://www.sqlite.org/howtocorrupt.html>, 2.2).
pub(super) fn check(conn: &Connection, path: &Path) -> Result<(), StateError> {
    let path_buf = || path.to_owned();
    let number = |pragma| {
        conn.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|error| match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => StateError::Foreign {
                    path: path_buf(),
                    why: "it is no SQLite database".to_owned(),
                },
                _ => StateError::sql(path, error),
            })
    };
    if number("application_id")? != i64::from(APPLICATION) {
        let why = "it is the SQLite database of another program".to_owned();
        return Err(StateError::Foreign {
            path: path_buf(),
            why,
        });
    }
    match number("user_version")? {
        found if found > VERSION => Err(StateError::Newer {
            path: path_buf(),
            found,
            known: VERSION,
        }),
        1.. => Ok(()),
        found => Err(StateError::Damaged {
            path: path_buf(),
            why: format!("its format is {found}"),
        }),
    }
}

/// Reads every page and says which does not fit the others.
pub(super) fn check_pages(conn: &Connection, path: &Path) -> Result<(), StateError> {
    let found: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| StateError::sql(path, error))?;
    if found == "ok" {
        return Ok(());
    }
    let why = found.lines().last().unwrap_or_default().to_owned();
    Err(StateError::Damaged {
        path: path.to_owned(),
        why,
    })
}

/// Opens a state to read it: by its path, or by a URI with parameters.
pub(super) fn open_read_only(path: &Path, name: &Path) -> Result<Connection, StateError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let failed = |error| StateError::sql(path, error);
    let conn = Connection::open_with_flags(name, flags).map_err(failed)?;
    conn.busy_timeout(PATIENCE).map_err(failed)?;
    conn.pragma_update(None, "trusted_schema", false)
        .map_err(failed)?;
    Ok(conn)
}

/// Opens a state to change it. What is committed is on the disk, and what is deleted is overwritten.
pub(super) fn open_read_write(path: &Path) -> Result<Connection, StateError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let settle = || {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(PATIENCE)?;
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "cell_size_check", true)?;
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        // After a checkpoint the log is cut to this many bytes.
        conn.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |_| Ok(()))?;
        // In KiB.
        conn.pragma_update(None, "cache_size", -8192)?;
        conn.set_prepared_statement_cache_capacity(64);
        Ok(conn)
    };
    settle().map_err(|error| StateError::sql(path, error))
}
