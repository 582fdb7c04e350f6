//! Points in event time, and reading them from the notations that posts use.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z. Displays as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

const MICROS_PER_SECOND: i64 = 1_000_000;

impl Timestamp {
    /// 0000-01-01T00:00:00Z, the earliest point that can be written.
    pub const MIN: Self = Self(-62_167_219_200 * MICROS_PER_SECOND);
    /// 9999-12-30T22:00:00Z, the latest point that can be written in every time zone.
    pub const MAX: Self = Self(253_402_207_200 * MICROS_PER_SECOND);

    /// The point `micros` microseconds after the epoch, clamped to [`MIN`](Self::MIN)..=[`MAX`](Self::MAX).
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// The point `span` later, or [`MAX`](Self::MAX).
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(micros(span)))
    }

    /// The point `span` earlier, or [`MIN`](Self::MIN).
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(micros(span)))
    }

    /// How far this point is past `earlier`; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// Reads a time in any of the notations that posts use:
    ///
    /// - RFC 3339, also with a space for the `T`, without seconds, without a time of day (midnight), and with an offset
    ///   written `+0100`, `+01` or ` +01:00`;
    /// - seconds, milliseconds or microseconds since 1970, told apart by their size, with or without a fraction;
    /// - the format of Twitter's API, `Tue Feb 24 11:35:52 +0000 2015`.
    ///
    /// A time without an offset is in `zone`. A local time that a change of clocks skips is taken with the offset before
    /// the change, and one that occurs twice is the first.
    ///
    /// # Errors
    /// If the text is none of these, or names a day or time that does not exist.
    ///
    /// ```
    /// use jiff::tz::TimeZone;
    /// use moodring_window::Timestamp;
    ///
    /// let time = Timestamp::parse("2015-02-24 11:35:52 -0800", &TimeZone::UTC)?;
    /// assert_eq!(time.to_string(), "2015-02-24T19:35:52Z");
    /// assert_eq!(Timestamp::parse("1424806552", &TimeZone::UTC)?, time);
    /// # Ok::<(), moodring_window::BadTime>(())
    /// ```
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, BadTime> {
        let trimmed = text.trim();
        let first = trimmed.bytes().next().ok_or(BadTime::Empty)?;
        let parsed = if first.is_ascii_alphabetic() {
            parse_twitter(trimmed)
        } else if looks_like_date(trimmed.as_bytes()) {
            parse_date(trimmed, zone)
        } else {
            parse_epoch(trimmed)
        };
        parsed.ok_or_else(|| BadTime::Unreadable(trimmed.chars().take(60).collect()))
    }
}

impl From<SystemTime> for Timestamp {
    /// The point that a clock shows; the epoch for one that is set before it.
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH);
        Self::from_micros(since_epoch.map_or(0, micros))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadTime {
    /// There is nothing to read.
    #[error("the time is empty")]
    Empty,
    /// It is in no known notation, or names a day or time that does not exist.
    #[error(
        "`{0}` is no time; write RFC 3339 (2026-11-24T09:00:00Z), seconds since 1970, or Twitter's format"
    )]
    Unreadable(String),
}

/// A span in whole microseconds, at most what an `i64` holds.
pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Whether a text begins with `YYYY-`.
fn looks_like_date(text: &[u8]) -> bool {
    text.len() > 4 && text[..4].iter().all(u8::is_ascii_digit) && text[4] == b'-'
}

/// Reads from the front of a text.
struct Cursor<'t>(&'t str);

impl<'t> Cursor<'t> {
    /// The next `len` characters as a number, if they are digits.
    fn digits(&mut self, len: usize) -> Option<i16> {
        let digits = self.0.get(..len)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = &self.0[len..];
        digits.parse().ok()
    }

    fn skip(&mut self, prefix: char) -> Option<()> {
        self.0 = self.0.strip_prefix(prefix)?;
        Some(())
    }

