//! From what a person typed to the inputs it means.

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

/// The inputs that some arguments mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The inputs, in the order of the arguments; those of one folder or glob sorted by path.
    pub inputs: Vec<Input>,
    /// Which of them (their places among the inputs) were found in a folder or by a glob, and not named.
    pub found: BTreeSet<usize>,
    /// What was passed over in folders, or matched by globs, and why. Hidden files and folders are not counted.
    pub skipped: Vec<(PathBuf, Skipped)>,
}

/// Why something that was not named is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// Its name tells no format.
    UnknownExtension,
    /// It is a pipe, a socket or a device.
    NoFile,
    /// It is a link that leads nowhere.
    DanglingLink,
    /// It has the name of a file that a run keeps beside its output.
    SideFile,
    /// It is a folder that a glob matches, but the glob matches nothing in it.
    Folder,
}

/// Turns arguments into inputs: a file, a folder (all its files, recursively), a glob, or `-` for standard input.
///
/// What is hidden (its name begins with a dot) and what lies below it is not looked at, unless it is the folder that was
/// named, or a part of the glob begins with a dot. A folder that cannot be listed is an error, but for a glob that cannot
/// match anything in it.
///
/// A `format` holds for every input; without one the names of the files decide. Something that exists under the very
/// name of a glob is taken for itself.
///
/// # Errors
/// If an argument names nothing, or something that cannot be read or whose format nobody can tell.
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
        // A pipe such as the shell's `<(command)` has no say in its name: its first bytes will tell.
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

    /// Takes or skips a file that was not named by itself.
    fn add_found(
        &mut self,
        entry: &DirEntry,
        path: &Path,
        known: bool,
        format: Option<Format>,
    ) -> Result<(), FeedError> {
        let skipped = if !entry.file_type().is_file() {
            // A pipe or a socket that happens to lie in a folder would block the run.
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

/// The link that leads nowhere, if that is the error.
fn dangling_link(error: &walkdir::Error) -> Option<&Path> {
    let path = error.path().filter(|_| is_missing(error))?;
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    is_link.then_some(path)
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::as_bytes);
    name.is_some_and(|name| name.starts_with(b"."))
}

/// Whether the name is one of those that a run keeps beside its output until that is complete.
fn is_side_file(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    let is_side = matches!(extension, Some("part" | "journal"));
    is_side && told_by_name(&path.with_extension("")).1.is_some()
}
