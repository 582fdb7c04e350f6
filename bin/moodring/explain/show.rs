//! An explanation for a person: a line per token, with colours where they can be seen.

use std::io::{self, IsTerminal, Write};

use super::explanation::{Explanation, Step, Sum, Token};
use crate::visible::visible;

/// Writes the text that explanations are about.
pub(super) fn title(page: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(page, "{}", visible(text))
}

/// Writes the explanation. Colours are left out where standard output is no terminal or `NO_COLOR` is set.
pub(super) fn write(page: &mut dyn Write, explanation: &Explanation) -> io::Result<()> {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let paint = Paint {
        active: io::stdout().is_terminal() && !plain,
    };
    writeln!(
        page,
        "{}: {}",
        paint.bold(&visible(&explanation.model)),
        explanation.sentiment
    )?;
    for token in &explanation.tokens {
        write_token(page, token, paint)?;
    }
    for Sum { name, value } in &explanation.sums {
        writeln!(page, "  {:>8}  {name}", number(*value))?;
    }
    let scores = explanation
        .scores
        .iter()
        .map(|Sum { name, value }| format!("{name} {value}"));
    writeln!(
        page,
        "  {}",
        paint.bold(&scores.collect::<Vec<_>>().join("  "))
    )
}

fn write_token(page: &mut dyn Write, token: &Token, paint: Paint) -> io::Result<()> {
    let value = token.value.filter(|_| !token.rules.is_empty());
    let shown = format!("{:>8}", value.map(number).unwrap_or_default());
    writeln!(
        page,
        "  {}  {}",
        paint.by_sign(&shown, value),
        visible(&token.text)
    )?;
    for Step { rule, value } in &token.rules {
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

/// A signed number with as many decimals as tell something.
fn number(value: f64) -> String {
    let shown = format!("{value:+.4}");
    let shown = shown.trim_end_matches('0').trim_end_matches('.');
    if matches!(shown, "+0" | "-0") {
        "0".to_owned()
    } else {
        shown.to_owned()
    }
}

/// ECMA-48 colours, or none.
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

    /// Green for what is good, red for what is bad.
    fn by_sign(self, text: &str, value: Option<f64>) -> String {
        match value {
            Some(value) if value > 0.0 => self.with("32", text),
            Some(value) if value < 0.0 => self.with("31", text),
            _ => text.to_owned(),
        }
    }
}
