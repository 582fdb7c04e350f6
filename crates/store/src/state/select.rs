//! What is read from a state, by whoever writes it and by whoever looks at it.

use std::ops::Range;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::rows::{
    AlertRow, Delivery, Extent, FileRow, GapRow, GroupRow, PaneRow, Series, SeriesId, SourceRow,
    StoredAlert, StoredGap,
};

/// Which groups of a series are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those of a dimension.
    Dimension(u16),
    /// One.
    Group(u32),
}

/// The codes of [`Delivery`] in the column of that name.
pub(super) mod delivery {
    pub(in super::super) const NONE: i64 = 0;
    pub(in super::super) const DUE: i64 = 1;
    pub(in super::super) const DELIVERED: i64 = 2;
    pub(in super::super) const GIVEN_UP: i64 = 3;
}

fn collect<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    conn.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn series_of(row: &Row<'_>) -> rusqlite::Result<Series> {
    Ok(Series {
        id: SeriesId(row.get(0)?),
        fingerprint: row.get(1)?,
        rules: row.get(2)?,
        began: row.get(3)?,
        watermark: row.get(4)?,
        is_closed: row.get(5)?,
    })
}

pub(super) fn all_series(conn: &Connection) -> rusqlite::Result<Vec<Series>> {
    let sql = "SELECT id, fingerprint, rules, began, watermark, is_closed FROM series ORDER BY id";
    collect(conn, sql, [], series_of)
}

pub(super) fn open_series(conn: &Connection) -> rusqlite::Result<Option<Series>> {
    let sql =
        "SELECT id, fingerprint, rules, began, watermark, is_closed FROM series WHERE NOT is_closed
               ORDER BY id DESC LIMIT 1";
    conn.prepare_cached(sql)?
        .query_row([], series_of)
        .optional()
}

pub(super) fn sources(conn: &Connection) -> rusqlite::Result<Vec<SourceRow>> {
    let sql = "SELECT name, position, books, greatest, status FROM source ORDER BY name";
    collect(conn, sql, [], |row| {
        Ok(SourceRow {
            name: row.get(0)?,
            position: row.get(1)?,
            books: row.get(2)?,
            greatest: row.get(3)?,
            status: row.get(4)?,
        })
    })
}

pub(super) fn groups(conn: &Connection, series: SeriesId) -> rusqlite::Result<Vec<GroupRow>> {
    let sql = "SELECT id, dimension, value FROM cohort WHERE series = ?1 ORDER BY id";
    collect(conn, sql, [series.0], |row| {
        Ok(GroupRow {
            id: row.get(0)?,
            dimension: row.get(1)?,
            value: row.get(2)?,
        })
    })
}

pub(super) fn files(conn: &Connection) -> rusqlite::Result<Vec<FileRow>> {
    collect(
        conn,
        "SELECT role, path, len FROM file ORDER BY id",
        [],
        |row| {
            let len: i64 = row.get(2)?;
            Ok(FileRow {
                role: row.get(0)?,
                path: row.get(1)?,
                len: len.cast_unsigned(),
            })
        },
    )
}

