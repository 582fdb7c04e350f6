//! Up to when posts can be expected to be complete.
//!
//! A source's watermark is the greatest event time among its folded posts, less the lateness. The stream's is the least over
//! the sources that hold it, and never goes back. A source holds it unless
//!
//! - it is idle: connected, caught up, and with nothing queued or in flight for [`Patience::idle`]; or
//! - it has been connecting, retrying or catching up for [`Patience::hold`] without a post; or
//! - it has ended.
//!
//! When no source holds it, the watermark moves on from where it stands at the pace of the clock. When all sources have
//! ended it moves to where every window [closes](Watermarks::close), and not beyond: a later run may bring later posts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Names a source within a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId(pub u32);

/// How long the watermark waits for what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// How far behind the greatest event time of a source its posts may be and still be on time.
    pub lateness: Duration,
    /// How long a source must be quiet until it is idle.
    pub idle: Duration,
    /// How long a source that does not deliver holds the watermark.
    pub hold: Duration,
    /// How fast event time passes while all sources are idle, as a multiple of real time: 1 unless a recording is played
    /// faster.
    pub pace: f64,
}

impl Default for Patience {
    /// 10 seconds, 30 seconds, 5 minutes, and the pace of the clock.
    fn default() -> Self {
        Self {
            lateness: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            hold: Duration::from_mins(5),
            pace: 1.0,
        }
    }
}

/// What a source is doing, as far as the watermark cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It connects, retries, or reads what has piled up.
    CatchingUp,
    /// It is connected and caught up. `pending` says whether anything of it is queued or in flight.
    Live {
        /// Whether a post of it waits to be folded.
        pending: bool,
    },
    /// Nothing more will come.
    Ended,
}

#[derive(Debug, Clone)]
struct Source {
    greatest: Option<Timestamp>,
    activity: Activity,
    /// Since when it has been quiet in its present activity.
    quiet_since: Duration,
}

/// The watermarks of a stream and its sources. Real time is a duration since any fixed moment, from a clock that never goes
/// back.
#[derive(Debug, Clone)]
pub struct Watermarks {
    patience: Patience,
    sources: BTreeMap<SourceId, Source>,
    current: Option<Timestamp>,
    /// When the last source stopped holding the watermark, and where it stood.
    adrift: Option<(Duration, Timestamp)>,
}

impl Watermarks {
    /// No sources yet. `restored` is where an earlier process had the watermark.
    #[must_use]
    pub fn new(patience: Patience, restored: Option<Timestamp>) -> Self {
        Self {
            patience,
            sources: BTreeMap::new(),
            current: restored,
            adrift: None,
        }
    }

    /// Adds a source that is catching up. `greatest` is the greatest event time that earlier processes folded of it.
    pub fn add(&mut self, id: SourceId, greatest: Option<Timestamp>, now: Duration) {
        let source = Source {
            greatest,
            activity: Activity::CatchingUp,
            quiet_since: now,
        };
        self.sources.insert(id, source);
    }

    /// Tells that a post of the source has been folded; call [`advance`](Self::advance) for what follows.
    pub fn folded(&mut self, id: SourceId, time: Timestamp, now: Duration) {
        if let Some(source) = self.sources.get_mut(&id) {
            source.greatest = source.greatest.max(Some(time));
            source.quiet_since = now;
        }
    }

    /// Tells what a source is doing from now on.
    pub fn set_activity(&mut self, id: SourceId, activity: Activity, now: Duration) {
        if let Some(source) = self.sources.get_mut(&id)
            && source.activity != activity
        {
            let was_pending = source.activity == Activity::Live { pending: true };
            let is_pending = activity == Activity::Live { pending: true };
            let is_live = matches!(activity, Activity::Live { .. });
            let was_live = matches!(source.activity, Activity::Live { .. });
            if was_pending || is_pending || is_live != was_live {
                source.quiet_since = now;
            }
            source.activity = activity;
        }
    }

    /// Moves the stream's watermark as far as it goes, and returns it; `None` if no post has set one.
    pub fn advance(&mut self, now: Duration) -> Option<Timestamp> {
        let holding = self.sources.values().filter(|it| self.holds(it, now));
        // `None` is the least: a source without a post holds the watermark where it is.
        let candidate = match holding.map(|source| source.greatest).min() {
            Some(least) => {
                self.adrift = None;
                least.map(|time| time.before(self.patience.lateness))
            }
            None if self.all_ended() => None,
            None => self.drift(now),
        };
        self.current = self.current.max(candidate);
        self.current
    }

    /// Where the watermark stands.
    #[must_use]
    pub fn current(&self) -> Option<Timestamp> {
        self.current
    }

    /// The watermark of one source: its greatest event time less the lateness.
    #[must_use]
    pub fn of(&self, id: SourceId) -> Option<Timestamp> {
        let greatest = self.sources.get(&id)?.greatest?;
        Some(greatest.before(self.patience.lateness))
    }

    /// The greatest event time folded of a source.
    #[must_use]
    pub fn greatest(&self, id: SourceId) -> Option<Timestamp> {
        self.sources.get(&id)?.greatest
    }

