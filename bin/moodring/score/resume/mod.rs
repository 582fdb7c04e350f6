//! Going on with a run that was cut off.
//!
//! A run that writes a file keeps a journal beside it: what the run is about ([`entry::RunFingerprint`]), and an [`entry::ShardRecord`]
//! for each shard whose bytes are in the output. [`journal`] writes it; [`checkpoint`] reads it, and [`verify`]
//! finds how much of what it speaks of can be relied upon.
//!
//! A killed process loses nothing that it has written. A power cut may take what was not on the disk yet, and may take it
//! from the output and not from the journal; disks fail, and people move files. So the journal is believed only where
//! the bytes in the files have the checksums that it gives: the run resumes behind the last shard of which, and of all
//! before it, that is true. How much a power cut can take is bounded: every few seconds all files are forced to the disk.
//!
//! The journal of a run with `--resume` stays when the run is complete. It says which run the output is of, so that the
//! same command, given again, knows that there is nothing left to do. Nothing else could say so exactly: an extended
//! attribute is lost when the file is copied and does not exist on every file system, and to score everything again
//! to compare takes as long as the run. A run without the flag leaves nothing behind.

pub(super) mod checkpoint;
pub(super) mod entry;
pub(super) mod journal;
mod verify;

#[cfg(test)]
mod fuzz;
