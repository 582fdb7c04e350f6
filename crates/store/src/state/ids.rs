//! The last ids of each scope, in chunks, so that a commit writes little more than what is new.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

/// A chunk with fewer ids is filled up by the next commit; this bounds how many there are.
const SMALL: usize = 1024;
/// No chunk has more, so that the oldest can be let go in pieces.
const LARGE: usize = 1 << 16;

/// Appends new ids to those of a scope, and lets go whole chunks of old ones as long as `keep` remain.
pub(super) fn append(
    conn: &Connection,
    scope: &str,
    new: &[u64],
    keep: usize,
) -> rusqlite::Result<()> {
    let mut bytes = Vec::new();
    let sql = "SELECT id, hashes FROM ids WHERE scope = ?1 AND count < ?2
               AND id = (SELECT max(id) FROM ids WHERE scope = ?1)";
    let last: Option<(i64, Vec<u8>)> = conn
        .prepare_cached(sql)?
        .query_row(params![scope, SMALL.cast_signed() as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((id, hashes)) = last {
        conn.prepare_cached("DELETE FROM ids WHERE id = ?1")?
            .execute([id])?;
        bytes = hashes;
    }
    bytes.extend(new.iter().flat_map(|id| id.to_le_bytes()));
    // The chunk that was deleted was the scope's youngest, so whatever number this one gets is greater than all others.
    let mut insert =
        conn.prepare_cached("INSERT INTO ids (scope, count, hashes) VALUES (?1, ?2, ?3)")?;
    for chunk in bytes.chunks(LARGE * 8) {
        insert.execute(params![
            scope,
            (chunk.len() / 8).cast_signed() as i64,
            chunk
        ])?;
    }
    trim(conn, scope, keep)
}

fn trim(conn: &Connection, scope: &str, keep: usize) -> rusqlite::Result<()> {
    let keep = keep.cast_signed() as i64;
    let mut total: i64 = conn
        .prepare_cached("SELECT sum(count) FROM ids WHERE scope = ?1")?
        .query_row([scope], |row| row.get(0))?;
    while total > keep {
        let (id, count): (i64, i64) = conn
            .prepare_cached("SELECT id, count FROM ids WHERE scope = ?1 ORDER BY id LIMIT 1")?
            .query_row([scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if total - count < keep {
            break;
        }
        conn.prepare_cached("DELETE FROM ids WHERE id = ?1")?
            .execute([id])?;
        total -= count;
    }
    Ok(())
}

/// Returns the ids of each scope, from the oldest to the youngest.
pub(super) fn all(conn: &Connection) -> rusqlite::Result<Vec<(String, Vec<u64>)>> {
    let mut scopes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut statement = conn.prepare("SELECT scope, hashes FROM ids ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let ids = scopes.entry(row.get(0)?).or_default();
        let (chunks, _) = row.get_ref(1)?.as_blob()?.as_chunks();
        ids.extend(chunks.iter().map(|bytes| u64::from_le_bytes(*bytes)));
    }
    Ok(scopes.into_iter().collect())
}
