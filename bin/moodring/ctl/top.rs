//! Shows runs again and again, in the place where they were shown before.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use console::Term;

use super::keys::{Keys, Woken};
use super::look::{Seen, look};
use super::protocol::RunStatus;
use super::show::{Rates, WIDTH, not_responding, table};
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

/// Shows the runs until there is none any more, or somebody presses `q`. Where standard output is no terminal, one page
/// follows the other.
pub(super) fn watch(pid: Option<u32>, interval: Duration) -> Result<(), Failure> {
    let term = Term::stdout();
    let in_place = io::stdout().is_terminal();
    let keys = if in_place {
        Keys::open().map_err(Failure::failed)?
    } else {
        None
    };
    let mut before: HashMap<u32, RunStatus> = HashMap::new();
    let (mut is_first, mut shown) = (true, 0);
    loop {
        // A run that was there and is not has ended: that is no error.
        let runs = match look(pid) {
            Ok(runs) => runs,
            Err(error) if is_first => return Err(Failure::Failed(error)),
            Err(_) => Vec::new(),
        };
        let (rows, columns) = term.size();
        let width = if in_place { columns.into() } else { WIDTH };
        let mut page = page(&runs, &before, width, is_first);
        if in_place {
            if keys.is_some() && !runs.is_empty() {
                page += "q: quit\n";
            }
            let lines = fitted(&page, rows, columns);
            term.clear_last_lines(shown).map_err(closed)?;
            shown = lines.len();
            page = lines.join("\n") + "\n";
        }
        io::stdout().write_all(page.as_bytes()).map_err(closed)?;
        io::stdout().flush().map_err(closed)?;
        if runs.is_empty() {
            return Ok(());
        }
        is_first = false;
        before = runs.into_iter().filter_map(answered).collect();
        match &keys {
            None => thread::sleep(interval),
            Some(keys) => match keys.wait(interval).map_err(Failure::failed)? {
                Woken::Key(b'q' | b'Q') => return Ok(()),
                Woken::Key(_) | Woken::Time => {}
                Woken::Signal(signal) => return Err(Failure::Interrupted(signal)),
            },
        }
    }
}

fn answered(seen: Seen) -> Option<(u32, RunStatus)> {
    match seen {
        Seen::Running(run) => Some((run.pid, *run)),
        Seen::NotResponding { .. } => None,
    }
}

fn page(runs: &[Seen], before: &HashMap<u32, RunStatus>, width: usize, is_first: bool) -> String {
    if runs.is_empty() {
        return if is_first {
            "there is no run\n".to_owned()
        } else {
            "the run has ended\n".to_owned()
        };
    }
    let page = |seen: &Seen| match seen {
        Seen::NotResponding { pid, why } => not_responding(*pid, why),
        Seen::Running(run) => {
            let rates = before
                .get(&seen.pid())
                .map(|before| Rates::between(before, run));
            table(run, &rates.unwrap_or_default(), width)
        }
    };
    runs.iter().map(page).collect()
}

/// The lines of the page that fit the terminal: a line that wraps, or one that scrolls away, could not be taken back.
fn fitted(page: &str, rows: u16, columns: u16) -> Vec<String> {
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
            fitted(page, 24, 80),
            ["one line", "another one", "the last"]
        );
        assert_eq!(fitted(page, 3, 4), ["one ", "anot"]);
        assert_eq!(fitted(page, 0, 0), [""]);
    }
}