    fn holds(&self, source: &Source, now: Duration) -> bool {
        let quiet = now.saturating_sub(source.quiet_since);
        match source.activity {
            Activity::CatchingUp => quiet < self.patience.hold,
            Activity::Live { pending: true } => true,
            Activity::Live { pending: false } => quiet < self.patience.idle,
            Activity::Ended => false,
        }
    }

    /// Moves the watermark to `end` at least: the end of the last window, where nothing more will come.
    pub fn close(&mut self, end: Timestamp) {
        self.current = self.current.max(Some(end));
    }

    /// Whether there are sources, and all have ended.
    #[must_use]
    pub fn all_ended(&self) -> bool {
        let is_ended = |source: &Source| source.activity == Activity::Ended;
        !self.sources.is_empty() && self.sources.values().all(is_ended)
    }

    /// Where the watermark is while no source holds it.
    fn drift(&mut self, now: Duration) -> Option<Timestamp> {
        let (since, from) = if let Some(adrift) = self.adrift {
            adrift
        } else {
            let greatest = self.sources.values().filter_map(|source| source.greatest);
            let least = greatest
                .min()
                .map(|time| time.before(self.patience.lateness));
            *self.adrift.insert((now, self.current.or(least)?))
        };
        let passed = now
            .saturating_sub(since)
            .mul_f64(self.patience.pace.max(0.0));
        Some(from.after(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: Activity = Activity::Live { pending: false };
    const PENDING: Activity = Activity::Live { pending: true };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn two_sources() -> Watermarks {
        let mut marks = Watermarks::new(Patience::default(), None);
        for id in [SourceId(0), SourceId(1)] {
            marks.add(id, None, secs(0));
            marks.set_activity(id, LIVE, secs(0));
        }
        marks
    }

    #[test]
    fn the_least_of_the_sources_counts_and_it_never_goes_back() {
        let mut marks = two_sources();
        marks.folded(SourceId(0), at(100), secs(1));
        assert_eq!(marks.advance(secs(1)), None, "the other has no post yet");
        marks.folded(SourceId(1), at(50), secs(1));
        assert_eq!(marks.advance(secs(1)), Some(at(40)));
        marks.folded(SourceId(1), at(20), secs(2));
        assert_eq!(marks.advance(secs(2)), Some(at(40)));
        marks.folded(SourceId(1), at(200), secs(2));
        assert_eq!(marks.advance(secs(2)), Some(at(90)));
    }

    #[test]
    fn an_idle_source_does_not_hold_it_and_one_with_posts_in_flight_does() {
        let mut marks = two_sources();
        marks.folded(SourceId(0), at(50), secs(0));
        marks.folded(SourceId(1), at(100), secs(20));
        marks.set_activity(SourceId(0), PENDING, secs(0));
        assert_eq!(marks.advance(secs(40)), Some(at(40)));
        marks.set_activity(SourceId(0), LIVE, secs(40));
        assert_eq!(marks.advance(secs(45)), Some(at(40)), "quiet for 5 s only");
        marks.folded(SourceId(1), at(120), secs(69));
        assert_eq!(marks.advance(secs(70)), Some(at(110)));
    }

    #[test]
    fn a_source_that_retries_holds_it_for_a_while() {
        let mut marks = two_sources();
        marks.folded(SourceId(0), at(50), secs(10));
        marks.folded(SourceId(1), at(100), secs(10));
        marks.set_activity(SourceId(0), Activity::CatchingUp, secs(20));
        marks.folded(SourceId(1), at(400), secs(300));
        assert_eq!(marks.advance(secs(319)), Some(at(40)));
        assert_eq!(marks.advance(secs(320)), Some(at(390)));
    }

    #[test]
    fn when_all_are_idle_it_moves_at_the_pace_of_the_clock() {
        let mut marks = two_sources();
        marks.folded(SourceId(0), at(50), secs(0));
        marks.folded(SourceId(1), at(100), secs(0));
        assert_eq!(marks.advance(secs(29)), Some(at(40)));
        assert_eq!(marks.advance(secs(30)), Some(at(40)), "never a jump");
        assert_eq!(marks.advance(secs(40)), Some(at(50)));
        marks.folded(SourceId(0), at(60), secs(42));
        assert_eq!(marks.advance(secs(60)), Some(at(50)), "held again");
        assert_eq!(marks.advance(secs(72)), Some(at(50)));
        assert_eq!(marks.advance(secs(82)), Some(at(60)));
    }

    #[test]
    fn after_the_end_of_all_sources_it_stands_where_it_was_closed() {
        let mut marks = two_sources();
        marks.folded(SourceId(0), at(50), secs(0));
        marks.set_activity(SourceId(0), Activity::Ended, secs(1));
        assert_eq!(marks.advance(secs(1)), None);
        marks.set_activity(SourceId(1), Activity::Ended, secs(1));
        assert!(marks.all_ended());
        assert_eq!(marks.advance(secs(1)), None);
        marks.close(at(60));
        assert_eq!(marks.advance(secs(99)), Some(at(60)));
    }

    #[test]
    fn a_source_that_is_gone_after_a_restart_does_not_hold_it() {
        let mut marks = Watermarks::new(Patience::default(), Some(at(40)));
        marks.add(SourceId(1), Some(at(100)), secs(0));
        assert_eq!(marks.advance(secs(0)), Some(at(90)));
    }
}
