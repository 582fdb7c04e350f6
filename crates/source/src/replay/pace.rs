//! When to play what.

use std::time::Duration;

use moodring_window::Timestamp;

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// At a multiple of its own pace.
    Times(f64),
    /// As fast as its posts are taken.
    Max,
}

/// The longest time that is waited: about a year.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// Below this a post is not waited for, so that many a second are delivered together.
const SHORTEST: Duration = Duration::from_millis(2);

/// Tells how long to wait for posts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    speed: Speed,
    /// When the first post was played, and its own time.
    origin: Option<(Duration, Timestamp)>,
}

impl Pace {
    pub(crate) fn new(speed: Speed) -> Pace {
        Pace {
            speed,
            origin: None,
        }
    }

    /// How long to wait, from `now` on, until a post is played that was written at `time`. The first one is played at once.
    pub(crate) fn wait(&mut self, time: Timestamp, now: Duration) -> Duration {
        let Speed::Times(speed) = self.speed else {
            return Duration::ZERO;
        };
        if time == Timestamp::MIN {
            return Duration::ZERO;
        }
        let (began, first) = *self.origin.get_or_insert((now, time));
        let seconds = time.since(first).as_secs_f64() / speed;
        let due = Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST);
        let wait = (began + due.min(LONGEST)).saturating_sub(now);
        if wait < SHORTEST {
            Duration::ZERO
        } else {
            wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn posts_come_at_a_multiple_of_their_own_pace() {
        let mut pace = Pace::new(Speed::Times(60.0));
        let began = Duration::from_secs(100);
        assert_eq!(pace.wait(at(1000), began), Duration::ZERO);
        assert_eq!(pace.wait(at(1060), began), Duration::from_secs(1));
        assert_eq!(
            pace.wait(at(1120), began + Duration::from_secs(3)),
            Duration::ZERO
        );
        assert_eq!(pace.wait(at(900), began), Duration::ZERO);
    }

    #[test]
    fn a_time_that_was_never_read_is_not_waited_for() {
        let mut pace = Pace::new(Speed::Times(1.0));
        assert_eq!(pace.wait(Timestamp::MIN, Duration::ZERO), Duration::ZERO);
        assert_eq!(pace.wait(at(5), Duration::ZERO), Duration::ZERO);
        assert_eq!(pace.wait(at(6), Duration::ZERO), Duration::from_secs(1));
    }

    #[test]
    fn no_wait_is_beyond_reason() {
        let mut pace = Pace::new(Speed::Times(1e-9));
        assert_eq!(pace.wait(at(0), Duration::ZERO), Duration::ZERO);
        assert_eq!(pace.wait(Timestamp::MAX, Duration::ZERO), LONGEST);
    }
}
