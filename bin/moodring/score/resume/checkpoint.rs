//! Reads the journal: how much of an unfinished output can be relied upon.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use moodring_feed::{Position, SourceId, name_of};
use moodring_store::{Entries, Journal, LazyFile, StoreError, Written};

use super::super::plan::Plan;
use super::super::totals::Totals;
use super::entry::{Entry, Extent, RunFingerprint, ShardRecord};
use super::verify::Files;
use crate::exit::{Failure, warn};
use crate::run::progress::Checking;
use crate::run::store_failure;

/// What an earlier run left.
pub(in crate::score) struct PriorRun {
    pub(in crate::score) entries: Entries,
    pub(in crate::score) fingerprint: RunFingerprint,
    /// The shards that are in the output, in the order of their release.
    pub(in crate::score) done: Vec<ShardRecord>,
    /// How many there are in all, if the run noted that they are.
    total: Option<u64>,
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
pub(in crate::score) fn warn_of_lost_work(plan: &Plan) {
    let left = |output: &Path| {
        Journal::path_of(output).exists() && Written::part(output).is_ok_and(|part| part.is_some())
    };
    if plan.output.as_deref().is_some_and(left) {
        tracing::warn!(
            "an earlier run of this output was cut off; starting over, as --resume was not given"
        );
    }
}

impl PriorRun {
    /// What the journal beside the plan's output says; `None` if there is none. The fingerprint of the run must be those of
    /// the plan.
    pub(in crate::score) fn find(plan: &Plan) -> Result<Option<Self>, Failure> {
        let Some(output) = &plan.output else {
            return Err(Failure::Usage(anyhow!(
                "--resume needs an output file; name it with -o"
            )));
        };
        // Refuses what cannot be resumed even if there is no journal yet.
        let now = RunFingerprint::of(plan, Extent::default())?;
        let entries = Journal::read(&Journal::path_of(output)).map_err(store_failure)?;
        let Some(prior) = Self::parse(entries)
            .with_context(|| {
                let journal = Journal::path_of(output);
                format!(
                    "cannot understand \"{}\"; remove it to start over",
                    name_of(&journal)
                )
            })
            .map_err(Failure::Usage)?
        else {
            tracing::info!("there is nothing to resume; starting at the beginning");
            return Ok(None);
        };
        if let Some(difference) = prior.fingerprint.difference(&now) {
            return Err(Failure::Usage(anyhow!(
                "cannot resume \"{}\": {difference}; run the command as it was, or without --resume to start over",
                name_of(output)
            )));
        }
        check_untouched(plan, &prior.fingerprint, &now)?;
        let rejects: u64 = prior.done.iter().map(|done| done.counts.rejects).sum();
        if plan.strict && rejects > 0 {
            return Err(Failure::Failed(anyhow!(
                "cannot resume \"{}\" with --strict: {rejects} of its records are malformed, and set aside; resume without --strict to keep them so",
                name_of(output)
            )));
        }
        Ok(Some(prior))
    }

    pub(super) fn parse(entries: Entries) -> anyhow::Result<Option<Self>> {
        let mut done = BTreeMap::new();
        let (mut fingerprint, mut total) = (None, None);
        for entry in &entries.entries {
            match serde_json::from_slice(entry)? {
                Entry::Fingerprint(these) => fingerprint = Some(these),
                Entry::Done(shard) => drop(done.insert(shard.release, *shard)),
                Entry::Resumed(releases) => {
                    drop(done.split_off(&releases));
                    total = None;
                }
                Entry::Complete(shards) => total = Some(shards),
            }
        }
        let Some(fingerprint) = fingerprint else {
            return Ok(None);
        };
        let whole = contiguous(&done);
        Ok(Some(Self {
            entries,
            fingerprint,
            done: done.into_values().take(whole).collect(),
            total,
        }))
    }

    /// Whether all shards are done.
    pub(in crate::score) fn is_complete(&self) -> bool {
        self.total == Some(self.done.len() as u64)
    }

