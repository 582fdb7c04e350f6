//! From the schema of an older version to the present one.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::StateError;
use super::place::{beside, uri};
use crate::syncer::sync_name;

/// The SQL that leads from version 1 to 2, from 2 to 3, and so on.
const MIGRATIONS: &[&str] = &[];

/// The version of the present schema.
pub(super) const VERSION: i64 = 1 + MIGRATIONS.len().cast_signed() as i64;

/// Brings an older file to the present schema in one transaction, after a copy of it was put beside it as
/// `STATE.before-vN`.
pub(super) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StateError> {
    migrate_by(conn, path, MIGRATIONS)
}

fn migrate_by(conn: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StateError> {
    let sql = |error| StateError::sql(path, error);
    let found: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(sql)?;
    let done = usize::try_from(found - 1).unwrap_or(0);
    let missing = migrations.get(done..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let version = 1 + migrations.len();
    copy(conn, path, &beside(path, &format!(".before-v{version}")))?;
    let transaction = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sql)?;
    for migration in missing {
        transaction.execute_batch(migration).map_err(sql)?;
    }
    transaction
        .pragma_update(None, "user_version", version.cast_signed() as i64)
        .map_err(sql)?;
    transaction.commit().map_err(sql)
}

/// Copies by means of `SQLite`: to open and close the file otherwise would release the locks of this process on it.
fn copy(conn: &Connection, path: &Path, to: &Path) -> Result<(), StateError> {
    let io = |error| StateError::io(to, &error);
    match fs::remove_file(to) {
        // What an attempt left that did not come to its end.
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(io)?;
    conn.execute("VACUUM INTO ?1", [uri(to, "mode=rw")])
        .map_err(|error| StateError::sql(path, error))?;
    file.sync_all().and_then(|()| sync_name(to)).map_err(io)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::state::schema::{create, open_read_write};

    const ADD_NOTE: &str = "ALTER TABLE source ADD COLUMN note TEXT NOT NULL DEFAULT 'none'";
    const FAIL: &str =
        "ALTER TABLE source ADD COLUMN other TEXT; ALTER TABLE nothing ADD COLUMN note TEXT";

    fn state() -> (tempfile::TempDir, PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        create(&path).unwrap();
        let conn = open_read_write(&path).unwrap();
        conn.execute("INSERT INTO source VALUES ('a', NULL, x'01', 5, '{}')", [])
            .unwrap();
        (folder, path, conn)
    }

    fn version(conn: &Connection) -> i64 {
        conn.pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    fn columns(conn: &Connection) -> usize {
        conn.prepare("SELECT * FROM source").unwrap().column_count()
    }

    #[test]
    fn an_older_state_is_brought_up_to_date_after_a_copy_of_it() {
        let (_folder, path, mut conn) = state();
        migrate_by(
            &mut conn,
            &path,
            &[ADD_NOTE, "UPDATE source SET note = note || '!'"],
        )
        .unwrap();
        assert_eq!(version(&conn), 3);
        let note: String = conn
            .query_row("SELECT note FROM source", [], |row| row.get(0))
            .unwrap();
        assert_eq!(note, "none!");

        let copy = Connection::open(beside(&path, ".before-v3")).unwrap();
        assert_eq!((version(&copy), columns(&copy)), (1, 5));
        migrate_by(
            &mut conn,
            &path,
            &[ADD_NOTE, "UPDATE source SET note = note || '!'"],
        )
        .unwrap();
        assert_eq!(version(&conn), 3, "once is enough");
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let (_folder, path, mut conn) = state();
        migrate_by(&mut conn, &path, &[ADD_NOTE, FAIL]).unwrap_err();
        assert_eq!((version(&conn), columns(&conn)), (1, 5));
        migrate_by(&mut conn, &path, &[ADD_NOTE]).unwrap();
        assert_eq!((version(&conn), columns(&conn)), (2, 6));
    }
}
