//! Turns arguments into inputs.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use moodring_record::Format;
use walkdir::{DirEntry, WalkDir};

use crate::input::told_by_name;
use crate::pattern::{Pattern, is_glob, split_glob};
use crate::{FeedError, Input, Origin, name_of};

/// The inputs that the arguments stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The inputs, in the order of the arguments; those of one folder or glob sorted by path.
    pub inputs: Vec<Input>,
    /// The indices of the inputs that were found in a folder or by a glob, not named directly.
    pub found: BTreeSet<usize>,
    /// What was skipped in folders or among the matches of globs, and why. Hidden files and folders are not listed.
    pub skipped: Vec<(PathBuf, Skipped)>,
}

/// Why a path that was not named directly is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// Its extension names no format.
    UnknownExtension,
    /// It is a pipe, a socket or a device.
    NoFile,
    /// It is a dangling link.
    DanglingLink,
    /// It has the name of a side file of a run.
    SideFile,
    /// It is a folder that a glob matches, and the glob matches no file in it.
    Folder,
}

/// Turns arguments into inputs: a file, a folder (all its files, recursively), a glob, or `-` for standard input.
///
/// Hidden files and folders (their names begin with a dot) are skipped, unless they are named directly or the matching
/// part of the glob begins with a dot. A folder that cannot be listed is an error, unless the glob cannot match
/// anything in it.
///
/// A `format` applies to every input; without one the extensions decide. If a file with the exact name of a glob
/// exists, the argument stands for that file.
///
/// # Errors
/// If an argument matches nothing, or an input cannot be read or has an unknown format.
pub fn expand(args: &[OsString], format: Option<Format>) -> Result<Expanded, FeedError> {
    let mut expanded = Expanded::default();
    for arg in args {
        expanded.add(arg, format)?;
    }
    Ok(expanded)
}

impl Expanded {
    fn add(&mut self, arg: &OsStr, format: Option<Format>) -> Result<(), FeedError> {
        if arg == "-" {
            return self.add_stdin(format);
        }
        let path = Path::new(arg);
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.add_folder(path, format),
            Ok(metadata) => self.add_file(path, &metadata, format),
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_glob(arg) => {
                self.add_glob(arg, format)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FeedError::Missing {
                name: name_of(path),
            }),
            Err(source) => Err(FeedError::Unopenable {
                name: name_of(path),
                source,
            }),
        }
    }

    fn add_stdin(&mut self, format: Option<Format>) -> Result<(), FeedError> {
        if self
            .inputs
            .iter()
            .any(|input| input.origin == Origin::Stdin)
        {
            return Err(FeedError::StdinTwice);
        }
        self.inputs.push(Input::stdin(format));
        Ok(())
    }

    fn add_file(
        &mut self,
        path: &Path,
        metadata: &Metadata,
        format: Option<Format>,
    ) -> Result<(), FeedError> {
        let input = Input::file(path.to_owned(), metadata, format);
        // The name of a pipe, such as the shell's `<(command)`, has no extension. Its first bytes decide.
        if input.format.is_none() && input.size.is_some() {
            return Err(FeedError::UnknownExtension { name: input.name });
        }
        self.inputs.push(input);
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, format: Option<Format>) -> Result<(), FeedError> {
        let before = self.inputs.len();
        let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
        let seen = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.path());
        for entry in walk.into_iter().filter_entry(seen) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => match dangling_link(&error) {
                    Some(link) if is_hidden(link) => continue,
                    Some(link) => {
                        self.skipped.push((link.to_owned(), Skipped::DanglingLink));
                        continue;
                    }
                    None => return Err(unlistable(folder, error)),
                },
            };
            if entry.file_type().is_dir() {
                continue;
            }
            let known = told_by_name(entry.path()).1.is_some();
            self.add_found(&entry, entry.path(), known, format)?;
        }
        if self.inputs.len() == before {
            return Err(FeedError::NothingInFolder {
                name: name_of(folder),
            });
        }
        Ok(())
    }

    fn add_glob(&mut self, arg: &OsStr, format: Option<Format>) -> Result<(), FeedError> {
        let (folder, rest) = split_glob(arg);
        let pattern = Pattern::new(rest).map_err(|source| FeedError::BadPattern {
            pattern: name_of(Path::new(arg)),
            source,
        })?;
        let root = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let from_root = |path: &'_ Path| path.strip_prefix(root).unwrap_or(path).to_owned();
        let before = self.inputs.len();
        let walk = WalkDir::new(root)
            .follow_links(true)
            .max_depth(pattern.max_depth())
            .sort_by_file_name();
        let seen = |entry: &DirEntry| {
            let path = from_root(entry.path());
            entry.depth() == 0
                || pattern.sees(&path)
                    && (!entry.file_type().is_dir()
                        || pattern.may_match_in(&path)
                        || pattern.is_match(&path))
        };
        for entry in walk.into_iter().filter_entry(seen) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if is_missing(&error) && error.path() == Some(root) => break,
                Err(error)
                    if pattern.is_about(&from_root(error.path().unwrap_or(root)), &error) =>
                {
                    return Err(unlistable(root, error));
                }
                Err(_) => continue,
            };
            let relative = from_root(entry.path());
            if entry.depth() == 0 || !pattern.is_match(&relative) {
                continue;
            }
            if entry.file_type().is_dir() {
                if !pattern.may_match_in(&relative) {
                    let path = folder.join(&relative);
                    self.skipped.push((path, Skipped::Folder));
                }
                continue;
            }
            let known = format.is_some() || told_by_name(&relative).1.is_some();
            self.add_found(&entry, &folder.join(&relative), known, format)?;
        }
        if self.inputs.len() == before {
            return Err(FeedError::NoMatch {
                pattern: name_of(Path::new(arg)),
            });
        }
        Ok(())
    }

    /// Adds or skips a file that was not named directly.
    fn add_found(
        &mut self,
        entry: &DirEntry,
        path: &Path,
        known: bool,
        format: Option<Format>,
    ) -> Result<(), FeedError> {
        let skipped = if !entry.file_type().is_file() {
            // Opening a pipe or socket that is in the folder by chance would block the run.
            Some(Skipped::NoFile)
        } else if is_side_file(path) {
            Some(Skipped::SideFile)
        } else if known {
            None
        } else {
            Some(Skipped::UnknownExtension)
        };
        if let Some(why) = skipped {
            self.skipped.push((path.to_owned(), why));
            return Ok(());
        }
        let metadata = entry
            .metadata()
            .map_err(|source| unlistable(path, source))?;
        self.found.insert(self.inputs.len());
        self.add_file(path, &metadata, format)
    }
}

fn unlistable(folder: &Path, source: walkdir::Error) -> FeedError {
    FeedError::Unlistable {
        name: name_of(source.path().unwrap_or(folder)),
        source,
    }
}

fn is_missing(error: &walkdir::Error) -> bool {
    error
        .io_error()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Returns the dangling link, if that is the error.
fn dangling_link(error: &walkdir::Error) -> Option<&Path> {
    let path = error.path().filter(|_| is_missing(error))?;
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    is_link.then_some(path)
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::as_bytes);
    name.is_some_and(|name| name.starts_with(b"."))
}

/// Whether the name is that of a side file of an incomplete output.
fn is_side_file(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    let is_side = matches!(extension, Some("part" | "journal"));
    is_side && told_by_name(&path.with_extension("")).1.is_some()
}
