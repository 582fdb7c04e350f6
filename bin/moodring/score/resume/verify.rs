//! Compares what an earlier run wrote with the checksums in its journal, all of it: what was on the disk once may have
//! been changed since.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use moodring_store::{StoreError, Written};

use super::super::plan::Plan;
use super::entry::{Done, Piece};
use super::recover::Earlier;
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

    /// How many of the shards have all of their bytes in the files, from the first on without a gap; `None` if not even
    /// the header is there.
    pub(super) fn sound(
        &self,
        earlier: &Earlier,
        progress: &Checking,
    ) -> Result<Option<usize>, StoreError> {
        let outputs = earlier.done.iter().map(|done| done.output);
        let outputs: Vec<_> = [earlier.terms.header].into_iter().chain(outputs).collect();
        let Some(shards) = sound_pieces(&self.output, &outputs, progress)?.checked_sub(1) else {
            return Ok(None);
        };
        let kept = |file: &Option<Written>, pick: fn(&Done) -> Piece| {
            sound_prefixes(file.as_ref(), earlier.done.iter().map(pick), progress)
        };
        let rejects = kept(&self.rejects, |done| done.rejects)?;
        let quarantine = kept(&self.quarantine, |done| done.quarantine)?;
        Ok(Some(shards.min(rejects).min(quarantine)))
    }

    /// Whether each file is as long as the journal says, and no longer. There may be a file that the run did not make.
    pub(super) fn have_the_length(&self, earlier: &Earlier) -> bool {
        let last = earlier.done.last();
        let has = |file: &Option<Written>, pick: fn(&Done) -> Piece| {
            let len = last.map(pick).unwrap_or_default().len;
            len == 0 || file.as_ref().is_some_and(|file| file.len() == len)
        };
        self.output.len() == earlier.output_len()
            && has(&self.rejects, |done| done.rejects)
            && has(&self.quarantine, |done| done.quarantine)
    }
}

/// How many of the pieces, which follow each other, are in the file with their checksums, from the first on without a
/// gap. They are read side by side.
fn sound_pieces(
    file: &Written,
    pieces: &[Piece],
    progress: &Checking,
) -> Result<usize, StoreError> {
    let mut end = 0;
    let follows = |piece: &&Piece| piece.at == std::mem::replace(&mut end, piece.at + piece.len);
    let next = AtomicUsize::new(0);
    let sound = AtomicUsize::new(pieces.iter().take_while(follows).count());
    let check = || -> Result<(), StoreError> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= sound.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Piece {
                at: from,
                len,
                checksum,
            } = pieces[at];
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

/// How many of the pieces are in the file with their checksums, where each is the whole file as it was then.
fn sound_prefixes(
    file: Option<&Written>,
    pieces: impl Iterator<Item = Piece>,
    progress: &Checking,
) -> Result<usize, StoreError> {
    let (mut known, mut sound) = (Piece::default(), 0);
    for piece in pieces {
        if piece != known {
            let Some((file, more)) = file.zip(piece.len.checked_sub(known.len)) else {
                break;
            };
            if file.checksum(known.checksum, known.len, more)? != Some(piece.checksum) {
                break;
            }
            progress.advance(more);
            known = piece;
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

    fn piece(bytes: &[u8], at: usize, len: usize) -> Piece {
        Piece {
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
            prop_assert_eq!(sound_pieces(&file, &pieces, &progress).unwrap(), expected);
            let sound = sound_prefixes(Some(&file), prefixes.iter().copied(), &progress).unwrap();
            prop_assert_eq!(sound, expected);
        }
    }

    #[test]
    fn a_missing_file_bears_out_only_what_is_empty() {
        let some = piece(b"bytes", 0, 5);
        let pieces = [Piece::default(), Piece::default(), some];
        let progress = Checking::start(true, 0);
        assert_eq!(
            sound_prefixes(None, pieces.into_iter(), &progress).unwrap(),
            2
        );
    }
}
