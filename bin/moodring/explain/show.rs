//! Prints an explanation for a person: one line per word and per rule, in color on a terminal.

use std::io::{self, IsTerminal, Write};

use moodring_score::{AppliedRule, ExplainedWord, Explanation, NamedValue};

use crate::visible::visible;

/// Writes the text that the explanations below it are about.
pub(super) fn title(page: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(page, "{}", visible(text))
}

/// Writes the explanation, without color if standard output is not a terminal or `NO_COLOR` is set.
pub(super) fn write(page: &mut dyn Write, explanation: &Explanation) -> io::Result<()> {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let paint = Paint {
        active: io::stdout().is_terminal() && !plain,
    };
    writeln!(
        page,
        "{}: {}",
        paint.bold(&visible(&explanation.model)),
        explanation.sentiment.name()
    )?;
    for word in &explanation.words {
        write_word(page, word, paint)?;
    }
    for NamedValue { name, value } in &explanation.steps {
        writeln!(page, "  {:>8}  {name}", number(*value))?;
    }
    let scores = explanation
        .scores
        .iter()
        .map(|NamedValue { name, value }| format!("{name} {value}"));
    writeln!(
        page,
        "  {}",
        paint.bold(&scores.collect::<Vec<_>>().join("  "))
    )
}

fn write_word(page: &mut dyn Write, word: &ExplainedWord, paint: Paint) -> io::Result<()> {
    let value = word.value.filter(|_| !word.rules.is_empty());
    let shown = format!("{:>8}", value.map(number).unwrap_or_default());
    writeln!(
        page,
        "  {}  {}",
        paint.by_sign(&shown, value),
        visible(&word.text)
    )?;
    for AppliedRule { rule, value } in &word.rules {
        let value = value.map(number).unwrap_or_default();
        writeln!(
            page,
            "  {:>8}    {} {}",
            "",
            visible(rule),
            paint.dim(&value)
        )?;
    }
    Ok(())
}

/// Returns the number with its sign and up to four decimals, without zeros at the end.
fn number(value: f64) -> String {
    let shown = format!("{value:+.4}");
    let shown = shown.trim_end_matches('0').trim_end_matches('.');
    if matches!(shown, "+0" | "-0") {
        "0".to_owned()
    } else {
        shown.to_owned()
    }
}

/// ECMA-48 colors, or none.
#[derive(Clone, Copy)]
struct Paint {
    active: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.active {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Paints positive values green and negative ones red.
    fn by_sign(self, text: &str, value: Option<f64>) -> String {
        match value {
            Some(value) if value > 0.0 => self.with("32", text),
            Some(value) if value < 0.0 => self.with("31", text),
            _ => text.to_owned(),
        }
    }
}
