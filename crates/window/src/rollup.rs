//! Wider panes for older data, so that a month of many groups stays small.

use std::time::Duration;

use crate::cell::Cell;
use crate::grid::PaneIndex;

/// Panes that are older than `after` are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// How many panes of the stream's grid make one.
    pub factor: i64,
    /// How far the watermark must be past the end of a pane.
    pub after: Duration,
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The levels for panes of `width`: a minute or more after an hour, 15 minutes or more after a day, neither before
/// corrections have expired. Widths are multiples of those before, and there is no level that would change nothing.
#[must_use]
pub fn levels(width: Duration, corrections: Duration) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let mut factor = 1;
    for (least, age) in [(MINUTE, HOUR), (15 * MINUTE, DAY)] {
        let present = width.as_micros().max(1).saturating_mul(factor);
        let times = least.as_micros().div_ceil(present);
        if times > 1 {
            factor *= times;
            levels.push(Level {
                factor: i64::try_from(factor).unwrap_or(i64::MAX),
                after: age.max(corrections),
            });
        }
    }
    levels
}

/// Puts panes of one group together, `factor` into one; they are in the order of time, before and after.
pub fn roll_up(
    cells: impl IntoIterator<Item = (PaneIndex, Cell)>,
    factor: i64,
    max_tags: usize,
) -> Vec<(PaneIndex, Cell)> {
    let mut wide: Vec<(PaneIndex, Cell)> = Vec::new();
    for (pane, cell) in cells {
        let pane = pane.div_euclid(factor);
        let cell = cell.in_wider_panes(factor);
        match wide.last_mut() {
            Some((last, sum)) if *last == pane => sum.merge(&cell, max_tags),
            _ => wide.push((pane, cell)),
        }
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_a_multiple_of_the_one_before() {
        let secs = Duration::from_secs;
        let factors = |width| {
            let levels = levels(width, HOUR);
            levels.iter().map(|level| level.factor).collect::<Vec<_>>()
        };
        assert_eq!(factors(secs(10)), [6, 90]);
        assert_eq!(factors(secs(7)), [9, 135], "63 s and 945 s");
        assert_eq!(factors(secs(60)), [15]);
        assert!(factors(HOUR).is_empty());
        assert_eq!(levels(secs(10), 2 * DAY)[0].after, 2 * DAY);
    }
}
