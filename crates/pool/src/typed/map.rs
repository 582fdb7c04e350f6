//! Many inputs: cut into chunks, results in order or as they come.
//!
//! The iterators do their work in `next`: it sends chunks until enough are under way, and waits for one. So inputs
//! are taken from their iterator only as there is room, and need not be able to leave their thread.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Fuse;
use std::time::Duration;
use std::vec;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::Call;
use super::backlog::{Reply, Ticket};
use super::error::CallError;
use super::handle::open;
use super::options::CallOptions;
use super::workers::Workers;

impl<C: Call> Workers<C> {
    /// Calls on every input and returns the results in the same order. Blocks until all are there. If the inputs or
    /// results do not fit into memory, use [`map_iter`](Self::map_iter).
    pub fn map<I>(&self, inputs: I) -> Vec<Result<C::Output, CallError>>
    where
        I: IntoIterator<Item = C::Input>,
    {
        self.map_iter(inputs).collect()
    }

    /// Returns an iterator that calls on every input and yields the results in the same order. `next` blocks until
    /// the next result is there. Inputs are taken only as there is room: four chunks for each worker are sent or
    /// wait for earlier results, whatever the number of inputs. Dropping the iterator early withdraws the inputs
    /// that no worker has; chunks that a worker has are finished.
    pub fn map_iter<I>(&self, inputs: I) -> Map<'_, C, I::IntoIter>
    where
        I: IntoIterator<Item = C::Input>,
    {
        Map::new(self, inputs.into_iter())
    }

    /// Like [`map_iter`](Self::map_iter), but yields each result as soon as it is there, with the number of its
    /// input from 0. No result waits for a slower one of another chunk.
    pub fn map_unordered<I>(&self, inputs: I) -> MapUnordered<'_, C, I::IntoIter>
    where
        I: IntoIterator<Item = C::Input>,
    {
        MapUnordered::new(self, inputs.into_iter())
    }
}

/// The result of an input.
type Outcome<C> = Result<<C as Call>::Output, CallError>;

/// Results in the order of the inputs, from [`Workers::map_iter`].
#[must_use = "nothing is called until the results are asked for"]
pub struct Map<'a, C: Call, I> {
    chunks: Chunks<'a, C, I>,
    /// Chunks that came before their turn, by their first input.
    early: BTreeMap<u64, Vec<Outcome<C>>>,
    /// The first input of the chunk whose turn is next.
    turn: u64,
    current: vec::IntoIter<Outcome<C>>,
}

impl<'a, C: Call, I: Iterator<Item = C::Input>> Map<'a, C, I> {
    pub(super) fn new(workers: &'a Workers<C>, inputs: I) -> Self {
        Self {
            chunks: Chunks::new(workers, inputs),
            early: BTreeMap::new(),
            turn: 0,
            current: Vec::new().into_iter(),
        }
    }
}

impl<C: Call, I: Iterator<Item = C::Input>> Iterator for Map<'_, C, I> {
    type Item = Result<C::Output, CallError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.current.next() {
                return Some(result);
            }
            self.chunks.send(self.early.len());
            if let Some(results) = self.early.remove(&self.turn) {
                self.turn += results.len() as u64;
                self.current = results.into_iter();
            } else {
                let (first, results) = self.chunks.receive()?;
                self.early.insert(first, results);
            }
        }
    }
}

/// Results as they come, each with the number of its input from 0, from [`Workers::map_unordered`].
#[must_use = "nothing is called until the results are asked for"]
pub struct MapUnordered<'a, C: Call, I> {
    chunks: Chunks<'a, C, I>,
    current: std::iter::Zip<std::ops::RangeFrom<u64>, vec::IntoIter<Outcome<C>>>,
}

impl<'a, C: Call, I: Iterator<Item = C::Input>> MapUnordered<'a, C, I> {
    pub(super) fn new(workers: &'a Workers<C>, inputs: I) -> Self {
        Self {
            chunks: Chunks::new(workers, inputs),
            current: (0..).zip(Vec::new()),
        }
    }
}

impl<C: Call, I: Iterator<Item = C::Input>> Iterator for MapUnordered<'_, C, I> {
    type Item = (u64, Result<C::Output, CallError>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.current.next() {
                return Some(result);
            }
            self.chunks.send(0);
            let (first, results) = self.chunks.receive()?;
            self.current = (first..).zip(results);
        }
    }
}

/// How many chunks for each worker are sent or wait for earlier results.
const CHUNKS_PER_WORKER: usize = 4;

/// The inputs on their way into the pool and the results on their way out. A chunk's number is that of its first
/// input.
struct Chunks<'a, C: Call, I> {
    workers: &'a Workers<C>,
    inputs: Fuse<I>,
    /// The number of the next input.
    next: u64,
    /// How many inputs each chunk under way has, by its number.
    out: BTreeMap<u64, usize>,
    replies_in: Sender<Reply>,
    replies: Receiver<Reply>,
    size: ChunkSize,
}

impl<'a, C: Call, I: Iterator<Item = C::Input>> Chunks<'a, C, I> {
    fn new(workers: &'a Workers<C>, inputs: I) -> Self {
        let (replies_in, replies) = unbounded();
        Self {
            workers,
            inputs: inputs.fuse(),
            next: 0,
            out: BTreeMap::new(),
            replies_in,
            replies,
            size: ChunkSize::new(workers.chunk),
        }
    }

