//! Reads what an earlier run wrote, to verify it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::StoreError;
use crate::side_file::{part_of, rename_to_new};
use crate::target::Target;

/// A file that an earlier run wrote, under its name or as a part file. It is not locked; see
/// [`PartFile::reopen`](crate::PartFile::reopen).
#[derive(Debug)]
pub struct Written {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Written {
    /// Opens the complete file of that name; `None` if there is none.
    ///
    /// # Errors
    /// If it exists and cannot be opened.
    pub fn named(path: &Path) -> Result<Option<Written>, StoreError> {
        match Target::of(path, true)? {
            Target::File(path) => Written::open(path),
            Target::Stdout | Target::Device(_) => Ok(None),
        }
    }

    /// Opens the part file of an output of that name; `None` if there is none.
    ///
    /// # Errors
    /// If it exists and cannot be opened.
    pub fn part(path: &Path) -> Result<Option<Written>, StoreError> {
        match Target::of(path, true)? {
            Target::File(path) => Written::open(part_of(&path)),
            Target::Stdout | Target::Device(_) => Ok(None),
        }
    }

    fn open(path: PathBuf) -> Result<Option<Written>, StoreError> {
        // Do not follow a link, and do not block on a pipe.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(&path)
            .and_then(|file| Ok((file.metadata()?, file)));
        let failed = |source| StoreError::Unreadable {
            path: path.clone(),
            source,
        };
        match opened {
            Ok((metadata, file)) if metadata.is_file() => Ok(Some(Written {
                len: metadata.len(),
                file,
                path,
            })),
            Ok(_) => Err(failed(io::Error::other("it is no regular file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// Returns its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the CRC-32 of `len` bytes from `offset`, continued from the checksum `before` of earlier bytes (0 for
    /// none); `None` if the file is shorter.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn checksum(&self, before: u32, offset: u64, len: u64) -> Result<Option<u32>, StoreError> {
        let mut hasher = crc32fast::Hasher::new_with_initial(before);
        let mut buffer = vec![0; usize::try_from(len).unwrap_or(CHUNK).min(CHUNK)];
        let (mut at, end) = (offset, offset.saturating_add(len));
        if end > self.len {
            return Ok(None);
        }
        while at < end {
            let want = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            let read = self.file.read_at(&mut buffer[..want], at);
            let read = read.map_err(|source| StoreError::Unreadable {
                path: self.path.clone(),
                source,
            })?;
            if read == 0 {
                return Ok(None);
            }
            hasher.update(&buffer[..read]);
            at += read as u64;
        }
        Ok(Some(hasher.finalize()))
    }

    /// Renames a complete file back to the part file of its output, which must not exist.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn unname(self) -> Result<(), StoreError> {
        let part = part_of(&self.path);
        rename_to_new(&self.path, &part).map_err(|source| StoreError::writing(&part, source))
    }
}

/// The size of a read, in bytes.
const CHUNK: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_read_under_its_name_and_before_it_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        assert!(Written::named(&path).unwrap().is_none());
        fs::write(&path, b"sound, damaged").unwrap();
        let named = Written::named(&path).unwrap().unwrap();
        assert_eq!(named.len(), 14);
        let sum = crc32fast::hash(b"sound");
        assert_eq!(named.checksum(0, 0, 5).unwrap(), Some(sum));
        let longer = crc32fast::hash(b"sound, damaged");
        assert_eq!(named.checksum(sum, 5, 9).unwrap(), Some(longer));
        assert_eq!(named.checksum(0, 10, 5).unwrap(), None);
        assert_eq!(named.checksum(0, 10, u64::MAX).unwrap(), None);

        assert!(Written::part(&path).unwrap().is_none());
        named.unname().unwrap();
        assert!(Written::named(&path).unwrap().is_none());
        assert_eq!(Written::part(&path).unwrap().unwrap().len(), 14);
    }

    #[test]
    fn what_is_no_file_of_ours_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        fs::write(folder.path().join("other"), b"somebody else's").unwrap();
        symlink("other", part_of(&path)).unwrap();
        let error = Written::part(&path).unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
        fs::remove_file(part_of(&path)).unwrap();
        fs::create_dir(part_of(&path)).unwrap();
        let error = Written::part(&path).unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
    }
}
