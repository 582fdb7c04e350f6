//! Writes the journal.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use moodring_pool::{BoxError, ShardId};
use moodring_store::{Journal, StoreError, Syncer};

use super::entry::{Entry, RunFingerprint, ShardRecord};

/// How much work a power cut may cost.
const SYNC_PERIOD: Duration = Duration::from_secs(5);

/// How long a shard may be done before the journal says so. What a kill takes of that is done again; a write for each shard
/// would cost more than the shard's dispatch where shards are small.
const FLUSH_PERIOD: Duration = Duration::from_millis(10);

/// The journal of a running run. Dropping it removes the file, unless it is to be [kept](JournalWriter::keep).
pub(in crate::score) struct JournalWriter {
    journal: Option<Journal>,
    path: PathBuf,
    syncer: Syncer,
    /// How many shards have been released, by all the runs of this journal.
    releases: u64,
    /// Whether any shard is complete.
    any_done: bool,
    /// Released shards whose bytes may not be in the output yet.
    under_way: HashMap<ShardId, ShardRecord>,
    /// When the journal was last written.
    flushed: Instant,
    /// When the disk was last asked to keep up.
    synced: Instant,
    keep: bool,
}

impl JournalWriter {
    /// Starts the journal of a new run.
    pub(in crate::score) fn start(
        path: PathBuf,
        fingerprint: RunFingerprint,
    ) -> Result<Self, BoxError> {
        // The thread first: if there is none to be had, no file is left behind.
        let syncer = Syncer::start(&path)?;
        let mut writer = Self::new(Journal::create(&path)?, syncer, path, 0);
        writer.append(&Entry::Fingerprint(fingerprint))?;
        Ok(writer)
    }

    /// Continues a journal of which this many releases are valid.
    pub(in crate::score) fn resume(
        journal: Journal,
        path: PathBuf,
        releases: u64,
    ) -> Result<Self, BoxError> {
        let syncer = Syncer::start(&path)?;
        let mut writer = Self::new(journal, syncer, path, releases);
        writer.keep = true;
        writer.append(&Entry::Resumed(releases))?;
        Ok(writer)
    }

    fn new(journal: Journal, syncer: Syncer, path: PathBuf, releases: u64) -> Self {
        Self {
            syncer,
            journal: Some(journal),
            path,
            releases,
            any_done: releases > 0,
            under_way: HashMap::new(),
            flushed: Instant::now(),
            synced: Instant::now(),
            keep: false,
        }
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
    pub(in crate::score) fn released(&mut self, shard: ShardId, done: ShardRecord) {
        self.releases += 1;
        self.under_way.insert(shard, done);
    }

    /// Notes that the bytes of a released shard are in the output.
    pub(in crate::score) fn completed(&mut self, shard: ShardId) -> Result<(), BoxError> {
        if let Some(done) = self.under_way.remove(&shard) {
            self.push(&Entry::Done(Box::new(done)))?;
            self.any_done = true;
            if self.flushed.elapsed() >= FLUSH_PERIOD {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Whether it is time to [sync](JournalWriter::sync).
    pub(in crate::score) fn is_sync_due(&self) -> bool {
        self.synced.elapsed() >= SYNC_PERIOD
    }

    /// Has `files` and the journal forced to the disk in the background, unless the last time is still going on.
    pub(in crate::score) fn sync(&mut self, mut files: Vec<File>) -> Result<(), BoxError> {
        self.flush()?;
        self.synced = Instant::now();
        if let Some(journal) = &self.journal {
            files.push(journal.descriptor()?);
        }
        self.syncer.request(files)?;
        Ok(())
    }

    /// Notes, on the disk, that everything is written.
    pub(in crate::score) fn complete(&mut self) -> Result<(), BoxError> {
        self.append(&Entry::Complete(self.releases))?;
        Ok(self.journal.as_ref().map_or(Ok(()), Journal::sync)?)
    }

    /// The output has its name. The journal stays if it is to say so; otherwise it is of no more use.
    pub(in crate::score) fn close(mut self, stays: bool) -> Result<(), StoreError> {
        self.keep = true;
        let journal = self.journal.take_if(|_| !stays);
        journal.map_or(Ok(()), Journal::remove)
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

impl Drop for JournalWriter {
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
