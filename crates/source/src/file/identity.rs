//! Recognizing a file, under whatever name it is found.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};

use crate::record_buffer::{TRACE_LEN, Trace};
use crate::segment::Position;

/// Names a file as long as it exists. Afterwards another one may get the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FileId {
    pub(crate) dev: u64,
    pub(crate) inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> FileId {
        FileId {
            dev: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// Some bytes, by their number and their CRC-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Checksum {
    len: usize,
    crc: u32,
}

impl Checksum {
    fn of(bytes: &[u8]) -> Checksum {
        Checksum {
            len: bytes.len(),
            crc: crc32fast::hash(bytes),
        }
    }
}

/// What a position in a file is kept with, so that the file is recognized even if its name or its number is another's by
/// then: checksums of its first bytes and of those before the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    #[serde(flatten)]
    pub(crate) id: FileId,
    head: Checksum,
    tail: Checksum,
}

impl Mark {
    pub(crate) fn new(id: FileId, trace: &Trace) -> Mark {
        Mark {
            id,
            head: Checksum::of(&trace.head),
            tail: Checksum::of(&trace.tail),
        }
    }

    /// Whether these are the bytes before the position.
    pub(crate) fn fits(&self, trace: &Trace) -> bool {
        self.head == Checksum::of(&trace.head) && self.tail == Checksum::of(&trace.tail)
    }

    /// Whether there were any bytes before the position.
    pub(crate) fn knows_content(&self) -> bool {
        self.head.len > 0
    }

    pub(crate) fn position(&self, offset: u64) -> Position {
        Position {
            context: serde_json::to_string(self).unwrap_or_default(),
            offset,
        }
    }

    /// The mark of a position, if a file source made it.
    pub(crate) fn of_position(position: &Position) -> Option<Mark> {
        serde_json::from_str(&position.context).ok()
    }
}

/// Reads the bytes that a trace of the first `offset` bytes of a file consists of. `None` if the file is shorter.
pub(crate) fn trace_of(file: &File, offset: u64) -> io::Result<Option<Trace>> {
    let len = usize::try_from(offset).map_or(TRACE_LEN, |offset| offset.min(TRACE_LEN));
    let mut trace = Trace {
        head: vec![0; len],
        tail: vec![0; len],
    };
    for (bytes, at) in [(&mut trace.head, 0), (&mut trace.tail, offset - len as u64)] {
        match file.read_exact_at(bytes, at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
    }
    Ok(Some(trace))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_mark_survives_its_position_and_fits_only_its_bytes() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![b'x'; 5000]).unwrap();
        let trace = trace_of(&file, 3000).unwrap().unwrap();
        let id = FileId::of(&file.metadata().unwrap());
        let position = Mark::new(id, &trace).position(3000);
        assert!(position.context.len() < 300, "{}", position.context);

        let mark = Mark::of_position(&position).unwrap();
        assert_eq!(mark.id, id);
        assert!(mark.fits(&trace));
        file.write_all_at(b"y", 2999).unwrap();
        assert!(!mark.fits(&trace_of(&file, 3000).unwrap().unwrap()));
        assert_eq!(trace_of(&file, 5001).unwrap(), None);
    }

    #[test]
    fn a_trace_in_pieces_is_the_one_in_the_file() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..5000_u32).map(|n| n.to_le_bytes()[0]).collect();
        file.write_all(&bytes).unwrap();
        for step in [1, 100, 1023, 1024, 1025, 5000] {
            let (mut trace, mut passed) = (Trace::default(), 0);
            for piece in bytes.chunks(step) {
                trace.pass(piece);
                passed += piece.len() as u64;
                assert_eq!(trace_of(&file, passed).unwrap().unwrap(), trace);
            }
        }
    }
}