pub(super) fn alert_states(conn: &Connection) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    collect(
        conn,
        "SELECT rule, state FROM alert_state ORDER BY rule",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(super) fn extents(conn: &Connection, series: SeriesId) -> rusqlite::Result<Vec<Extent>> {
    // One step in the index per answer, however many panes there are.
    let mut factors =
        conn.prepare_cached("SELECT min(factor) FROM pane WHERE series = ?1 AND factor > ?2")?;
    let sql = "SELECT (SELECT min(pane) FROM pane WHERE series = ?1 AND factor = ?2),
                      (SELECT max(pane) FROM pane WHERE series = ?1 AND factor = ?2)";
    let mut ends = conn.prepare_cached(sql)?;
    let mut extents = Vec::new();
    let mut after = 0;
    while let Some(factor) = factors.query_row(params![series.0, after], |row| row.get(0))? {
        let (first, last) = ends.query_row(params![series.0, factor], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        extents.push(Extent {
            factor,
            first,
            last,
        });
        after = factor;
    }
    Ok(extents)
}

/// Passes the panes of a range in the order of their numbers and groups.
pub(super) fn panes(
    conn: &Connection,
    (series, factor): (SeriesId, i64),
    range: &Range<i64>,
    which: Which,
    visit: &mut dyn FnMut(PaneRow),
) -> rusqlite::Result<()> {
    let (sql, wanted) = match which {
        Which::All => ("?5 = ?5", 0),
        Which::Group(group) => ("cohort = ?5", i64::from(group)),
        Which::Dimension(dimension) => (
            "cohort IN (SELECT id FROM cohort WHERE series = ?1 AND dimension = ?5)",
            i64::from(dimension),
        ),
    };
    let sql = format!(
        "SELECT pane, cohort, cell FROM pane
         WHERE series = ?1 AND factor = ?2 AND pane >= ?3 AND pane < ?4 AND {sql} ORDER BY pane, cohort"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![series.0, factor, range.start, range.end, wanted])?;
    while let Some(row) = rows.next()? {
        visit(PaneRow {
            factor,
            pane: row.get(0)?,
            group: row.get(1)?,
            cell: row.get(2)?,
        });
    }
    Ok(())
}

fn alert_of(row: &Row<'_>) -> rusqlite::Result<StoredAlert> {
    let why: Option<String> = row.get(8)?;
    let code = row.get(5)?;
    let delivery = match code {
        delivery::NONE => Delivery::None,
        delivery::DUE => Delivery::Due {
            attempts: row.get(6)?,
            next: row.get(7)?,
            why,
        },
        delivery::DELIVERED => Delivery::Delivered,
        delivery::GIVEN_UP => Delivery::GivenUp {
            why: why.unwrap_or_default(),
        },
        other => {
            return Err(rusqlite::Error::FromSqlConversionFailure(
                5,
                Type::Integer,
                format!("{other}").into(),
            ));
        }
    };
    Ok(StoredAlert {
        id: row.get(0)?,
        series: SeriesId(row.get(1)?),
        alert: AlertRow {
            at: row.get(2)?,
            rule: row.get(3)?,
            body: row.get(4)?,
            is_due: code == delivery::DUE,
        },
        delivery,
    })
}

/// The youngest alerts of a range of times, from the oldest to the youngest.
pub(super) fn alerts(
    conn: &Connection,
    range: &Range<i64>,
    limit: u32,
) -> rusqlite::Result<Vec<StoredAlert>> {
    let sql = "SELECT id, series, at, rule, body, delivery, attempts, next, why FROM alert
               WHERE at >= ?1 AND at < ?2 ORDER BY id DESC LIMIT ?3";
    let mut alerts = collect(conn, sql, params![range.start, range.end, limit], alert_of)?;
    alerts.reverse();
    Ok(alerts)
}

pub(super) fn due(conn: &Connection, now: i64, limit: u32) -> rusqlite::Result<Vec<StoredAlert>> {
    let sql = "SELECT id, series, at, rule, body, delivery, attempts, next, why FROM alert
               WHERE delivery = 1 AND next <= ?1 ORDER BY next, id LIMIT ?2";
    collect(conn, sql, params![now, limit], alert_of)
}

pub(super) fn gaps(conn: &Connection) -> rusqlite::Result<Vec<StoredGap>> {
    collect(
        conn,
        "SELECT source, began, ended, why, count FROM gap ORDER BY id",
        [],
        |row| {
            let count: i64 = row.get(4)?;
            Ok(StoredGap {
                gap: GapRow {
                    source: row.get(0)?,
                    from: row.get(1)?,
                    to: row.get(2)?,
                    why: row.get(3)?,
                },
                count: count.cast_unsigned(),
            })
        },
    )
}
