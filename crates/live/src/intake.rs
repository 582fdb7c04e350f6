//! Where sources put their records, and the pool takes them.
//!
//! Memory is bounded by permits: a source takes them for the bytes that it submits and gets them back when these are
//! folded. Each source has an equal share of all permits, so that one that floods does not keep the others waiting. A
//! source that holds none always gets one segment through, however large it is.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moodring_source::{Closed, Segment};

/// How much one block takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimits {
    /// How long after its first segment it is cut.
    pub wait: Duration,
    /// How many records it has, unless it is a single segment.
    pub records: u64,
    /// How many bytes it has, unless it is a single segment.
    pub bytes: usize,
}

impl Default for BlockLimits {
    /// A block costs about 30 µs of processor time, whatever is in it.
    fn default() -> Self {
        Self {
            wait: Duration::from_millis(2),
            records: 512,
            bytes: 256 << 10,
        }
    }
}

/// The bytes that may be queued, in work or waiting to be folded.
pub const PERMITS: usize = 64 << 20;

/// Records of one source on their way into a block.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The source's number.
    pub(crate) source: usize,
    pub(crate) segment: Segment,
}

/// The queues of all sources. Shared between the sources, the feed of the pool and the fold.
#[derive(Debug)]
pub struct Intake {
    queues: Mutex<Queues>,
    /// There are segments, or the end.
    news: Condvar,
    /// There is room, or the end.
    room: Condvar,
    share: usize,
    limits: BlockLimits,
    ends_with_sources: bool,
}

#[derive(Debug)]
struct Queues {
    sources: Vec<Queue>,
    /// Whose turn it is.
    next: usize,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Queue {
    segments: VecDeque<Segment>,
    /// The permits that the source holds: bytes that are queued or not folded yet.
    held: usize,
    /// How many of its segments are not folded yet.
    pending: usize,
    is_over: bool,
}

impl Intake {
    /// Makes the queues of this many sources, which share `permits` bytes. With `ends_with_sources` the input ends once
    /// all sources are over; otherwise only when it is closed.
    #[must_use]
    pub fn new(
        sources: usize,
        permits: usize,
        limits: BlockLimits,
        ends_with_sources: bool,
    ) -> Self {
        Self {
            queues: Mutex::new(Queues {
                sources: (0..sources).map(|_| Queue::default()).collect(),
                next: 0,
                is_closed: false,
            }),
            news: Condvar::new(),
            room: Condvar::new(),
            share: permits / sources.max(1),
            limits,
            ends_with_sources,
        }
    }