    /// What the run came to, if it is complete and its files have their names. `None` if there is something to do.
    ///
    /// Fails if the output has its name, and it or a file beside it is not as the run left it.
    pub(in crate::score) fn finished(&self, plan: &Plan) -> Result<Option<Totals>, Failure> {
        if !self.is_complete()
            || Written::part(output_of(plan))
                .map_err(store_failure)?
                .is_some()
        {
            return Ok(None);
        }
        let mut totals = Totals::default();
        for done in &self.done {
            totals.add(&done.counts);
        }
        totals.mark_as_prior();
        let aside = |path: &Option<PathBuf>, pick: fn(&ShardRecord) -> Extent| {
            path.clone().filter(|_| self.last(pick).len > 0)
        };
        totals.rejects_file = aside(&plan.rejects, |done| done.rejects);
        totals.quarantine_file = aside(&plan.quarantine, |done| done.quarantine);
        let Some(files) = Files::named(plan).map_err(store_failure)? else {
            let is_finished = totals.is_worthless() && self.has_side_files(plan)?;
            return Ok(is_finished.then_some(totals));
        };
        if !files.have_expected_lengths(self.fingerprint.header, &self.done)
            || !self.matches_checksums(plan, &files)?
        {
            if plan.force {
                return Ok(None);
            }
            return Err(Failure::Usage(anyhow!(
                "\"{}\", or a file of records set aside beside it, is not as the run that is complete left it; add --force to score everything again",
                name_of(output_of(plan))
            )));
        }
        Ok(Some(totals))
    }

    fn matches_checksums(&self, plan: &Plan, files: &Files) -> Result<bool, Failure> {
        let sound = files.count_valid(self.fingerprint.header, &self.done, &self.progress(plan));
        Ok(sound.map_err(store_failure)? == Some(self.done.len()))
    }

    /// Drops what the unfinished files do not bear out. False if not even the header is there.
    ///
    /// The part file must be locked: files whose names a run that was cut off gave before the output has its own lose
    /// them again.
    pub(in crate::score) fn verify(&mut self, plan: &Plan) -> Result<bool, StoreError> {
        if self.is_complete() {
            self.unname(plan.rejects.as_deref(), |done| done.rejects)?;
            self.unname(plan.quarantine.as_deref(), |done| done.quarantine)?;
        }
        let sound = match Files::unfinished(plan)? {
            Some(files) => {
                files.count_valid(self.fingerprint.header, &self.done, &self.progress(plan))?
            }
            None => None,
        };
        let known = self.done.len();
        self.done.truncate(sound.unwrap_or(0));
        if self.done.len() < known {
            tracing::warn!(
                "of the {known} shards that an earlier run did, {} are not in its files as it wrote them, or come after such a one; they are done again",
                known - self.done.len()
            );
        }
        Ok(sound.is_some())
    }

    /// Whether the files beside the output are there as the complete run wrote them.
    fn has_side_files(&self, plan: &Plan) -> Result<bool, Failure> {
        let rejects = is_intact(plan.rejects.as_deref(), self.last(|done| done.rejects));
        let quarantine = is_intact(
            plan.quarantine.as_deref(),
            self.last(|done| done.quarantine),
        );
        Ok(rejects.map_err(store_failure)? && quarantine.map_err(store_failure)?)
    }

    /// Makes a file beside the output unfinished again, if it is there as the complete run wrote it.
    fn unname(
        &self,
        path: Option<&Path>,
        pick: fn(&ShardRecord) -> Extent,
    ) -> Result<(), StoreError> {
        let Extent { len, checksum, .. } = self.last(pick);
        let Some(path) = path.filter(|_| len > 0) else {
            return Ok(());
        };
        if Written::part(path)?.is_some() {
            return Ok(());
        }
        match Written::named(path)? {
            Some(file) if file.len() == len && file.checksum(0, 0, len)? == Some(checksum) => {
                file.unname()
            }
            _ => Ok(()),
        }
    }

    fn progress(&self, plan: &Plan) -> Checking {
        let asides = self.last(|done| done.rejects).len + self.last(|done| done.quarantine).len;
        Checking::start(plan.quiet, self.output_len() + asides)
    }

    fn last(&self, pick: fn(&ShardRecord) -> Extent) -> Extent {
        self.done.last().map(pick).unwrap_or_default()
    }

    /// Where the output ends that can be relied upon.
    pub(in crate::score) fn output_len(&self) -> u64 {
        let last = self
            .done
            .last()
            .map_or(self.fingerprint.header, |done| done.output);
        last.end()
    }