    /// Sends chunks until enough are under way, counting the `kept` ones that are done and not passed on.
    fn send(&mut self, kept: usize) {
        while self.out.len() + kept < CHUNKS_PER_WORKER * self.workers.size() {
            let most = self
                .size
                .next(self.inputs.size_hint().0, self.workers.size());
            let mut bytes = 0;
            let mut task = Vec::new();
            while task.len() < most && bytes < MAX_CHUNK_BYTES {
                let Some(input) = self.inputs.next() else {
                    break;
                };
                let input = self.workers.encode(&input);
                bytes += input.as_ref().map_or(0, |bytes| bytes.len());
                task.push(input);
            }
            if task.is_empty() {
                return;
            }
            let ticket = Ticket::numbered(self.next, self.replies_in.clone());
            self.out.insert(self.next, task.len());
            self.next += task.len() as u64;
            if let Some(request) = self.workers.request(&task, CallOptions::new(), ticket) {
                self.workers.backlog().push(request);
            }
        }
    }

    /// Waits for a chunk: the number of its first input, and its results. None if none is under way.
    fn receive(&mut self) -> Option<(u64, Vec<Outcome<C>>)> {
        if self.out.is_empty() {
            return None;
        }
        let Reply { number, done } = self.replies.recv().ok()?;
        let inputs = self.out.remove(&number)?;
        let (results, took) = open(done, inputs, self.workers.backlog());
        self.size.learn(inputs, took);
        Some((number, results))
    }
}

impl<C: Call, I> Drop for Chunks<'_, C, I> {
    /// Withdraws what no worker has. What a worker has is left: it takes a moment, and a killed worker would have
    /// to start again.
    fn drop(&mut self) {
        self.workers.backlog().withdraw(&self.replies_in);
    }
}

/// How long a worker is to take for a chunk: much longer than a round trip, which takes some 0.1 ms.
const CHUNK_TIME: Duration = Duration::from_millis(10);

/// The largest number of inputs of a chunk whose size was not set.
const MAX_CHUNK: usize = 4096;

/// A chunk gets no more inputs once it has this many bytes, which is what channels carry best.
const MAX_CHUNK_BYTES: usize = 64 << 10;

/// How many inputs to send as one task.
#[derive(Debug)]
struct ChunkSize {
    fixed: Option<usize>,
    learnt: usize,
}

impl ChunkSize {
    fn new(fixed: Option<usize>) -> Self {
        Self { fixed, learnt: 1 }
    }

    /// The size of the next chunk, given how many inputs are known to remain: towards the end chunks are smaller, so
    /// that all workers have something to do. Of some iterators nothing is known, and 0 given.
    fn next(&self, remaining: usize, workers: usize) -> usize {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let fair = match remaining {
            0 => usize::MAX,
            remaining => remaining.div_ceil(2 * workers),
        };
        self.learnt.min(fair)
    }

    /// Adapts the size to a chunk that took this long. It at most doubles, as one chunk may mislead.
    fn learn(&mut self, inputs: usize, took: Duration) {
        let each = (took.as_nanos() / inputs.max(1) as u128).max(1);
        let fitting = usize::try_from(CHUNK_TIME.as_nanos() / each).unwrap_or(MAX_CHUNK);
        self.learnt = fitting.clamp(1, MAX_CHUNK.min(2 * self.learnt));
    }
}

impl<C: Call, I> fmt::Debug for Map<'_, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks.describe(f, "Map")
    }
}

impl<C: Call, I> fmt::Debug for MapUnordered<'_, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks.describe(f, "MapUnordered")
    }
}

impl<C: Call, I> Chunks<'_, C, I> {
    fn describe(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        f.debug_struct(name)
            .field("inputs_taken", &self.next)
            .field("chunks_under_way", &self.out.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn chunks_of_quick_calls_grow_and_chunks_of_slow_ones_stay_small() {
        let mut size = ChunkSize::new(None);
        assert_eq!(size.next(0, 2), 1);
        for wanted in [2, 4, 8, 10, 10] {
            size.learn(1, MS);
            assert_eq!(size.next(0, 2), wanted);
        }
        size.learn(10, 500 * MS);
        assert_eq!(size.next(0, 2), 1);
    }

    #[test]
    fn the_last_chunks_are_shared_among_the_workers() {
        let size = ChunkSize {
            fixed: None,
            learnt: 100,
        };
        assert_eq!(
            [1000, 40, 1].map(|remaining| size.next(remaining, 2)),
            [100, 10, 1]
        );
    }

    #[test]
    fn a_chunk_size_that_was_asked_for_stays() {
        let mut size = ChunkSize::new(Some(7));
        size.learn(7, 500 * MS);
        assert_eq!(size.next(3, 2), 7);
    }

    #[test]
    fn no_time_at_all_is_no_division_by_zero() {
        let mut size = ChunkSize::new(None);
        (0..40).for_each(|_| size.learn(1, Duration::ZERO));
        assert_eq!(size.next(0, 1), MAX_CHUNK);
    }
}
