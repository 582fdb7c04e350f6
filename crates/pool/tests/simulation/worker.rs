//! A worker of the simulation: what it will do is laid out as soon as it is told to, and cut short if something
//! happens to it before.

use std::time::Duration;

use moodring_pool::black_box::{Phase, Sample};
use moodring_pool::{ShardId, WorkerId};

/// What a black box shows before anything was done.
const BLANK: Sample = Sample {
    phase: Phase::Idle,
    shard: ShardId(0),
    item: None,
    begun: 0,
};

/// A process and the channel from it.
pub(crate) struct SimWorker {
    pub(crate) id: WorkerId,
    /// When it will have done all it was told to do.
    pub(crate) busy_until: Duration,
    /// When it said something, or will, and when that arrives.
    sent: Vec<(Duration, Duration)>,
    /// What its black box shows from when on.
    timeline: Vec<(Duration, Sample)>,
    pub(crate) died: Option<Duration>,
    pub(crate) stopped: Option<Duration>,
    /// What it says from then on is lost on its way.
    lost_from: Option<Duration>,
    /// The message that tells of its death, if it is to die.
    pub(crate) obituary: Option<u64>,
    /// It does, or will do, one item alone.
    pub(crate) on_trial: bool,
}

impl SimWorker {
    pub(crate) fn new(id: WorkerId, now: Duration) -> Self {
        Self {
            id,
            busy_until: now,
            sent: Vec::new(),
            timeline: vec![(now, BLANK)],
            died: None,
            stopped: None,
            lost_from: None,
            obituary: None,
            on_trial: false,
        }
    }

    /// When it does its last thing.
    fn end(&self) -> Option<Duration> {
        [self.died, self.stopped].into_iter().flatten().min()
    }

    /// Whether it still does anything at `now`.
    pub(crate) fn is_well(&self, now: Duration) -> bool {
        self.end().is_none_or(|end| end > now)
    }

    /// Whether the process is there.
    pub(crate) fn is_alive(&self, now: Duration) -> bool {
        self.died.is_none_or(|died| died > now)
    }

    /// It works for so long on what it was told; gives when it is done.
    pub(crate) fn spend(&mut self, now: Duration, time: Duration) -> Duration {
        self.busy_until = self.busy_until.max(now) + time;
        self.busy_until
    }

    /// Shows what it will be doing next.
    pub(crate) fn show(&mut self, now: Duration, phase: Phase, shard: ShardId) {
        let from = self.busy_until.max(now);
        let last = self.last_shown();
        let item = if phase == Phase::Preparing {
            None
        } else {
            last.item
        };
        self.timeline.push((
            from,
            Sample {
                phase,
                shard,
                item,
                begun: last.begun,
            },
        ));
    }

    /// Shows that it will begin an item next.
    pub(crate) fn begin(&mut self, now: Duration, item: u64) {
        let from = self.busy_until.max(now);
        let last = self.last_shown();
        self.timeline.push((
            from,
            Sample {
                item: Some(item),
                begun: last.begun + 1,
                ..last
            },
        ));
    }

    fn last_shown(&self) -> Sample {
        self.timeline.last().map_or(BLANK, |(_, sample)| *sample)
    }

    /// What its black box shows at `now`, if it was there to show anything.
    pub(crate) fn black_box(&self, now: Duration) -> Option<Sample> {
        let seen = |from| from <= now && self.end().is_none_or(|end| from < end);
        let mut shown = self.timeline.iter().rev();
        shown
            .find(|(from, _)| seen(*from))
            .map(|(_, sample)| *sample)
    }

    /// When something that is said at `said` and takes `on_its_way` arrives: in the order it was said.
    pub(crate) fn send(&mut self, said: Duration, on_its_way: Duration) -> Duration {
        let after = self.sent.last().map_or(Duration::ZERO, |sent| sent.1);
        let arrives = after.max(said + on_its_way);
        self.sent.push((said, arrives));
        arrives
    }

    /// When the last of what it said arrives.
    pub(crate) fn last_word(&self) -> Duration {
        let mut sent = self.sent.iter().rev();
        let said = sent.find(|(said, _)| self.is_heard(*said));
        said.map_or(Duration::ZERO, |sent| sent.1)
    }

    /// Whether what it was to say at `said` was said, and has not been lost.
    pub(crate) fn is_heard(&self, said: Duration) -> bool {
        self.end().is_none_or(|end| said < end) && self.lost_from.is_none_or(|lost| said < lost)
    }

    /// Does nothing any more from `at` on, unless it is dead by then. A death foreseen for later does not happen.
    pub(crate) fn stop(&mut self, at: Duration) {
        if self.end().is_none_or(|end| at < end) {
            self.stopped = Some(at);
            self.died = None;
            self.obituary = None;
            self.unsay(at);
        }
    }

    /// Dies at `at`; false if it was dead by then, or, where it is to die by itself, hangs by then.
    pub(crate) fn die(&mut self, at: Duration, by_itself: bool) -> bool {
        let too_late = if by_itself { self.end() } else { self.died };
        if too_late.is_some_and(|end| end <= at) {
            return false;
        }
        self.died = Some(at);
        self.unsay(at);
        true
    }

    /// What it said from `at` on is lost.
    pub(crate) fn lose(&mut self, at: Duration) {
        self.lost_from = Some(at);
    }

    fn unsay(&mut self, after: Duration) {
        while self.sent.last().is_some_and(|(said, _)| *said > after) {
            self.sent.pop();
        }
    }
}
