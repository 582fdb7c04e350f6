//! Reads the journal: how much of an unfinished output can be relied upon.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use moodring_feed::{Position, SourceId};
use moodring_store::{Entries, Journal, LazyFile, PartFile, StoreError};

use super::super::ledger::Totals;
use super::super::plan::Plan;
use super::entry::{Done, Entry, Piece, Terms};
use crate::exit::Failure;
use crate::run::store_failure;

/// What an earlier run left.
pub(in crate::score) struct Earlier {
    pub(in crate::score) entries: Entries,
    pub(in crate::score) terms: Terms,
    /// The shards that are in the output, in the order of their release.
    pub(in crate::score) done: Vec<Done>,
    /// How many of them are on the disk for certain.
    synced: usize,
    /// Whether only the files' names are missing.
    pub(in crate::score) complete: bool,
}

/// Where to go on in the input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// Behind which shard; none: at the beginning.
    pub(crate) position: Option<Position>,
    /// The number of the next shard.
    pub(crate) index: u64,
    /// The numbers of those after it that are done.
    pub(crate) done: HashSet<u64>,
}

/// Says so if the run starts over where it could have gone on.
pub(in crate::score) fn tell_of_lost_work(plan: &Plan) {
    let journal = plan.output.as_deref().map(Journal::path_of);
    if journal.is_some_and(|journal| journal.exists()) {
        tracing::warn!(
            "an earlier run of this output was cut off; starting over, as --resume was not given"
        );
    }
}

impl Earlier {
    /// What the journal beside the plan's output says; `None` if there is none. The terms of the run must be those of
    /// the plan.
    pub(in crate::score) fn find(plan: &Plan) -> Result<Option<Self>, Failure> {
        let Some(output) = &plan.output else {
            return Err(Failure::Usage(anyhow!(
                "--resume needs a file to go on with; name it with -o"
            )));
        };
        // Says what cannot be gone on with, even before there is something.
        let now = Terms::of(plan, Piece::default())?;
        let entries = Journal::read(&Journal::path_of(output)).map_err(store_failure)?;
        let Some(earlier) = Self::parse(entries)
            .with_context(|| {
                let journal = Journal::path_of(output);
                format!(
                    "cannot understand \"{}\"; remove it to start over",
                    journal.display()
                )
            })
            .map_err(Failure::Usage)?
        else {
            tracing::info!("there is nothing to resume; starting at the beginning");
            return Ok(None);
        };
        match earlier.terms.difference(&now) {
            None => Ok(Some(earlier)),
            Some(difference) => Err(Failure::Usage(anyhow!(
                "cannot go on with \"{}\": {difference}; run the command as it was, or without --resume to start over",
                output.display()
            ))),
        }
    }

    fn parse(entries: Entries) -> anyhow::Result<Option<Self>> {
        let mut done = BTreeMap::new();
        let (mut terms, mut synced, mut complete) = (None, 0, false);
        for entry in &entries.entries {
            match serde_json::from_slice(entry)? {
                Entry::Terms(these) => terms = Some(these),
                Entry::Done(shard) => drop(done.insert(shard.release, shard)),
                Entry::Synced => synced = contiguous(&done),
                Entry::Resumed(releases) => {
                    drop(done.split_off(&releases));
                    synced = synced.min(contiguous(&done));
                }
                Entry::Complete => complete = true,
            }
        }
        let Some(terms) = terms else {
            return Ok(None);
        };
        let whole = contiguous(&done);
        Ok(Some(Self {
            entries,
            terms,
            done: done.into_values().take(whole).collect(),
            synced,
            complete,
        }))
    }

    /// Drops what the files do not bear out. False if not even the header is there.
    pub(in crate::score) fn verify(
        &mut self,
        plan: &Plan,
        output: &PartFile,
    ) -> Result<bool, StoreError> {
        if !holds(output, self.terms.header)? {
            return Ok(false);
        }
        let peek = |path: &Option<PathBuf>| match path {
            Some(path) => PartFile::peek(path),
            None => Ok(None),
        };
        let asides = [peek(&plan.rejects)?, peek(&plan.quarantine)?];
        let mut before = self.done[..self.synced].last().copied();
        let mut sound = 0;
        for (at, done) in self.done.iter().enumerate() {
            let believed = at < self.synced;
            let there = done.output.at + done.output.len <= output.len();
            let kept = |pick: fn(&Done) -> Piece, file: &Option<PartFile>| {
                let known = before.as_ref().map(pick).unwrap_or_default();
                is_extended(file.as_ref(), known, pick(done))
            };
            let is_sound = there
                && (believed
                    || holds(output, done.output)?
                        && kept(|done| done.rejects, &asides[0])?
                        && kept(|done| done.quarantine, &asides[1])?);
            if !is_sound {
                break;
            }
            sound = at + 1;
            if !believed {
                before = Some(*done);
            }
        }
        self.done.truncate(sound);
        Ok(true)
    }

    /// Where the output ends that can be relied upon.
    pub(in crate::score) fn output_len(&self) -> u64 {
        let last = self
            .done
            .last()
            .map_or(self.terms.header, |done| done.output);
        last.at + last.len
    }

