//! `moodring query`: shows the results of a live run from its state file.

mod args;
mod rows;
mod table;

use std::io::{self, BufWriter, Write};

use anyhow::anyhow;
use moodring_live::history::{
    CsvWindows, HistoryError, WindowQuery, WindowRow, spelled, windows, write_json_line,
};
use moodring_store::state::{Snapshot, StateError, StateReader};

use crate::exit::{Failure, note};
use crate::streams::{Standard, was_closed};
pub(crate) use args::QueryArgs;
use args::{Shape, What};

/// Runs the command.
pub(crate) fn run(args: &QueryArgs) -> Result<(), Failure> {
    if was_closed(Standard::Output) {
        return Err(Failure::Usage(anyhow!("standard output is closed")));
    }
    let reader = StateReader::open(&args.state).map_err(state_failure)?;
    let snapshot = reader.snapshot().map_err(state_failure)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = match args.what {
        What::Windows => show_windows(&snapshot, args, &mut out),
        What::Alerts => rows::alerts(&snapshot, args, &mut out),
        What::Sources => rows::sources(&snapshot, args, &mut out),
        What::Late => rows::late(&snapshot, args, &mut out),
        What::Series => rows::series(&snapshot, args, &mut out),
    };
    let flushed = shown.and_then(|()| Ok(out.flush()?));
    flushed.map_err(failure)
}

fn show_windows(
    snapshot: &Snapshot<'_>,
    args: &QueryArgs,
    out: &mut impl Write,
) -> Result<(), HistoryError> {
    let query = WindowQuery {
        from: args.from,
        to: args.to,
        window: args.window,
        slide: args.slide,
        group_by: args.group_by.clone(),
        group: args.group.clone(),
        series: args.series.unwrap_or_default(),
    };
    let limited = match args.format {
        Shape::Csv => {
            let mut csv = CsvWindows::new(&mut *out)?;
            let limited = windows(snapshot, &query, &mut |row| csv.write(&row))?;
            csv.finish()?;
            limited
        }
        Shape::Jsonl => windows(snapshot, &query, &mut |row| write_json_line(out, &row))?,
        Shape::Table => {
            let mut rows: Vec<WindowRow> = Vec::new();
            let limited = windows(snapshot, &query, &mut |row| {
                rows.push(row);
                Ok(())
            })?;
            // The newest last, just above the prompt.
            rows.sort_by_key(|row| (row.start, row.end));
            out.write_all(table::windows(&rows).as_bytes())?;
            limited
        }
    };
    for limited in limited {
        note(&format!(
            "series {}: windows before {} are not shown, as only panes of {} are left there; ask for them with --window",
            limited.series,
            limited.since,
            spelled(limited.width)
        ));
    }
    Ok(())
}

/// Classifies an error as wrong usage or failure.
fn failure(error: HistoryError) -> Failure {
    match error {
        HistoryError::State(error) => state_failure(error),
        HistoryError::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Failure::OutputClosed
        }
        error @ (HistoryError::NoSeries { .. }
        | HistoryError::NoDimension { .. }
        | HistoryError::NotWhole { .. }
        | HistoryError::Uneven { .. }
        | HistoryError::TooFine { .. }) => Failure::usage(error),
        error => Failure::failed(error),
    }
}

fn state_failure(error: StateError) -> Failure {
    match error {
        error @ (StateError::Missing { .. }
        | StateError::NoFile { .. }
        | StateError::Foreign { .. }) => Failure::usage(error),
        error => Failure::failed(error),
    }
}
