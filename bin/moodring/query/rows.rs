//! Shows sources, alerts, late posts and series.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use moodring_live::encoding::{decode_books, decode_position};
use moodring_live::history::{HistoryError, SavedSeries, spelled, write_json_line};
use moodring_store::state::{Delivery, Snapshot, StoredAlert};
use moodring_window::Timestamp;
use serde_json::Value;

use super::args::{QueryArgs, Shape};
use super::table::Table;
use crate::human::grouped;
use crate::visible::visible;

/// Maximum number of alerts that are shown.
const MAX_ALERTS: u32 = 10_000;

/// Writes the rows of a list in the chosen format. Each row is an object; null becomes an empty cell in a table.
fn write(
    args: &QueryArgs,
    out: &mut impl Write,
    columns: &[&'static str],
    rows: &[Value],
) -> Result<(), HistoryError> {
    let cell = |row: &Value, column: &str| match &row[column.trim_start_matches('#')] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if args.format == Shape::Table => {
            number.as_u64().map_or_else(|| number.to_string(), grouped)
        }
        other => other.to_string(),
    };
    match args.format {
        Shape::Jsonl => {
            for row in rows {
                write_json_line(out, row)?;
            }
        }
        Shape::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            let names = columns.iter().map(|name| name.trim_start_matches('#'));
            csv.write_record(names).map_err(io::Error::from)?;
            for row in rows {
                let cells = columns.iter().map(|column| cell(row, column));
                csv.write_record(cells).map_err(io::Error::from)?;
            }
            csv.flush()?;
        }
        Shape::Table => {
            let mut table = Table::new(columns);
            for row in rows {
                let cells = columns
                    .iter()
                    .map(|column| visible(&cell(row, column)).into_owned());
                table.push(cells.collect());
            }
            out.write_all(table.render().as_bytes())?;
        }
    }
    Ok(())
}

/// Shows the sources.
pub(super) fn sources(
    snapshot: &Snapshot<'_>,
    args: &QueryArgs,
    out: &mut impl Write,
) -> Result<(), HistoryError> {
    let gaps = snapshot.gaps()?;
    let mut rows = Vec::new();
    for source in snapshot.sources()? {
        let books = decode_books(&source.books)?;
        let position = source
            .position
            .as_deref()
            .map(decode_position)
            .transpose()?;
        let status: Value = serde_json::from_str(&source.status).unwrap_or_default();
        let text = |field: &str| status[field].as_str();
        let of_source = gaps.iter().filter(|gap| gap.gap.source == source.name);
        rows.push(serde_json::json!({
            "source": source.name,
            "state": text("state").unwrap_or("unknown"),
            "received": books.received,
            "on_time": books.on_time,
            "corrected": books.corrected,
            "late": books.late,
            "duplicate": books.duplicate,
            "filtered": books.filtered,
            "rejected": books.rejected,
            "quarantined": books.quarantined,
            "position": position.map(|position| position.offset),
            "gaps": of_source.map(|gap| gap.count).sum::<u64>(),
            "why": text("why"),
        }));
    }
    let columns = [
        "source",
        "state",
        "#received",
        "#on_time",
        "#corrected",
        "#late",
        "#duplicate",
        "#filtered",
        "#rejected",
        "#quarantined",
        "#position",
        "#gaps",
        "why",
    ];
    write(args, out, &columns, &rows)
}

/// Shows the alerts between --from and --to.
pub(super) fn alerts(
    snapshot: &Snapshot<'_>,
    args: &QueryArgs,
    out: &mut impl Write,
) -> Result<(), HistoryError> {
    let row = |stored: StoredAlert| {
        let delivery = match stored.delivery {
            Delivery::None => None,
            Delivery::Due { .. } => Some("due"),
            Delivery::Delivered => Some("delivered"),
            Delivery::GivenUp { .. } => Some("given up"),
        };
        let body: Value = serde_json::from_str(&stored.alert.body).unwrap_or_default();
        serde_json::json!({
            "id": stored.id,
            "series": stored.series.0,
            "at": Timestamp::from_micros(stored.alert.at).to_string(),
            "rule": stored.alert.rule,
            "event": body["event"],
            "delivery": delivery,
            "body": body,
        })
    };
    let alerts = snapshot.alerts(&range(args), MAX_ALERTS)?;
    let rows: Vec<Value> = alerts.into_iter().map(row).collect();
    let columns: &[&str] = if args.format == Shape::Table {
        &["#id", "at", "event", "rule", "delivery"]
    } else {
        &["#id", "#series", "at", "rule", "event", "delivery", "body"]
    };
    write(args, out, columns, &rows)
}

/// Returns the range from --from to --to, in microseconds.
fn range(args: &QueryArgs) -> Range<i64> {
    let micros = |time: Option<Timestamp>, ends: i64| time.map_or(ends, Timestamp::as_micros);
    micros(args.from, i64::MIN)..micros(args.to, i64::MAX)
}

/// Shows the series with their rules.
pub(super) fn series(
    snapshot: &Snapshot<'_>,
    args: &QueryArgs,
    out: &mut impl Write,
) -> Result<(), HistoryError> {
    let mut rows = Vec::new();
    for series in snapshot.all_series()? {
        let saved = SavedSeries::new(series)?;
        let (series, rules) = (&saved.series, &saved.rules);
        let time = |micros: i64| Timestamp::from_micros(micros).to_string();
        let millis = |millis: u64| spelled(Duration::from_millis(millis));
        rows.push(serde_json::json!({
            "series": series.id.0,
            "began": time(series.began),
            "state": if series.is_closed { "closed" } else { "open" },
            "watermark": series.watermark.map(time),
            "window": millis(rules.window_ms),
            "slide": millis(rules.kind.slide_ms),
            "group_by": rules.kind.group_by.join(" "),
            "models": rules.kind.models.join(" "),
            "track": rules.kind.track.join(","),
            "clean": rules.kind.clean.join(","),
            "lang": rules.kind.lang.join(","),
            "align": rules.kind.align,
        }));
    }
    let columns = [
        "#series",
        "began",
        "state",
        "watermark",
        "window",
        "slide",
        "group_by",
        "models",
        "track",
        "clean",
        "lang",
        "align",
    ];
    write(args, out, &columns, &rows)
}

/// Shows the posts that arrived too late, up to the committed length of their file.
pub(super) fn late(
    snapshot: &Snapshot<'_>,
    args: &QueryArgs,
    out: &mut impl Write,
) -> Result<(), HistoryError> {
    let range = range(args);
    let mut rows = Vec::new();
    for file in snapshot.files()? {
        // A file without committed bytes may not exist yet.
        if file.role == "late" && file.len > 0 {
            let path = Path::new(OsStr::from_bytes(&file.path));
            let read = read_late(path, file.len, &range, &mut rows);
            read.map_err(|source| HistoryError::LateFile {
                path: path.to_owned(),
                source,
            })?;
        }
    }
    let columns = ["time", "source", "#late_by", "#score", "id", "text"];
    write(args, out, &columns, &rows)
}

/// Appends the late posts of a time in `range` to `rows`. Reads the first `committed` bytes of their file.
fn read_late(
    path: &Path,
    committed: u64,
    range: &Range<i64>,
    rows: &mut Vec<Value>,
) -> io::Result<()> {
    let committed = File::open(path)?.take(committed);
    for line in BufReader::new(committed).lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let time = row["time"].as_str().unwrap_or_default();
        let time = Timestamp::parse(time, &moodring_window::TimeZone::UTC);
        if time.is_ok_and(|time| range.contains(&time.as_micros())) {
            rows.push(row);
        }
    }
    Ok(())
}
