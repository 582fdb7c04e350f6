//! Lengths of time as flags spell them.

use std::time::Duration;

/// The units, in milliseconds.
const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// A length of time as in `250ms`, `10s`, `1m`, `1h`, `30d` or `2w`: whole milliseconds.
pub(crate) fn parse_duration(typed: &str) -> Result<Duration, String> {
    let digits = typed.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = &typed[digits.len()..];
    let scale = UNITS.iter().find(|(name, _)| *name == unit);
    let number = digits.parse::<u64>().ok();
    number
        .zip(scale)
        .and_then(|(number, (_, scale))| number.checked_mul(*scale))
        .map(Duration::from_millis)
        .ok_or_else(|| {
            "give a whole number and a unit: ms, s, m, h, d or w, as in 10s or 15m".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        let parsed = ["250ms", "0s", "90s", "15m", "1h", "30d", "2w"];
        let parsed = parsed.map(|typed| parse_duration(typed).unwrap().as_millis());
        let expected = [
            250,
            0,
            90_000,
            900_000,
            3_600_000,
            2_592_000_000,
            1_209_600_000,
        ];
        assert_eq!(parsed, expected);
        for wrong in ["", "5", "m", "1.5h", "-1s", "1 s", "1S", "99999999999999w"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