    /// Opens a file beside the output, as it was after the last shard.
    pub(in crate::score) fn reopen(
        &self,
        path: &Path,
        replace: bool,
        pick: fn(&Done) -> Piece,
    ) -> Result<LazyFile, StoreError> {
        let len = self.done.last().map(pick).unwrap_or_default().len;
        LazyFile::reopen(path, replace, len)
    }

    /// Where to go on in the input.
    pub(in crate::score) fn start(&self) -> Start {
        let by_index: BTreeMap<u64, &Done> =
            self.done.iter().map(|done| (done.index, done)).collect();
        let numbers = (0..).zip(by_index.keys());
        let index = numbers.take_while(|(at, index)| at == *index).count() as u64;
        let last = index.checked_sub(1).and_then(|last| by_index.get(&last));
        Start {
            position: last.map(|done| Position {
                source: SourceId(done.source),
                offset: done.end,
            }),
            index,
            done: by_index.range(index..).map(|(&index, _)| index).collect(),
        }
    }
}

/// Ends a run of which only the files' names were missing.
pub(in crate::score) fn finish(plan: &Plan, earlier: &Earlier) -> Result<Totals, Failure> {
    let mut totals = Totals::default();
    for done in &earlier.done {
        totals.add(&done.counts);
    }
    totals.all_was_before();
    let name = |path: &Path, replace: bool| {
        let unnamed = PartFile::peek(path).map_err(store_failure)?.is_some();
        let part = if unnamed {
            PartFile::reopen(path, replace).map_err(store_failure)?
        } else {
            None
        };
        part.map_or(Ok(()), |part| part.commit().map_err(store_failure))
    };
    let last = earlier.done.last();
    let aside = |path: &Option<PathBuf>, len: u64| match path {
        Some(path) => name(path, plan.force).map(|()| (len > 0).then(|| path.clone())),
        None => Ok(None),
    };
    let lens = last.map_or((0, 0), |done| (done.rejects.len, done.quarantine.len));
    totals.rejects_file = aside(&plan.rejects, lens.0)?;
    totals.quarantine_file = aside(&plan.quarantine, lens.1)?;
    let output = plan.output.as_deref().unwrap_or(Path::new(""));
    name(output, plan.force)?;
    let journal = Journal::path_of(output);
    let journal = Journal::reopen(&journal, &earlier.entries).map_err(store_failure)?;
    journal.remove().map_err(store_failure)?;
    Ok(totals)
}

/// How many releases there are from the first on without a gap.
fn contiguous(done: &BTreeMap<u64, Done>) -> usize {
    (0..)
        .zip(done.keys())
        .take_while(|(at, release)| at == *release)
        .count()
}

/// Whether a piece of the file is what it was.
fn holds(file: &PartFile, piece: Piece) -> Result<bool, StoreError> {
    Ok(file.checksum(0, piece.at, piece.len)? == Some(piece.checksum))
}

/// Whether the file begins with `piece`, of which the part `known` is known to be right.
fn is_extended(file: Option<&PartFile>, known: Piece, piece: Piece) -> Result<bool, StoreError> {
    match file {
        _ if piece == known => Ok(true),
        Some(file) if piece.len >= known.len => {
            let sum = file.checksum(known.checksum, known.len, piece.len - known.len)?;
            Ok(sum == Some(piece.checksum))
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Counts;
    use super::*;

    fn done(release: u64, index: u64) -> Entry {
        Entry::Done(Done {
            release,
            index,
            source: 0,
            end: 10 * (index + 1),
            output: Piece::default(),
            rejects: Piece::default(),
            quarantine: Piece::default(),
            counts: Counts::default(),
        })
    }

    fn parsed(entries: &[Entry]) -> Earlier {
        let terms = r#"{"terms":{"settings":[],"shard_size":1,"block_size":1,"header":{"at":0,"len":0,"checksum":0}}}"#;
        let lines = entries
            .iter()
            .map(|entry| serde_json::to_vec(entry).unwrap());
        let entries = Entries {
            entries: [terms.as_bytes().to_vec()]
                .into_iter()
                .chain(lines)
                .collect(),
            len: 0,
        };
        Earlier::parse(entries).unwrap().unwrap()
    }

    #[test]
    fn only_releases_without_a_gap_count() {
        let earlier = parsed(&[
            done(0, 0),
            done(2, 2),
            done(1, 1),
            Entry::Synced,
            done(4, 4),
        ]);
        assert_eq!((earlier.done.len(), earlier.synced), (3, 3));
        let start = earlier.start();
        assert_eq!(start.index, 3);
        assert_eq!(start.position.unwrap().offset, 30);
        assert!(start.done.is_empty());
    }

    #[test]
    fn a_run_that_went_on_voids_what_it_did_not_rely_on() {
        let earlier = parsed(&[
            done(0, 0),
            done(1, 1),
            Entry::Synced,
            Entry::Resumed(1),
            done(2, 2),
        ]);
        assert_eq!((earlier.done.len(), earlier.synced), (1, 1));
    }

    #[test]
    fn shards_done_ahead_of_others_are_left_out() {
        let start = parsed(&[done(0, 1), done(1, 0), done(2, 4)]).start();
        assert_eq!(start.index, 2);
        assert_eq!(start.position.unwrap().offset, 20);
        assert_eq!(start.done, HashSet::from([4]));
        assert_eq!(parsed(&[done(0, 3)]).start().position, None);
    }
}
