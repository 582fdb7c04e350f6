//! Compares what an earlier run wrote with the checksums in its journal, all of it: what was on the disk once may have
//! been changed since.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use moodring_store::{StoreError, Written};

use super::super::plan::Plan;
use super::entry::{Extent, ShardRecord};
use crate::run::progress::Checking;

/// More readers than this do not make a disk faster.
const MAX_READERS: usize = 8;

/// The files that an earlier run wrote.
pub(super) struct Files {
    output: Written,
    rejects: Option<Written>,
    quarantine: Option<Written>,
}

impl Files {
    /// The part files of the plan's output; `None` if the output's own is missing.
    pub(super) fn unfinished(plan: &Plan) -> Result<Option<Self>, StoreError> {
        Self::open(plan, Written::part)
    }

    /// The files under their names; `None` if the output is missing.
    pub(super) fn named(plan: &Plan) -> Result<Option<Self>, StoreError> {
        Self::open(plan, Written::named)
    }

    fn open(
        plan: &Plan,
        open: fn(&Path) -> Result<Option<Written>, StoreError>,
    ) -> Result<Option<Self>, StoreError> {
        let open = |path: &Option<PathBuf>| path.as_deref().map_or(Ok(None), open);
        let Some(output) = open(&plan.output)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            output,
            rejects: open(&plan.rejects)?,
            quarantine: open(&plan.quarantine)?,
        }))
    }

    /// Counts the shards whose bytes are all in the files, up to the first that has a damaged one; `None` if even the
    /// header is damaged.
    pub(super) fn count_valid(
        &self,
        header: Extent,
        done: &[ShardRecord],
        progress: &Checking,
    ) -> Result<Option<usize>, StoreError> {
        let outputs = done.iter().map(|done| done.output);
        let outputs: Vec<_> = [header].into_iter().chain(outputs).collect();
        let Some(shards) = count_valid_extents(&self.output, &outputs, progress)?.checked_sub(1)
        else {
            return Ok(None);
        };
        let kept = |file: &Option<Written>, pick: fn(&ShardRecord) -> Extent| {
            count_valid_prefixes(file.as_ref(), done.iter().map(pick), progress)
        };
        let rejects = kept(&self.rejects, |done| done.rejects)?;
        let quarantine = kept(&self.quarantine, |done| done.quarantine)?;
        Ok(Some(shards.min(rejects).min(quarantine)))
    }

    /// Whether each file is exactly as long as the journal says. A side file that the run did not create does not count.
    pub(super) fn have_expected_lengths(&self, header: Extent, done: &[ShardRecord]) -> bool {
        let last = done.last();
        let has = |file: &Option<Written>, pick: fn(&ShardRecord) -> Extent| {
            let len = last.map(pick).unwrap_or_default().len;
            len == 0 || file.as_ref().is_some_and(|file| file.len() == len)
        };
        self.output.len() == last.map_or(header, |done| done.output).end()
            && has(&self.rejects, |done| done.rejects)
            && has(&self.quarantine, |done| done.quarantine)
    }
}

/// Counts the extents, up to the first that is damaged, which follow each other in the file and have their checksums.
/// Several threads read them.
fn count_valid_extents(
    file: &Written,
    extents: &[Extent],
    progress: &Checking,
) -> Result<usize, StoreError> {
    let mut end = 0;
    let follows = |extent: &&Extent| extent.at == std::mem::replace(&mut end, extent.end());
    let next = AtomicUsize::new(0);
    let sound = AtomicUsize::new(extents.iter().take_while(follows).count());
    let check = || -> Result<(), StoreError> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= sound.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Extent {
                at: from,
                len,
                checksum,
            } = extents[at];
            if file.checksum(0, from, len)? != Some(checksum) {
                sound.fetch_min(at, Ordering::Relaxed);
            }
            progress.advance(len);
        }
    };
    let readers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        // Where the system refuses a thread, fewer do it.
        let others: Vec<_> = (1..readers.min(MAX_READERS))
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, check).ok())
            .collect();
        let outcomes = others.into_iter().map(|other| match other.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        let own = check();
        outcomes.fold(own, Result::and)
    })?;
    Ok(sound.into_inner())
}

/// Counts the extents, up to the first that is damaged, which have their checksums in the file. Each one is the whole file
/// as it was then.
fn count_valid_prefixes(
    file: Option<&Written>,
    extents: impl Iterator<Item = Extent>,
    progress: &Checking,
) -> Result<usize, StoreError> {
    let (mut known, mut sound) = (Extent::default(), 0);
    for extent in extents {
        if extent != known {
            let Some((file, more)) = file.zip(extent.len.checked_sub(known.len)) else {
                break;
            };
            if file.checksum(known.checksum, known.len, more)? != Some(extent.checksum) {
                break;
            }
            progress.advance(more);
            known = extent;
        }
        sound += 1;
    }
    Ok(sound)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn piece(bytes: &[u8], at: usize, len: usize) -> Extent {
        Extent {
            at: at as u64,
            len: len as u64,
            checksum: crc32fast::hash(&bytes[at..at + len]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn all_before_the_first_damaged_byte_is_sound_and_nothing_after(
            lens in prop::collection::vec(0..300_usize, 1..20),
            at: prop::sample::Index,
            cut: bool,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out");
            let mut bytes: Vec<u8> = (0..=250).cycle().take(lens.iter().sum()).collect();
            let ends: Vec<usize> = lens.iter().scan(0, |end, len| { *end += len; Some(*end) }).collect();
            let pieces: Vec<_> = ends.iter().zip(&lens).map(|(end, &len)| piece(&bytes, end - len, len)).collect();
            let prefixes: Vec<_> = ends.iter().map(|&end| piece(&bytes, 0, end)).collect();
            let damaged = at.index(bytes.len() + 1);
            if cut {
                bytes.truncate(damaged);
            } else if let Some(byte) = bytes.get_mut(damaged) {
                *byte ^= 4;
            }
            fs::write(&path, &bytes).unwrap();
            let file = Written::named(&path).unwrap().unwrap();
            let progress = Checking::start(true, 0);
            let expected = ends.iter().take_while(|&&end| end <= damaged).count();
            prop_assert_eq!(count_valid_extents(&file, &pieces, &progress).unwrap(), expected);
            let sound = count_valid_prefixes(Some(&file), prefixes.iter().copied(), &progress).unwrap();
            prop_assert_eq!(sound, expected);
        }
    }

    #[test]
    fn a_missing_file_bears_out_only_what_is_empty() {
        let some = piece(b"bytes", 0, 5);
        let pieces = [Extent::default(), Extent::default(), some];
        let progress = Checking::start(true, 0);
        assert_eq!(
            count_valid_prefixes(None, pieces.into_iter(), &progress).unwrap(),
            2
        );
    }
}