    /// Opens a file beside the output, as it was after the last shard.
    pub(in crate::score) fn reopen(
        &self,
        path: &Path,
        replace: bool,
        pick: fn(&ShardRecord) -> Extent,
    ) -> Result<LazyFile, StoreError> {
        let Extent { len, checksum, .. } = self.last(pick);
        LazyFile::reopen(path, replace, len, checksum)
    }

    /// Where to go on in the input.
    pub(in crate::score) fn start(&self) -> Start {
        let by_index: BTreeMap<u64, &ShardRecord> =
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

/// Refuses inputs that have their size and time, but may have other content: they were written and given the old time, or
/// replaced. Who knows better can say so with --force.
fn check_untouched(plan: &Plan, was: &RunFingerprint, now: &RunFingerprint) -> Result<(), Failure> {
    let Some(input) = was
        .first_touched(now)
        .and_then(|at| plan.source.inputs.get(at))
    else {
        return Ok(());
    };
    let said = format!(
        "`{}` has the size and the time that it had, but was changed or replaced since",
        input.name
    );
    if plan.force {
        warn(&format!(
            "{said}; the run is continued, as --force was given"
        ));
        return Ok(());
    }
    Err(Failure::Usage(anyhow!(
        "cannot resume \"{}\": {said}; if it holds the same posts (it was restored from a copy, or only its permissions or \
         links changed), add --force; otherwise start over without --resume",
        name_of(output_of(plan))
    )))
}

/// Whether a file that is complete has these bytes; a file of no bytes need not exist.
fn is_intact(
    path: Option<&Path>,
    Extent { len, checksum, .. }: Extent,
) -> Result<bool, StoreError> {
    let Some(path) = path.filter(|_| len > 0) else {
        return Ok(true);
    };
    match Written::named(path)? {
        Some(file) => Ok(file.len() == len && file.checksum(0, 0, len)? == Some(checksum)),
        None => Ok(false),
    }
}

/// The name of the output, which a run that can be resumed has.
fn output_of(plan: &Plan) -> &Path {
    plan.output.as_deref().unwrap_or(Path::new(""))
}

/// How many releases there are from the first on without a gap.
fn contiguous(done: &BTreeMap<u64, ShardRecord>) -> usize {
    (0..)
        .zip(done.keys())
        .take_while(|(at, release)| at == *release)
        .count()
}

#[cfg(test)]
mod tests {
    use super::super::entry::Counts;
    use super::*;

    fn done(release: u64, index: u64) -> Entry {
        Entry::Done(Box::new(ShardRecord {
            release,
            index,
            source: 0,
            end: 10 * (index + 1),
            output: Extent::default(),
            rejects: Extent::default(),
            quarantine: Extent::default(),
            counts: Counts::default(),
        }))
    }

    fn parsed(entries: &[Entry]) -> PriorRun {
        let fingerprint = r#"{"terms":{"settings":[],"shard_size":1,"block_size":1,"header":{"at":0,"len":0,"checksum":0}}}"#;
        let lines = entries
            .iter()
            .map(|entry| serde_json::to_vec(entry).unwrap());
        let entries = Entries {
            entries: [fingerprint.as_bytes().to_vec()]
                .into_iter()
                .chain(lines)
                .collect(),
            len: 0,
        };
        PriorRun::parse(entries).unwrap().unwrap()
    }

    #[test]
    fn only_releases_without_a_gap_count() {
        let prior = parsed(&[done(0, 0), done(2, 2), done(1, 1), done(4, 4)]);
        assert_eq!(prior.done.len(), 3);
        let start = prior.start();
        assert_eq!(start.index, 3);
        assert_eq!(start.position.unwrap().offset, 30);
        assert!(start.done.is_empty());
    }

    #[test]
    fn a_run_that_went_on_voids_what_it_did_not_rely_on() {
        let prior = parsed(&[
            done(0, 0),
            done(1, 1),
            Entry::Complete(2),
            Entry::Resumed(1),
            done(2, 2),
        ]);
        assert_eq!(prior.done.len(), 1);
        assert!(!prior.is_complete());
    }

    #[test]
    fn a_run_is_complete_only_if_all_its_shards_are_known() {
        assert!(parsed(&[Entry::Complete(0)]).is_complete());
        assert!(parsed(&[done(1, 1), done(0, 0), Entry::Complete(2)]).is_complete());
        assert!(!parsed(&[done(0, 0), done(1, 1)]).is_complete());
        assert!(!parsed(&[done(0, 0), Entry::Complete(2)]).is_complete());
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
