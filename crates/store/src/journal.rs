//! A log of completed work, from which an interrupted run is continued.
//!
//! Each entry is a line: the CRC-32 of the entry as eight hexadecimal digits, a space, the entry. Reading stops at the
//! first line whose checksum does not match, such as a line that a crash cut short. Each write appends whole lines, so
//! entries survive the death of the process. A power failure can lose everything that was not
//! [forced to the disk](Journal::sync), in the journal and in the files that its entries describe, so entries should
//! contain the checksums of those files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::StoreError;
use crate::error::what_is_in_the_way;

/// A journal that is open for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Lines that have not been written yet.
    lines: Vec<u8>,
}

/// The content of a journal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// The entries, in order, up to the first damaged line.
    pub entries: Vec<Vec<u8>>,
    /// Their length in the file, in bytes. Everything after that is damaged.
    pub len: u64,
}

impl Journal {
    /// Returns the name of an output's journal: `NAME.journal`.
    #[must_use]
    pub fn path_of(output: &Path) -> PathBuf {
        let mut name = output.as_os_str().to_owned();
        name.push(".journal");
        name.into()
    }

    /// Creates an empty journal and replaces any that exists. The output's part file must be locked.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(path: &Path) -> Result<Journal, StoreError> {
        if let Some(what) = what_is_in_the_way(path) {
            let path = path.to_owned();
            return Err(StoreError::InTheWay { path, what });
        }
        // Truncating the old file would also truncate any other hard link to it.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::creating(path, error));
            }
            _ => {}
        }
        let create = OpenOptions::new().append(true).create_new(true).open(path);
        match create {
            Ok(file) => Ok(Journal::of(path, file)),
            Err(source) => Err(StoreError::opening_side_file(path, source)),
        }
    }

    /// Whether the file of this name looks like a journal: it is empty, full of zeros (as a power failure can leave
    /// it), or begins like an entry.
    #[must_use]
    pub fn is_one(path: &Path) -> bool {
        let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
        let mut head = Vec::new();
        let read = is_file && {
            let file = File::open(path);
            file.is_ok_and(|file| file.take(64).read_to_end(&mut head).is_ok())
        };
        let begins = || {
            let sum = head.get(..8).unwrap_or(&head);
            sum.iter().all(u8::is_ascii_hexdigit) && matches!(head.get(8), None | Some(b' '))
        };
        read && (head.iter().all(|&byte| byte == 0) || begins())
    }

    /// Opens a journal that has been [read](Journal::read), and truncates it after its last intact entry.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn reopen(path: &Path, entries: &Entries) -> Result<Journal, StoreError> {
        let journal = Journal::open(path)?;
        journal
            .file
            .set_len(entries.len)
            .map_err(|source| StoreError::writing(path, source))?;
        Ok(journal)
    }

    fn open(path: &Path) -> Result<Journal, StoreError> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let open = OpenOptions::new()
            .append(true)
            .custom_flags(flags)
            .open(path);
        match open {
            Ok(file) => Ok(Journal::of(path, file)),
            Err(source) => Err(StoreError::opening_side_file(path, source)),
        }
    }

    fn of(path: &Path, file: File) -> Journal {
        Journal {
            path: path.to_owned(),
            file,
            lines: Vec::new(),
        }
    }

    /// Reads the intact entries of a journal; none if it does not exist.
    ///
    /// # Errors
    /// If the journal exists and cannot be read.
    pub fn read(path: &Path) -> Result<Entries, StoreError> {
        match fs::read(path) {
            Ok(bytes) => Ok(Entries::parse(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Entries::default()),
            Err(source) => Err(StoreError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Returns the name of its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends an entry, which must not contain a line end.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn append(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        self.push(entry);
        self.flush()
    }

    /// Adds an entry to those that the next [`flush`](Journal::flush) appends.
    pub fn push(&mut self, entry: &[u8]) {
        debug_assert!(!entry.contains(&b'\n'), "an entry is a line");
        let sum = crc32fast::hash(entry);
        self.lines
            .extend_from_slice(format!("{sum:08x} ").as_bytes());
        self.lines.extend_from_slice(entry);
        self.lines.push(b'\n');
    }

    /// Appends the pushed entries to the file.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let written = self.file.write_all(&self.lines);
        self.lines.clear();
        written.map_err(|source| StoreError::writing(&self.path, source))
    }

    /// Forces the appended entries to the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.file
            .sync_data()
            .map_err(|source| StoreError::writing(&self.path, source))
    }

    /// Returns another descriptor of the file, with which another thread can force it to the disk.
    ///
    /// # Errors
    /// If the process or the system has no descriptors left.
    pub fn descriptor(&self) -> Result<File, StoreError> {
        self.file
            .try_clone()
            .map_err(|source| StoreError::writing(&self.path, source))
    }

    /// Deletes the journal.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(self) -> Result<(), StoreError> {
        fs::remove_file(&self.path).map_err(|source| StoreError::writing(&self.path, source))
    }
}

impl Entries {
    fn parse(bytes: &[u8]) -> Entries {
        let mut found = Entries::default();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let Some(entry) = entry_of(line) else { break };
            found.entries.push(entry.to_vec());
            found.len += line.len() as u64;
        }
        found
    }
}

/// Returns the entry of a line, if the line is intact.
fn entry_of(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, entry) = line.split_at_checked(9)?;
    let sum = str::from_utf8(sum).ok()?.strip_suffix(' ')?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    (crc32fast::hash(entry) == sum).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_appended_is_read_again_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = Journal::path_of(&folder.path().join("out.jsonl"));
        assert!(path.ends_with("out.jsonl.journal"));
        assert_eq!(Journal::read(&path).unwrap(), Entries::default());
        let mut journal = Journal::create(&path).unwrap();
        journal.append(b"one").unwrap();
        journal.append(b"").unwrap();
        journal.descriptor().unwrap().sync_data().unwrap();
        journal.append(b"three").unwrap();
        journal.sync().unwrap();
        let read = Journal::read(&path).unwrap();
        assert_eq!(read.entries, [&b"one"[..], b"", b"three"]);
        Journal::create(&path).unwrap();
        assert!(Journal::read(&path).unwrap().entries.is_empty());
    }

    #[test]
    fn a_torn_end_is_cut_off_before_the_next_entry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        journal.append(b"whole").unwrap();
        journal.append(b"torn").unwrap();
        let len = fs::metadata(&path).unwrap().len();
        journal.file.set_len(len - 3).unwrap();
        let read = Journal::read(&path).unwrap();
        assert_eq!(read.entries, [b"whole"]);
        let mut journal = Journal::reopen(&path, &read).unwrap();
        journal.append(b"new").unwrap();
        assert_eq!(
            Journal::read(&path).unwrap().entries,
            [&b"whole"[..], b"new"]
        );
        journal.remove().unwrap();
        assert!(!path.exists());
    }

    proptest! {
        #[test]
        fn any_damage_leaves_a_true_prefix(
            entries in prop::collection::vec("[a-z]{0,12}", 0..8),
            at: prop::sample::Index,
            byte: u8,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal");
            let mut journal = Journal::create(&path).unwrap();
            for entry in &entries {
                journal.append(entry.as_bytes()).unwrap();
            }
            let mut bytes = fs::read(&path).unwrap();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let read = Entries::parse(&bytes);
            prop_assert!(read.entries.len() <= entries.len());
            for (read, entry) in read.entries.iter().zip(&entries) {
                // Upper case is another way to write the same checksum.
                prop_assert_eq!(read, entry.as_bytes());
            }
        }
    }
}