    fn word(&mut self) -> Option<&'t str> {
        let (word, rest) = self.0.split_once(' ').unwrap_or((self.0, ""));
        self.0 = rest.trim_start_matches(' ');
        Some(word).filter(|word| !word.is_empty())
    }

    /// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`: hour, minute, second and nanosecond. A leap second counts as the one
    /// before it.
    fn time_of_day(&mut self) -> Option<(i8, i8, i8, i32)> {
        let hour = self.digits(2)?;
        self.skip(':')?;
        let minute = self.digits(2)?;
        let mut second = 0;
        let mut nanos = 0;
        if self.skip(':').is_some() {
            second = self.digits(2)?;
            if let Some(rest) = self.0.strip_prefix(['.', ',']) {
                let len = rest.bytes().take_while(u8::is_ascii_digit).count();
                nanos = fraction(&rest[..len], 9)?;
                self.0 = &rest[len..];
            }
        }
        if second == 60 {
            (second, nanos) = (59, 999_999_999);
        }
        Some((
            i8::try_from(hour).ok()?,
            i8::try_from(minute).ok()?,
            i8::try_from(second).ok()?,
            i32::try_from(nanos).ok()?,
        ))
    }

    /// `Z`, `±hh`, `±hhmm` or `±hh:mm`, and nothing behind it.
    fn offset(&mut self) -> Option<Offset> {
        let rest = self.0.trim_start_matches(' ');
        if matches!(rest, "Z" | "z" | "UTC" | "GMT") {
            return Some(Offset::UTC);
        }
        let sign = match rest.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let mut cursor = Cursor(&rest[1..]);
        let hours = i32::from(cursor.digits(2)?);
        let colon = cursor.skip(':').is_some();
        let minutes = if cursor.0.is_empty() && !colon {
            0
        } else {
            i32::from(cursor.digits(2)?)
        };
        if !cursor.0.is_empty() || minutes > 59 {
            return None;
        }
        let seconds = sign * (hours * 3600 + minutes * 60);
        Offset::from_seconds(seconds).ok()
    }
}

/// Up to `places` digits behind a decimal point as an integer in units of the last place; further digits are cut off.
fn fraction(digits: &str, places: u32) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = &digits[..digits.len().min(places as usize)];
    let missing = places - u32::try_from(kept.len()).ok()?;
    Some(kept.parse::<i64>().ok()? * 10_i64.pow(missing))
}

fn parse_date(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let mut cursor = Cursor(text);
    let year = cursor.digits(4)?;
    cursor.skip('-')?;
    let month = cursor.digits(2)?;
    cursor.skip('-')?;
    let day = cursor.digits(2)?;
    let mut time = (0, 0, 0, 0);
    let mut offset = None;
    if !cursor.0.is_empty() {
        cursor.0 = cursor.0.strip_prefix(['T', 't', ' '])?;
        time = cursor.time_of_day()?;
        if !cursor.0.trim_start_matches(' ').is_empty() {
            offset = Some(cursor.offset()?);
        }
    }
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let civil = DateTime::new(year, month, day, time.0, time.1, time.2, time.3).ok()?;
    at(civil, offset, zone)
}

fn at(civil: DateTime, offset: Option<Offset>, zone: &TimeZone) -> Option<Timestamp> {
    let instant = match offset {
        Some(offset) => offset.to_timestamp(civil).ok()?,
        None => zone.to_timestamp(civil).ok()?,
    };
    in_range(instant.as_microsecond())
}

fn in_range(micros: i64) -> Option<Timestamp> {
    let range = Timestamp::MIN.0..=Timestamp::MAX.0;
    range.contains(&micros).then_some(Timestamp(micros))
}

/// Seconds, milliseconds or microseconds. Seconds reach to the year 5138 before they would be taken for milliseconds.
fn parse_epoch(text: &str) -> Option<Timestamp> {
    let (whole, behind) = text.split_once('.').unwrap_or((text, "0"));
    let (is_negative, digits) = match whole.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, whole),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let places = match number {
        0..100_000_000_000 => 6,
        100_000_000_000..100_000_000_000_000 => 3,
        _ => 0,
    };
    let fraction = match places {
        0 => fraction(behind, 9).map(|_| 0)?,
        places => fraction(behind, places)?,
    };
    let micros = number.checked_mul(10_i64.pow(places))? + fraction;
    in_range(if is_negative { -micros } else { micros })
}

