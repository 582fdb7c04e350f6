//! Going on with a run that was cut off.
//!
//! A run that writes a file keeps a journal beside it: what the run is about ([`entry::Terms`]), and an [`entry::Done`]
//! for each shard whose bytes are in the output. [`log`] writes it; [`recover`] reads it and finds how much of the output
//! can be relied upon.
//!
//! A killed process loses nothing that it has written, so then the journal is right as it is. A power cut may take what
//! was not on the disk yet, and may take it from the output and not from the journal. So every few seconds the output is
//! forced to the disk, and a mark into the journal after it; what the journal says after its last mark is believed only
//! if the bytes in the output have the checksum that it gives.

pub(super) mod entry;
pub(super) mod log;
pub(super) mod recover;
