//! Numbers as a person reads them.

use std::time::Duration;

/// A count and its noun, as in `1 worker` and `2,400 records`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A rate, rounded and grouped.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and far below 2^63"
)]
pub(crate) fn rate(per_second: f64) -> String {
    grouped(per_second.max(0.0).round() as u64)
}

/// A size in units of 1024, as sizes are typed: `317 B`, `3.0 MiB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "a size is shown with one decimal"
)]
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be rounded to 1024.0 gets the next unit.
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// A time such as `12s`, `3m40s` or `5h02m`.
pub(crate) fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

/// A bar of `width` characters for the whole, in eighths of a character.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share is within 0..1"
)]
pub(crate) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 49_570, 1_234_567].map(grouped),
            ["0", "999", "1,000", "49,570", "1,234,567"]
        );
    }

    #[test]
    fn sizes_are_shown_in_the_units_in_which_they_are_typed() {
        assert_eq!(
            [0, 1023, 1024, 3 << 20, (1 << 20) - 1, 5 << 40].map(size),
            ["0 B", "1023 B", "1.0 KiB", "3.0 MiB", "1.0 MiB", "5.0 TiB"]
        );
    }

    #[test]
    fn times_are_short() {
        assert_eq!(
            [12, 220, 18_120].map(|seconds| age(Duration::from_secs(seconds))),
            ["12s", "3m40s", "5h02m"]
        );
    }

    #[test]
    fn a_bar_has_the_length_of_its_share() {
        assert_eq!(bar(0.0, 24), "");
        assert_eq!(bar(0.5, 24).chars().count(), 12);
        assert_eq!(bar(1.0, 24).chars().count(), 24);
    }
}