/// `Tue Feb 24 11:35:52 +0000 2015`.
fn parse_twitter(text: &str) -> Option<Timestamp> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut cursor = Cursor(text);
    let weekday = cursor.word()?;
    if !DAYS.contains(&weekday) {
        return None;
    }
    let month = cursor.word()?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day = cursor.word()?.parse().ok()?;
    let mut time = Cursor(cursor.word()?);
    let (hour, minute, second, nanos) = time.time_of_day()?;
    let offset = Cursor(cursor.word()?).offset()?;
    let year = cursor.word()?;
    if !time.0.is_empty() || !cursor.0.is_empty() || year.len() != 4 {
        return None;
    }
    let month = i8::try_from(month).ok()?;
    let civil = DateTime::new(year.parse().ok()?, month, day, hour, minute, second, nanos);
    at(civil.ok()?, Some(offset), &TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> String {
        match Timestamp::parse(text, &TimeZone::UTC) {
            Ok(time) => time.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_notation_of_one_instant_is_read_as_it() {
        for text in [
            "2015-02-24T19:35:52Z",
            "2015-02-24t19:35:52z",
            "2015-02-24 19:35:52",
            " 2015-02-24 19:35:52 UTC ",
            "2015-02-24 11:35:52 -0800",
            "2015-02-24T11:35:52-08:00",
            "2015-02-24T11:35:52-08",
            "2015-02-25T01:05:52.000000+05:30",
            "1424806552",
            "1424806552.0",
            "1424806552000",
            "1424806552000000",
            "Tue Feb 24 19:35:52 +0000 2015",
            "Tue Feb 24 11:35:52 -0800 2015",
        ] {
            assert_eq!(utc(text), "2015-02-24T19:35:52Z", "{text}");
        }
    }

    #[test]
    fn fractions_reach_to_the_microsecond() {
        assert_eq!(
            utc("2015-02-24T19:35:52.1234567Z"),
            "2015-02-24T19:35:52.123456Z"
        );
        assert_eq!(utc("1424806552.5"), "2015-02-24T19:35:52.5Z");
        assert_eq!(utc("1424806552123"), "2015-02-24T19:35:52.123Z");
        assert_eq!(utc("-0.5"), "1969-12-31T23:59:59.5Z");
    }

    #[test]
    fn a_day_alone_is_its_midnight() {
        assert_eq!(utc("2015-02-24"), "2015-02-24T00:00:00Z");
        assert_eq!(utc("2015-02-24 19:35"), "2015-02-24T19:35:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2015-02-30",
            "2015-02-24T25:00:00Z",
            "2015-02-24T19:35:52 PST",
            "2015-02-24T19:35:52Z and more",
            "2015-02-24T19:35:52+1",
            "2015-02-24T19:35:52+01:99",
            "15-02-24",
            "1424806552x",
            "1e9",
            "99999999999999999999",
            "-",
            ".5",
            "Tue Feb 24 19:35:52 2015",
            "Tue Smarch 24 19:35:52 +0000 2015",
            "２０１５-02-24",
        ] {
            assert!(Timestamp::parse(text, &TimeZone::UTC).is_err(), "{text}");
        }
    }

    #[test]
    fn a_local_time_is_in_the_given_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let read = |text| Timestamp::parse(text, &berlin).unwrap().to_string();
        assert_eq!(read("2026-07-01 12:00:00"), "2026-07-01T10:00:00Z");
        assert_eq!(read("2026-07-01T12:00:00Z"), "2026-07-01T12:00:00Z");
        // Skipped by the change of clocks, and occurring twice.
        assert_eq!(read("2026-03-29 02:30:00"), "2026-03-29T01:30:00Z");
        assert_eq!(read("2026-10-25 02:30:00"), "2026-10-25T00:30:00Z");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let time = Timestamp::from_micros(micros);
            proptest::prop_assert_eq!(Timestamp::parse(&time.to_string(), &TimeZone::UTC), Ok(time));
        }

        #[test]
        fn a_clock_shows_a_time_in_range(seconds in -1_000_000_000_000..1_000_000_000_000_i64) {
            let length = Duration::from_secs(seconds.unsigned_abs());
            let epoch = SystemTime::UNIX_EPOCH;
            let clock = if seconds < 0 { epoch - length } else { epoch + length };
            let expected = seconds.max(0).saturating_mul(MICROS_PER_SECOND);
            proptest::prop_assert_eq!(Timestamp::from(clock), Timestamp::from_micros(expected));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[0-9TZ:+. -]{0,40}") {
            let _ = Timestamp::parse(&text, &TimeZone::UTC);
        }
    }
}
