//! The panes that time is divided into.

use std::cell::Cell;
use std::time::Duration;

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use thiserror::Error;

use crate::time::{Timestamp, micros};

/// The number of a pane; the one that begins at the epoch (in a zone: with the day 1970-01-01) is 0.
pub type PaneIndex = i64;

/// A division of time into panes, each `[start, end)`, without gaps.
#[derive(Debug, Clone)]
pub struct Grid {
    kind: Kind,
    /// The last pane that was asked for: posts in a row mostly share it.
    last: Cell<(PaneIndex, Timestamp, Timestamp)>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Panes of this many microseconds, aligned to the epoch in UTC.
    Utc(i64),
    /// Panes of this many calendar days of a time zone, some of them with 23 or 25 hours.
    Days(i64, TimeZone),
}

/// A width that panes cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadGrid {
    /// Shorter than a millisecond, longer than 10,000 days, or not a whole number of milliseconds.
    #[error("`{0:?}` is no width for a window; it must be whole milliseconds, at most 10000 days")]
    Width(Duration),
    /// In a time zone, but not whole days.
    #[error("`{0:?}` is not a whole number of days; windows in a time zone must be")]
    NotDays(Duration),
}

const DAY: Duration = Duration::from_hours(24);
const MAX_WIDTH: Duration = Duration::from_hours(24 * 10_000);
const EPOCH: Date = Date::constant(1970, 1, 1);

impl Grid {
    /// Panes of `width`, aligned to 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// If the width is zero, not whole milliseconds, or more than 10,000 days.
    pub fn utc(width: Duration) -> Result<Self, BadGrid> {
        check(width)?;
        Ok(Self::new(Kind::Utc(micros(width))))
    }

    /// Panes of `width`, a whole number of days, which begin at midnight in `zone` (or, where the clocks skip midnight, at
    /// the first instant of the day).
    ///
    /// # Errors
    /// If the width is not a whole number of days, or more than 10,000 days.
    pub fn days(width: Duration, zone: TimeZone) -> Result<Self, BadGrid> {
        check(width)?;
        if !width.as_micros().is_multiple_of(DAY.as_micros()) {
            return Err(BadGrid::NotDays(width));
        }
        Ok(Self::new(Kind::Days(micros(width) / micros(DAY), zone)))
    }

    fn new(kind: Kind) -> Self {
        let mut grid = Self {
            kind,
            last: Cell::new((0, Timestamp::MIN, Timestamp::MIN)),
        };
        let first = (0, grid.start(0), grid.start(1));
        grid.last = Cell::new(first);
        grid
    }

    /// The nominal width of a pane. Panes of days may be an hour or so shorter or longer.
    #[must_use]
    pub fn width(&self) -> Duration {
        let micros = match &self.kind {
            Kind::Utc(width) => *width,
            Kind::Days(days, _) => days * micros(DAY),
        };
        Duration::from_micros(micros.unsigned_abs())
    }

    /// The pane that holds `time`.
    #[must_use]
    pub fn pane_of(&self, time: Timestamp) -> PaneIndex {
        let (pane, start, end) = self.last.get();
        if start <= time && time < end {
            return pane;
        }
        let pane = self.find_pane(time);
        self.last.set((pane, self.start(pane), self.end(pane)));
        pane
    }

    fn find_pane(&self, time: Timestamp) -> PaneIndex {
        match &self.kind {
            Kind::Utc(width) => time.as_micros().div_euclid(*width),
            Kind::Days(days, zone) => {
                let date = jiff::Timestamp::from_microsecond(time.as_micros())
                    .map_or(EPOCH, |time| zone.to_datetime(time).date());
                let mut pane = days_since_epoch(date).div_euclid(*days);
                // Where clocks are put back over midnight, a date occurs twice: the start of the next one decides.
                while self.start(pane) > time {
                    pane -= 1;
                }
                while self.end(pane) <= time && self.end(pane) < Timestamp::MAX {
                    pane += 1;
                }
                pane
            }
        }
    }

    /// When a pane begins.
    #[must_use]
    pub fn start(&self, pane: PaneIndex) -> Timestamp {
        match &self.kind {
            Kind::Utc(width) => Timestamp::from_micros(pane.saturating_mul(*width)),
            Kind::Days(days, zone) => start_of_day(pane.saturating_mul(*days), zone),
        }
    }

