//! Writes the journal.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use moodring_pool::{BoxError, ShardId};
use moodring_store::{Journal, StoreError, Syncer};

use super::entry::{Done, Entry, Terms};

/// How much work a power cut may cost. A run that takes less is not forced to the disk at all.
const SYNC_PERIOD: Duration = Duration::from_secs(5);

/// How long a shard may be done before the journal says so. What a kill takes of that is done again; a write for each shard
/// would cost more than the shard's dispatch where shards are small.
const FLUSH_PERIOD: Duration = Duration::from_millis(10);

/// The journal of a running run. Dropping it removes the file, unless it is to be [kept](Log::keep).
pub(in crate::score) struct Log {
    journal: Option<Journal>,
    path: PathBuf,
    syncer: Syncer,
    /// How many shards have been released, by all the runs of this journal.
    releases: u64,
    /// Whether any shard is complete.
    any_done: bool,
    /// Released shards whose bytes may not be in the output yet.
    under_way: HashMap<ShardId, Done>,
    /// When the journal was last written.
    flushed: Instant,
    /// When the disk was last asked to keep up.
    synced: Instant,
    /// Whether it ever was.
    is_long: bool,
    keep: bool,
}

impl Log {
    /// Starts the journal of a new run.
    pub(in crate::score) fn start(path: PathBuf, terms: Terms) -> Result<Self, BoxError> {
        let mut log = Self::new(Journal::create(&path)?, path, 0)?;
        log.append(&Entry::Terms(terms))?;
        Ok(log)
    }

    /// Goes on with a journal of which so many releases hold.
    pub(in crate::score) fn go_on(
        journal: Journal,
        path: PathBuf,
        releases: u64,
    ) -> Result<Self, BoxError> {
        let mut log = Self::new(journal, path, releases)?;
        log.keep = true;
        log.append(&Entry::Resumed(releases))?;
        Ok(log)
    }

    fn new(journal: Journal, path: PathBuf, releases: u64) -> Result<Self, BoxError> {
        Ok(Self {
            syncer: Syncer::start(&journal)?,
            journal: Some(journal),
            path,
            releases,
            any_done: releases > 0,
            under_way: HashMap::new(),
            flushed: Instant::now(),
            synced: Instant::now(),
            is_long: false,
            keep: false,
        })
    }

    /// How many shards have been released.
    pub(in crate::score) fn releases(&self) -> u64 {
        self.releases
    }

    /// Whether there is something to go on from.
    pub(in crate::score) fn any_done(&self) -> bool {
        self.any_done
    }

    /// Whether the file outlives this value.
    pub(in crate::score) fn keep(&mut self, keep: bool) {
        self.keep = keep;
    }

    /// Learns of a release.
    pub(in crate::score) fn released(&mut self, shard: ShardId, done: Done) {
        self.releases += 1;
        self.under_way.insert(shard, done);
    }

    /// Notes that the bytes of a released shard are in the output.
    pub(in crate::score) fn completed(&mut self, shard: ShardId) -> Result<(), BoxError> {
        if let Some(done) = self.under_way.remove(&shard) {
            self.push(&Entry::Done(done))?;
            self.any_done = true;
            if self.flushed.elapsed() >= FLUSH_PERIOD {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Whether it is time to [sync](Log::sync).
    pub(in crate::score) fn is_sync_due(&self) -> bool {
        self.synced.elapsed() >= SYNC_PERIOD
    }

    /// Has `files` forced to the disk, and a mark into the journal after that, unless the last time is still going on.
    pub(in crate::score) fn sync(&mut self, files: Vec<File>) -> Result<(), BoxError> {
        self.flush()?;
        self.synced = Instant::now();
        self.is_long = true;
        let mark = serde_json::to_vec(&Entry::Synced)?;
        let _ = self.syncer.request(files, mark);
        Ok(())
    }

    /// Notes that everything is written. After a long run `files` are on the disk then.
    pub(in crate::score) fn complete(&mut self, files: &[File]) -> Result<(), BoxError> {
        if self.is_long {
            files.iter().try_for_each(File::sync_data)?;
        }
        self.append(&Entry::Complete)?;
        if self.is_long
            && let Some(journal) = &self.journal
        {
            journal.sync()?;
        }
        Ok(())
    }

    /// The output has its name: the journal is of no more use.
    pub(in crate::score) fn close(mut self) -> Result<(), StoreError> {
        self.keep = true;
        self.journal.take().map_or(Ok(()), Journal::remove)
    }

    /// The files to be removed if the run is to leave nothing.
    pub(in crate::score) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Writes what is to be written.
    pub(in crate::score) fn flush(&mut self) -> Result<(), StoreError> {
        self.flushed = Instant::now();
        self.journal.as_mut().map_or(Ok(()), Journal::flush)
    }

    fn append(&mut self, entry: &Entry) -> Result<(), BoxError> {
        self.push(entry)?;
        Ok(self.flush()?)
    }

    fn push(&mut self, entry: &Entry) -> Result<(), BoxError> {
        let line = serde_json::to_vec(entry)?;
        if let Some(journal) = &mut self.journal {
            journal.push(&line);
        }
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if self.keep {
            // What is not written is done again.
            let _ = self.flush();
        } else {
            // Nobody is left to be told; the next run overwrites it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
