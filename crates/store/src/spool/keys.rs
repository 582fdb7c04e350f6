//! The keys of requests that were taken, so that one that is sent again is not taken again.
//!
//! They are in the entries of the segments. Before a segment is deleted its keys go into a file of their own.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::folder::{create, open};
use crate::syncer::sync_name;

/// How long a key is kept, in microseconds: a day.
const AGE: i64 = 24 * 3600 * 1_000_000;
/// A key in the file: its hash, its time, and a CRC-32 of both.
const RECORD: usize = 20;

/// The keys of the last 24 hours, as hashes of 64 bits, up to a limit.
#[derive(Debug)]
pub(super) struct Keys {
    known: HashSet<u64>,
    /// By the time at which they came, more or less: they come from several threads.
    order: VecDeque<(i64, u64)>,
    limit: usize,
    /// The time of the youngest key that had to go before its time.
    forgotten: Option<i64>,
    /// How long the file is.
    len: u64,
}

impl Keys {
    /// No keys, and room for `limit`.
    pub(super) fn new(limit: usize) -> Keys {
        Keys {
            known: HashSet::new(),
            order: VecDeque::new(),
            limit: limit.max(1),
            forgotten: None,
            len: 0,
        }
    }

    /// Reads the file, if there is one. A record that is damaged is one key less; returns how many there were.
    pub(super) fn load(&mut self, path: &Path) -> io::Result<u64> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let (records, _) = bytes.as_chunks::<RECORD>();
        let mut damaged = 0;
        for record in records {
            match parse(record) {
                Some((time, hash)) => self.insert(hash, time),
                None => damaged += 1,
            }
        }
        self.len = (records.len() * RECORD) as u64;
        Ok(damaged)
    }

    /// Whether a request with this key was taken within a day before `now`.
    pub(super) fn contains(&mut self, key: u128, now: i64) -> bool {
        self.expire(now);
        self.known.contains(&hash(key))
    }

    /// Notes that a request was taken.
    pub(super) fn add(&mut self, key: u128, now: i64) {
        self.insert(hash(key), now);
        self.expire(now);
    }

    /// Returns since when no key was forgotten, if one was before its day was over.
    pub(super) fn since(&self) -> Option<i64> {
        self.forgotten
    }

    fn insert(&mut self, hash: u64, time: i64) {
        if !self.known.insert(hash) {
            return;
        }
        self.order.push_back((time, hash));
        if self.order.len() > self.limit
            && let Some((time, hash)) = self.order.pop_front()
        {
            self.known.remove(&hash);
            self.forgotten = self.forgotten.max(Some(time));
        }
    }

    fn expire(&mut self, now: i64) {
        while let Some(&(time, hash)) = self.order.front()
            && time < now.saturating_sub(AGE)
        {
            self.order.pop_front();
            self.known.remove(&hash);
        }
    }

    /// Forces keys of entries that are about to be deleted to the disk.
    pub(super) fn save(&mut self, path: &Path, keys: &[(u128, i64)]) -> io::Result<()> {
        let known: Vec<_> = keys
            .iter()
            .filter(|(key, _)| self.known.contains(&hash(*key)))
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        let live = (self.order.len() * RECORD) as u64;
        if self.len > 2 * live + (64 << 10) {
            return self.rewrite(path);
        }
        let bytes: Vec<u8> = known
            .iter()
            .flat_map(|(key, time)| render(hash(*key), *time))
            .collect();
        let (file, is_new) = match open(path)? {
            Some(file) => (file, false),
            None => (create(path)?, true),
        };
        file.write_all_at(&bytes, self.len)?;
        file.sync_data()?;
        if is_new {
            sync_name(path)?;
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Writes a new file with the keys that still count.
    fn rewrite(&mut self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        let bytes: Vec<u8> = self
            .order
            .iter()
            .flat_map(|&(time, hash)| render(hash, time))
            .collect();
        let file: File = create(&new)?;
        file.write_all_at(&bytes, 0)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_name(path)?;
        self.len = bytes.len() as u64;
        Ok(())
    }
}

/// Keys are hashes or chosen at random; 64 bits are enough to tell a million of them apart.
fn hash(key: u128) -> u64 {
    let bytes = key.to_le_bytes();
    let (halves, _) = bytes.as_chunks();
    halves.iter().fold(0, |hash: u64, half| {
        hash.rotate_left(1) ^ u64::from_le_bytes(*half)
    })
}

fn render(hash: u64, time: i64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..8].copy_from_slice(&hash.to_le_bytes());
    record[8..16].copy_from_slice(&time.to_le_bytes());
    let crc = crc32fast::hash(&record[..16]);
    record[16..].copy_from_slice(&crc.to_le_bytes());
    record
}

fn parse(record: &[u8; RECORD]) -> Option<(i64, u64)> {
    let (hash, rest) = record.split_first_chunk()?;
    let (time, rest) = rest.split_first_chunk()?;
    let crc = rest.first_chunk()?;
    let is_sound = crc32fast::hash(&record[..16]) == u32::from_le_bytes(*crc);
    is_sound.then(|| (i64::from_le_bytes(*time), u64::from_le_bytes(*hash)))
}