    /// When a pane ends: when the next one begins.
    #[must_use]
    pub fn end(&self, pane: PaneIndex) -> Timestamp {
        self.start(pane.saturating_add(1))
    }

    /// The last pane that has ended at `time`.
    #[must_use]
    pub fn last_ended(&self, time: Timestamp) -> PaneIndex {
        self.pane_of(time) - 1
    }
}

fn check(width: Duration) -> Result<(), BadGrid> {
    let is_whole = !width.is_zero() && width.as_nanos().is_multiple_of(1_000_000);
    if is_whole && width <= MAX_WIDTH {
        Ok(())
    } else {
        Err(BadGrid::Width(width))
    }
}

fn days_since_epoch(date: Date) -> i64 {
    EPOCH
        .until(date)
        .map_or(0, |span: Span| i64::from(span.get_days()))
}

/// The first instant of the day `days` after 1970-01-01.
fn start_of_day(days: i64, zone: &TimeZone) -> Timestamp {
    let ends = if days < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    let midnight = Span::new()
        .try_days(days)
        .and_then(|days| EPOCH.checked_add(days))
        .and_then(|date| zone.to_timestamp(date.at(0, 0, 0, 0)));
    midnight.map_or(ends, |time| Timestamp::from_micros(time.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn panes_are_aligned_to_the_epoch() {
        let grid = Grid::utc(Duration::from_mins(15)).unwrap();
        let pane = grid.pane_of(time("2015-02-24T19:35:52Z"));
        assert_eq!(grid.start(pane), time("2015-02-24T19:30:00Z"));
        assert_eq!(grid.end(pane), time("2015-02-24T19:45:00Z"));
        assert_eq!(grid.pane_of(time("1969-12-31T23:59:59Z")), -1);
    }

    #[test]
    fn a_day_with_a_change_of_clocks_has_23_or_25_hours() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let grid = Grid::days(DAY, zone).unwrap();
        let hours = |day: &str| {
            let pane = grid.pane_of(time(day));
            grid.end(pane).since(grid.start(pane)).as_secs() / 3600
        };
        assert_eq!(hours("2026-03-29T12:00:00Z"), 23);
        assert_eq!(hours("2026-10-25T12:00:00Z"), 25);
        assert_eq!(hours("2026-07-01T12:00:00Z"), 24);
        let pane = grid.pane_of(time("2026-06-30T22:00:00Z"));
        assert_eq!(grid.start(pane), time("2026-06-30T22:00:00Z"));
    }

    #[test]
    fn a_width_that_makes_no_sense_is_refused() {
        assert!(Grid::utc(Duration::ZERO).is_err());
        assert!(Grid::utc(Duration::from_micros(1500)).is_err());
        assert!(Grid::utc(MAX_WIDTH + DAY).is_err());
        assert_eq!(
            Grid::days(DAY / 2, TimeZone::UTC).unwrap_err(),
            BadGrid::NotDays(DAY / 2)
        );
    }

    fn grids() -> impl Strategy<Value = Grid> {
        // Zones that skip midnight, skip a day, repeat hours over midnight, or have odd offsets.
        let zones = prop::sample::select(vec![
            "America/Sao_Paulo",
            "Pacific/Apia",
            "America/Havana",
            "Asia/Kathmandu",
            "Africa/Monrovia",
            "America/Scoresbysund",
        ]);
        prop_oneof![
            (1..100_000_000_u64)
                .prop_map(|millis| Grid::utc(Duration::from_millis(millis)).unwrap()),
            (zones, 1..40_u32).prop_map(|(zone, days)| Grid::days(
                DAY * days,
                TimeZone::get(zone).unwrap()
            )
            .unwrap()),
        ]
    }

    proptest! {
        #[test]
        fn each_instant_is_in_the_pane_that_it_is_said_to_be_in(
            grid in grids(),
            micros in prop::collection::vec(-4_000_000_000_000_000..4_000_000_000_000_000_i64, 1..20),
        ) {
            for micros in micros {
                let time = Timestamp::from_micros(micros);
                let pane = grid.pane_of(time);
                prop_assert!(grid.start(pane) <= time && time < grid.end(pane));
                prop_assert_eq!(grid.pane_of(grid.start(pane)), pane);
                prop_assert_eq!(grid.last_ended(grid.end(pane)), pane);
            }
        }
    }
}
