//! Shows runs again and again, in the place where they were shown before.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use console::Term;

use super::protocol::RunStatus;
use super::show::{Rates, table};
use crate::exit::Failure;

/// The shortest time between two looks.
const MIN_INTERVAL: f64 = 0.1;

/// A number of seconds between two looks.
pub(super) fn parse_interval(typed: &str) -> Result<Duration, String> {
    typed
        .parse()
        .ok()
        .filter(|&seconds: &f64| (MIN_INTERVAL..=86_400.0).contains(&seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("give a number of seconds from {MIN_INTERVAL}, such as 1 or 0.5"))
}

/// Shows the runs until there is none any more. Where standard output is no terminal, one page follows the other.
pub(super) fn watch(pid: Option<u32>, interval: Duration) -> Result<(), Failure> {
    let term = Term::stdout();
    let in_place = io::stdout().is_terminal();
    let mut before: HashMap<u32, RunStatus> = HashMap::new();
    let mut shown = 0;
    loop {
        // A run that was there and is not has ended: that is no error.
        let runs = match super::look(pid) {
            Ok(runs) => runs,
            Err(error) if before.is_empty() => return Err(Failure::Failed(error)),
            Err(_) => Vec::new(),
        };
        let mut page = String::new();
        for run in &runs {
            let rates = before
                .get(&run.pid)
                .map(|before| Rates::between(before, run));
            page += &table(run, &rates.unwrap_or_default());
        }
        if runs.is_empty() {
            page += if before.is_empty() {
                "there is no run\n"
            } else {
                "the run has ended\n"
            };
        }
        if in_place {
            let lines = fitted(&page, term.size());
            term.clear_last_lines(shown).map_err(closed)?;
            shown = lines.len();
            page = lines.join("\n") + "\n";
        }
        io::stdout().write_all(page.as_bytes()).map_err(closed)?;
        io::stdout().flush().map_err(closed)?;
        if runs.is_empty() {
            return Ok(());
        }
        before = runs.into_iter().map(|run| (run.pid, run)).collect();
        thread::sleep(interval);
    }
}

/// The lines of the page that fit the terminal: a line that wraps, or one that scrolls away, could not be taken back.
fn fitted(page: &str, (rows, columns): (u16, u16)) -> Vec<String> {
    let most = usize::from(rows.max(2)) - 1;
    page.lines()
        .take(most)
        .map(|line| console::truncate_str(line, usize::from(columns), "").into_owned())
        .collect()
}

fn closed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_fits_any_terminal() {
        let page = "one line\nanother one\nthe last\n";
        assert_eq!(
            fitted(page, (24, 80)),
            ["one line", "another one", "the last"]
        );
        assert_eq!(fitted(page, (3, 4)), ["one ", "anot"]);
        assert_eq!(fitted(page, (0, 0)), [""]);
    }
}
