//! Finding files in the folder of the one that is followed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::identity::{FileId, Mark, trace_of};
use super::rotation::{Candidate, is_rotated, newer};

/// The most files that are looked at in a folder.
const MAX_ENTRIES: usize = 10_000;

/// A regular file in the folder.
#[derive(Debug)]
struct Entry {
    name: String,
    path: PathBuf,
    id: FileId,
    len: u64,
    /// When it was last written to: seconds and nanoseconds.
    modified: (i64, i64),
}

impl Entry {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            name: &self.name,
            modified: self.modified,
        }
    }
}

/// The files beside the one that is followed.
#[derive(Debug)]
pub(crate) struct Folder {
    base: String,
    entries: Vec<Entry>,
}

/// What changes when a file of a folder gets another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FolderStamp {
    seconds: i64,
    nanoseconds: i64,
}

impl FolderStamp {
    /// That of the folder of `path`.
    pub(crate) fn of(path: &Path) -> Option<FolderStamp> {
        let metadata = fs::metadata(folder_of(path)).ok()?;
        Some(FolderStamp {
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        })
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What was rotated after a file.
#[derive(Debug, Default)]
pub(crate) struct Successors {
    /// The files to be read after it, in this order.
    pub(crate) plain: Vec<FileId>,
    /// The names of those that have been compressed since.
    pub(crate) compressed: Vec<String>,
}

impl Folder {
    /// Lists the folder of `path`. Files whose names are not UTF-8 are none that rotation has made.
    pub(crate) fn list(path: &Path) -> io::Result<Folder> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder_of(path))?.take(MAX_ENTRIES) {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => metadata,
                _ => continue,
            };
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(Entry {
                    name,
                    path: entry.path(),
                    id: FileId::of(&metadata),
                    len: metadata.len(),
                    modified: (metadata.mtime(), metadata.mtime_nsec()),
                });
            }
        }
        let base = path.file_name().unwrap_or_default();
        Ok(Folder {
            base: base.to_string_lossy().into_owned(),
            entries,
        })
    }

    /// The file that was rotated away at a position: the one with its number and its bytes before the position, else a copy
    /// with these bytes (which a rotation that truncates makes), the longest.
    pub(crate) fn find(&self, mark: &Mark, offset: u64) -> Option<File> {
        if !mark.knows_content() {
            return None;
        }
        let same = self.entries.iter().filter(|entry| entry.id == mark.id);
        let mut copies: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.id != mark.id)
            .filter(|entry| is_rotated(&self.base, &entry.name))
            .collect();
        copies.sort_by_key(|entry| std::cmp::Reverse(entry.len));
        same.chain(copies).find_map(|entry| {
            let file = File::open(&entry.path).ok()?;
            let is_same = FileId::of(&file.metadata().ok()?) == entry.id;
            let trace = trace_of(&file, offset).ok()??;
            (is_same && mark.fits(&trace)).then_some(file)
        })
    }

    /// What was rotated after the file with this number, if that is a rotated file in the folder.
    pub(crate) fn successors(&self, id: FileId) -> Successors {
        let Some(old) = self.entries.iter().find(|entry| entry.id == id) else {
            return Successors::default();
        };
        let files: Vec<_> = self.entries.iter().map(Entry::candidate).collect();
        let mut found = Successors::default();
        for newer in newer(&self.base, old.candidate(), &files) {
            if newer.is_compressed {
                found.compressed.push(newer.name.to_owned());
            } else if let Some(entry) = self.entries.iter().find(|entry| entry.name == newer.name) {
                found.plain.push(entry.id);
            }
        }
        found
    }

    /// Opens the file with this number.
    pub(crate) fn open(&self, id: FileId) -> Option<File> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        let file = File::open(&entry.path).ok()?;
        (FileId::of(&file.metadata().ok()?) == id).then_some(file)
    }
}
