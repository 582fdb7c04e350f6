//! A stable sort of more than fits into memory.
//!
//! Items are collected until they fill the memory that is allowed, sorted, and written to a temporary file as a *run*. In
//! the end the runs are merged. When there are as many runs as are merged at a time, they are merged into one run of the
//! next level, so that neither the open files nor the work per item grow by more than the logarithm of the items.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;

/// How much memory items take at most, and how many runs are merged at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) memory: usize,
    pub(crate) fan_in: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: 32 << 20,
            fan_in: 64,
        }
    }
}

/// How much of a run is read or written at a time.
const BUFFER: usize = 64 << 10;

/// Sorts items by a key; those with equal keys keep their order.
pub(crate) struct Sorter {
    limits: Limits,
    folder: PathBuf,
    held: Held,
    /// Runs of each level, oldest first. Those of a level are older than all of the level below it.
    levels: Vec<Vec<Run>>,
}

/// The items in memory.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    key: i64,
    start: usize,
    len: usize,
}

impl Held {
    fn size(&self) -> usize {
        self.bytes.len() + self.items.len() * size_of::<Item>()
    }

    fn sort(&mut self) {
        self.items.sort_by_key(|item| item.key);
    }
}

/// A sorted file without a name.
type Run = File;

impl Sorter {
    /// A sorter whose runs lie in `folder`.
    pub(crate) fn new(folder: PathBuf, limits: Limits) -> Sorter {
        Sorter {
            limits,
            folder,
            held: Held::default(),
            levels: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, key: i64, item: &[u8]) -> io::Result<()> {
        if !self.held.items.is_empty() && self.held.size() + item.len() > self.limits.memory {
            self.spill()?;
        }
        self.held.items.push(Item {
            key,
            start: self.held.bytes.len(),
            len: item.len(),
        });
        self.held.bytes.extend_from_slice(item);
        Ok(())
    }

    /// The items in order.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        if self.levels.is_empty() {
            self.held.sort();
            return Ok(Sorted::Held {
                held: self.held,
                next: 0,
            });
        }
        if !self.held.items.is_empty() {
            self.spill()?;
        }
        self.held = Held::default();
        let runs = self.levels.drain(..).rev().flatten().collect();
        Ok(Sorted::Merged(Merge::new(runs)?))
    }

    /// Writes what is in memory as a run.
    fn spill(&mut self) -> io::Result<()> {
        self.held.sort();
        let mut run = self.new_run()?;
        for item in &self.held.items {
            let bytes = &self.held.bytes[item.start..item.start + item.len];
            write_item(&mut run, item.key, bytes)?;
        }
        self.held.bytes.clear();
        self.held.items.clear();
        self.add_run(finished(run)?, 0)
    }

    fn add_run(&mut self, run: Run, level: usize) -> io::Result<()> {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(run);
        if self.levels[level].len() < self.limits.fan_in {
            return Ok(());
        }
        let mut merge = Merge::new(std::mem::take(&mut self.levels[level]))?;
        let mut merged = self.new_run()?;
        let mut item = Vec::new();
        while let Some(key) = merge.next(&mut item)? {
            write_item(&mut merged, key, &item)?;
        }
        self.add_run(finished(merged)?, level + 1)
    }

    fn new_run(&self) -> io::Result<BufWriter<Run>> {
        let run = tempfile::tempfile_in(&self.folder)?;
        Ok(BufWriter::with_capacity(BUFFER, run))
    }
}

fn finished(run: BufWriter<Run>) -> io::Result<Run> {
    let mut run = run.into_inner().map_err(io::IntoInnerError::into_error)?;
    run.rewind()?;
    Ok(run)
}

fn write_item(run: &mut impl Write, key: i64, item: &[u8]) -> io::Result<()> {
    run.write_all(&key.to_le_bytes())?;
    run.write_all(&(item.len() as u64).to_le_bytes())?;
    run.write_all(item)
}

/// Gives sorted items one by one.
pub(crate) enum Sorted {
    /// All items are in memory.
    Held { held: Held, next: usize },
    /// They are in runs.
    Merged(Merge),
}

impl Sorted {
    /// Replaces what is in `item` by the next one and gives its key. `None` at the end.
    pub(crate) fn next(&mut self, item: &mut Vec<u8>) -> io::Result<Option<i64>> {
        match self {
            Sorted::Merged(merge) => merge.next(item),
            Sorted::Held { held, next } => {
                let Some(found) = held.items.get(*next) else {
                    return Ok(None);
                };
                *next += 1;
                item.clear();
                item.extend_from_slice(&held.bytes[found.start..found.start + found.len]);
                Ok(Some(found.key))
            }
        }
    }
}

/// Merges runs, of which those that come first are older.
pub(crate) struct Merge {
    runs: Vec<BufReader<Run>>,
    /// The key of each run's next item, whose bytes are next to be read.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Merge {
    fn new(runs: Vec<Run>) -> io::Result<Merge> {
        let mut merge = Merge {
            runs: runs
                .into_iter()
                .map(|run| BufReader::with_capacity(BUFFER, run))
                .collect(),
            heads: BinaryHeap::new(),
        };
        for run in 0..merge.runs.len() {
            merge.read_key(run)?;
        }
        Ok(merge)
    }

    fn read_key(&mut self, run: usize) -> io::Result<()> {
        let mut key = [0; 8];
        match self.runs[run].read_exact(&mut key) {
            // A run was written as a whole, so it ends only between items.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            read => {
                self.heads.push(Reverse((i64::from_le_bytes(key), run)));
                read
            }
        }
    }

    fn next(&mut self, item: &mut Vec<u8>) -> io::Result<Option<i64>> {
        let Some(Reverse((key, run))) = self.heads.pop() else {
            return Ok(None);
        };
        let mut len = [0; 8];
        self.runs[run].read_exact(&mut len)?;
        let len = usize::try_from(u64::from_le_bytes(len)).unwrap_or(usize::MAX);
        item.resize(len, 0);
        self.runs[run].read_exact(item)?;
        self.read_key(run)?;
        Ok(Some(key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(items: &[(i64, Vec<u8>)], limits: Limits) -> Vec<(i64, Vec<u8>)> {
        let mut sorter = Sorter::new(std::env::temp_dir(), limits);
        for (key, item) in items {
            sorter.push(*key, item).unwrap();
        }
        let mut in_order = sorter.finish().unwrap();
        let mut found = Vec::new();
        let mut item = Vec::new();
        while let Some(key) = in_order.next(&mut item).unwrap() {
            found.push((key, item.clone()));
        }
        found
    }

    proptest! {
        #[test]
        fn any_items_come_out_as_from_a_stable_sort_in_memory(
            mut items in prop::collection::vec((-5_i64..5, prop::collection::vec(any::<u8>(), 0..8)), 0..120),
            memory in 0_usize..400,
            fan_in in 2_usize..5,
        ) {
            let found = sorted(&items, Limits { memory, fan_in });
            items.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(found, items);
        }
    }

    #[test]
    fn no_more_runs_are_open_than_are_merged_at_a_time() {
        let mut sorter = Sorter::new(
            std::env::temp_dir(),
            Limits {
                memory: 1,
                fan_in: 3,
            },
        );
        for n in 0..200_i64 {
            sorter.push(n % 7, &[0; 16]).unwrap();
            assert!(sorter.levels.iter().all(|runs| runs.len() < 3));
        }
        // 199 runs were written: 3 to the power of 5 is more.
        assert!(sorter.levels.len() <= 5, "{}", sorter.levels.len());
    }
}
