//! Writes windows as CSV or JSON lines.

use std::io::{self, Write};

use serde::Serialize;

use super::window_row::WindowRow;

/// The columns of windows in CSV.
const COLUMNS: [&str; 22] = [
    "series",
    "group_by",
    "group",
    "other",
    "start",
    "end",
    "count",
    "mean",
    "std",
    "positive",
    "neutral",
    "negative",
    "p10",
    "p50",
    "p90",
    "top_tags",
    "top_tags_missing",
    "most_positive",
    "most_negative",
    "state",
    "rev",
    "partial",
];

/// Writes windows as CSV with a header. Lists are written as JSON in their cell, and a flag as `true` or empty.
#[derive(Debug)]
pub struct CsvWindows<W: Write>(csv::Writer<W>);

impl<W: Write> CsvWindows<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }

    /// Continues CSV whose header has been written.
    #[must_use]
    pub fn continued(out: W) -> Self {
        Self(csv::Writer::from_writer(out))
    }

    /// Writes a window.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, row: &WindowRow) -> io::Result<()> {
        let flag = |flag: bool| if flag { "true" } else { "" }.to_owned();
        let series = row.series.map(|series| series.to_string());
        let missing = Some(row.top_tags_missing).filter(|&missing| missing > 0);
        self.0.write_record([
            series.unwrap_or_default(),
            row.group_by.clone(),
            row.group.clone(),
            flag(row.other),
            row.start.to_string(),
            row.end.to_string(),
            row.count.to_string(),
            row.mean.to_string(),
            row.std.to_string(),
            row.positive.to_string(),
            row.neutral.to_string(),
            row.negative.to_string(),
            row.p10.to_string(),
            row.p50.to_string(),
            row.p90.to_string(),
            json(&row.top_tags)?,
            missing
                .map(|missing| missing.to_string())
                .unwrap_or_default(),
            json(&row.most_positive)?,
            json(&row.most_negative)?,
            // As in JSON, without the quotes.
            json(&row.state)?.trim_matches('"').to_owned(),
            row.rev.to_string(),
            flag(row.partial),
        ])?;
        Ok(())
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes a value as a line of JSON.
///
/// # Errors
/// If it cannot be written.
pub fn write_json_line(out: &mut impl Write, row: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

fn json(value: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)?)
}
