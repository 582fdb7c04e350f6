//! Formats rows as tables.

use std::fmt::Write as _;

use moodring_live::history::{WindowRow, spelled};

use crate::human::grouped;
use crate::visible::visible;

/// Maximum number of characters of a group that are shown.
const GROUP_WIDTH: usize = 24;

/// A table, and which of its columns contain numbers.
pub(super) struct Table {
    names: Vec<&'static str>,
    numbers: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns a table with these columns. A name that begins with `#` marks a column of numbers.
    pub(super) fn new(columns: &[&'static str]) -> Self {
        Self {
            names: columns
                .iter()
                .map(|name| name.trim_start_matches('#'))
                .collect(),
            numbers: columns.iter().map(|name| name.starts_with('#')).collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Returns the table as text, without columns that are empty in every row.
    pub(super) fn render(&self) -> String {
        let shown: Vec<usize> = (0..self.names.len())
            .filter(|&at| self.rows.iter().any(|row| !row[at].is_empty()))
            .collect();
        let wide = |text: &str| console::measure_text_width(text);
        let widths: Vec<usize> = shown
            .iter()
            .map(|&at| {
                let cells = self.rows.iter().map(|row| wide(&row[at]));
                cells.max().unwrap_or(0).max(wide(self.names[at]))
            })
            .collect();
        let mut page = String::new();
        let mut line = |cell: &dyn Fn(usize) -> String| {
            let start = page.len();
            for (&at, &width) in shown.iter().zip(&widths) {
                let cell = cell(at);
                let pad = " ".repeat(width.saturating_sub(wide(&cell)));
                let gap = if page.len() == start { "" } else { "  " };
                let _ = if self.numbers[at] {
                    write!(page, "{gap}{pad}{cell}")
                } else {
                    write!(page, "{gap}{cell}{pad}")
                };
            }
            page.truncate(page.trim_end_matches(' ').len());
            page.push('\n');
        };
        if !self.rows.is_empty() {
            line(&|at| self.names[at].to_owned());
        }
        for row in &self.rows {
            line(&|at| row[at].clone());
        }
        page
    }
}

/// Returns the windows as a table.
pub(super) fn windows(rows: &[WindowRow]) -> String {
    if rows.is_empty() {
        return "no windows\n".to_owned();
    }
    let has_several = rows.iter().any(|row| row.series != rows[0].series);
    let mut table = Table::new(&[
        "#series",
        "start",
        "width",
        "group",
        "#posts",
        "#mean",
        "#positive",
        "#negative",
        "state",
    ]);
    for row in rows {
        let share = |part: u64| percent(part, row.count);
        let series = row.series.filter(|_| has_several);
        table.push(vec![
            series.map(|series| series.to_string()).unwrap_or_default(),
            row.start.to_string(),
            spelled(row.end.since(row.start)),
            console::truncate_str(&visible(&row.group), GROUP_WIDTH, "…").into_owned(),
            grouped(row.count),
            format!("{:+.4}", row.mean),
            share(row.positive),
            share(row.negative),
            state(row),
        ]);
    }
    table.render()
}

/// Returns the remarks on a window, such as that it is not final.
fn state(row: &WindowRow) -> String {
    use moodring_window::WindowState::{Corrected, Final, Provisional};
    let mut state = match row.state {
        Provisional => "provisional".to_owned(),
        Final => String::new(),
        Corrected => format!("corrected by {}", grouped(row.rev)),
    };
    if row.partial {
        state = if state.is_empty() {
            "partial".to_owned()
        } else {
            format!("partial, {state}")
        };
    }
    state
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with one decimal"
)]
fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be_and_empty_ones_are_left_out() {
        let mut table = Table::new(&["name", "#count", "why"]);
        table.push(vec!["a".to_owned(), "1,000".to_owned(), String::new()]);
        table.push(vec!["longer".to_owned(), "7".to_owned(), String::new()]);
        assert_eq!(
            table.render(),
            "name    count\na       1,000\nlonger      7\n"
        );
    }
}