    /// Takes records of a source, and blocks until it has the permits for them.
    ///
    /// # Errors
    /// [`Closed`] if no more are taken.
    pub fn submit(&self, source: usize, segment: Segment) -> Result<(), Closed> {
        let mut queues = self.lock();
        loop {
            if queues.is_closed {
                return Err(Closed);
            }
            if queues.sources[source].has_room(segment.bytes.len(), self.share) {
                queues.sources[source].push(segment);
                self.news.notify_one();
                return Ok(());
            }
            queues = self
                .room
                .wait(queues)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes records of a source if it has the permits for them; `Ok(Err(segment))` gives them back if it has not.
    ///
    /// # Errors
    /// [`Closed`] if no more are taken.
    pub fn offer(&self, source: usize, segment: Segment) -> Result<Result<(), Segment>, Closed> {
        let mut queues = self.lock();
        if queues.is_closed {
            return Err(Closed);
        }
        if !queues.sources[source].has_room(segment.bytes.len(), self.share) {
            return Ok(Err(segment));
        }
        queues.sources[source].push(segment);
        self.news.notify_one();
        Ok(Ok(()))
    }

    /// Tells that nothing more will come of a source.
    pub fn source_is_over(&self, source: usize) {
        self.lock().sources[source].is_over = true;
        self.news.notify_all();
    }

    /// Takes no more records. What was taken is still handed out.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_all();
        self.room.notify_all();
    }

    /// Whether no more records are taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits; returns early with `false` once no more records are taken.
    pub fn wait(&self, time: Duration) -> bool {
        let queues = self.lock();
        let waited = self
            .room
            .wait_timeout_while(queues, time, |queues| !queues.is_closed);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_closed
    }

    /// Gives back the permits of a folded segment.
    pub fn folded(&self, source: usize, bytes: usize) {
        let mut queues = self.lock();
        let queue = &mut queues.sources[source];
        queue.held = queue.held.saturating_sub(bytes);
        queue.pending = queue.pending.saturating_sub(1);
        self.room.notify_all();
    }

    /// Returns how many segments of each source were taken and are not folded yet.
    #[must_use]
    pub fn pending(&self) -> Vec<usize> {
        self.lock()
            .sources
            .iter()
            .map(|queue| queue.pending)
            .collect()
    }

    /// Returns the bytes of each source that were taken and are not folded yet.
    #[must_use]
    pub fn held(&self) -> Vec<usize> {
        self.lock().sources.iter().map(|queue| queue.held).collect()
    }

    /// Waits for the first segment and returns it with those that come soon after it, from all sources in turn; `None` at
    /// the end of the input.
    pub(crate) fn next_block(&self) -> Option<Vec<Taken>> {
        let mut queues = self.lock();
        while queues.are_empty() {
            if self.is_at_end(&queues) {
                return None;
            }
            queues = self
                .news
                .wait(queues)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let mut block = Block::default();
        let deadline = Instant::now() + self.limits.wait;
        while block.fill(&mut queues, &self.limits) && !self.is_at_end(&queues) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.news.wait_timeout(queues, left);
            queues = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(block.segments)
    }

    fn is_at_end(&self, queues: &Queues) -> bool {
        queues.is_closed || self.ends_with_sources && queues.sources.iter().all(|it| it.is_over)
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn are_empty(&self) -> bool {
        self.sources.iter().all(|queue| queue.segments.is_empty())
    }
}

impl Queue {
    fn has_room(&self, bytes: usize, share: usize) -> bool {
        self.held == 0 || self.held.saturating_add(bytes) <= share
    }

    fn push(&mut self, segment: Segment) {
        self.held += segment.bytes.len();
        self.pending += 1;
        self.segments.push_back(segment);
    }
}

/// A block that is being collected.
#[derive(Debug, Default)]
struct Block {
    segments: Vec<Taken>,
    records: u64,
    bytes: usize,
}

impl Block {
    /// Adds what is queued, one segment of each source in turn, and returns whether there is room for more.
    fn fill(&mut self, queues: &mut Queues, limits: &BlockLimits) -> bool {
        while !queues.are_empty() {
            let source = queues.next % queues.sources.len();
            queues.next = source + 1;
            let queue = &mut queues.sources[source];
            let Some(segment) = queue.segments.front() else {
                continue;
            };
            let bytes = self.bytes + segment.bytes.len();
            let records = self.records + u64::from(segment.records);
            let fits = bytes <= limits.bytes && records <= limits.records;
            if !fits && !self.segments.is_empty() {
                // It begins the next block.
                queues.next = source;
                return false;
            }
            (self.bytes, self.records) = (bytes, records);
            let segment = queue.segments.pop_front();
            self.segments
                .extend(segment.map(|segment| Taken { source, segment }));
        }
        self.bytes < limits.bytes && self.records < limits.records
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use moodring_window::Timestamp;

    use super::*;

    /// Blocks that nothing but their size cuts.
    const LIMITS: BlockLimits = BlockLimits {
        wait: Duration::ZERO,
        records: 100,
        bytes: 1000,
    };

    fn segment(bytes: usize, records: u32) -> Segment {
        Segment {
            layout: Arc::new(crate::testing::layout()),
            bytes: vec![b'x'; bytes],
            framing_errors: Vec::new(),
            records,
            offset: 0,
            arrival: Timestamp::from_micros(0),
            position: None,
            key: None,
        }
    }

    fn sizes(intake: &Intake) -> Vec<(usize, usize)> {
        let block = intake.next_block().unwrap();
        let size = |taken: &Taken| (taken.source, taken.segment.bytes.len());
        block.iter().map(size).collect()
    }

    #[test]
    fn a_block_takes_the_segments_of_all_sources_in_turn() {
        let intake = Intake::new(2, 10_000, LIMITS, true);
        for bytes in [400, 401, 402] {
            intake.submit(0, segment(bytes, 1)).unwrap();
        }
        intake.submit(1, segment(10, 1)).unwrap();
        assert_eq!(sizes(&intake), [(0, 400), (1, 10), (0, 401)]);
        assert_eq!(sizes(&intake), [(0, 402)]);
    }

    #[test]
    fn a_block_is_cut_at_its_records_and_a_large_segment_is_one_alone() {
        let intake = Intake::new(1, 10_000, LIMITS, true);
        for records in [60, 60, 300, 1] {
            intake.submit(0, segment(1, records)).unwrap();
        }
        intake.submit(0, segment(5000, 1)).unwrap();
        let blocks: Vec<_> = (0..5).map(|_| sizes(&intake).len()).collect();
        assert_eq!(blocks, [1; 5]);
    }

    #[test]
    fn a_source_that_floods_leaves_the_others_their_share() {
        let intake = Intake::new(2, 200, LIMITS, true);
        assert!(intake.offer(0, segment(60, 1)).unwrap().is_ok());
        assert!(intake.offer(0, segment(60, 1)).unwrap().is_err());
        assert!(intake.offer(1, segment(100, 1)).unwrap().is_ok());
        assert_eq!(intake.held(), [60, 100]);
        sizes(&intake);
        assert!(
            intake.offer(0, segment(60, 1)).unwrap().is_err(),
            "it is not folded yet"
        );
        intake.folded(0, 60);
        assert!(
            intake.offer(0, segment(500, 1)).unwrap().is_ok(),
            "one always fits"
        );
        assert_eq!(intake.pending(), [1, 1]);
    }

    #[test]
    fn a_source_waits_for_its_permits_and_is_woken_by_the_end() {
        let intake = Arc::new(Intake::new(1, 100, LIMITS, false));
        intake.submit(0, segment(100, 1)).unwrap();
        let blocked = Arc::clone(&intake);
        let source = thread::spawn(move || {
            blocked.submit(0, segment(1, 1)).unwrap();
            blocked.submit(0, segment(100, 1))
        });
        assert_eq!(sizes(&intake), [(0, 100)]);
        intake.folded(0, 100);
        assert_eq!(sizes(&intake), [(0, 1)]);
        intake.close();
        assert_eq!(source.join().unwrap(), Err(Closed));
        assert!(intake.next_block().is_none());
    }

    #[test]
    fn the_input_ends_with_its_sources_once_everything_is_handed_out() {
        let intake = Intake::new(2, 100, LIMITS, true);
        intake.submit(0, segment(1, 1)).unwrap();
        intake.source_is_over(0);
        intake.source_is_over(1);
        assert_eq!(sizes(&intake), [(0, 1)]);
        assert!(intake.next_block().is_none());
    }

    #[test]
    fn what_was_taken_before_the_end_is_handed_out() {
        let intake = Intake::new(1, 100, LIMITS, false);
        intake.submit(0, segment(1, 1)).unwrap();
        intake.close();
        assert_eq!(intake.submit(0, segment(1, 1)), Err(Closed));
        assert!(!intake.wait(Duration::from_hours(1)));
        assert_eq!(sizes(&intake), [(0, 1)]);
        assert!(intake.next_block().is_none());
    }
}
