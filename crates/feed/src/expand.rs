//! From what a person typed to the inputs it means.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use moodring_record::Format;
use walkdir::{DirEntry, WalkDir};

use crate::{Compression, FeedError, Input, Origin};

/// The inputs that some arguments mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The inputs, in the order of the arguments; those of one folder or glob sorted by path.
    pub inputs: Vec<Input>,
    /// The files in folders, or matched by globs, whose names tell no format.
    pub skipped: Vec<PathBuf>,
}

/// Turns arguments into inputs: a file, a folder (all its files, recursively), a glob, or `-` for standard input.
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => match arg.to_str() {
                Some(pattern) if is_glob(pattern) => self.add_glob(pattern, format),
                _ => Err(FeedError::Missing {
                    name: path.display().to_string(),
                }),
            },
            Err(source) => Err(FeedError::Unopenable {
                name: path.display().to_string(),
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
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|source| unlistable(folder, source))?;
            if entry.file_type().is_dir() {
                continue;
            }
            let known = Compression::from_path(entry.path()).1.is_some();
            self.add_found(&entry, entry.path(), known, format)?;
        }
        if self.inputs.len() == before {
            return Err(FeedError::NothingInFolder {
                name: folder.display().to_string(),
            });
        }
        Ok(())
    }

    fn add_glob(&mut self, pattern: &str, format: Option<Format>) -> Result<(), FeedError> {
        let (folder, rest) = split_glob(pattern);
        let matcher = GlobBuilder::new(rest)
            .literal_separator(true)
            .build()
            .map_err(|source| FeedError::BadPattern {
                pattern: pattern.to_owned(),
                source,
            })?
            .compile_matcher();

        let root = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let before = self.inputs.len();
        let walk = WalkDir::new(root)
            .follow_links(true)
            .max_depth(deepest(rest));
        for entry in walk.sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if is_missing(&error) && error.path() == Some(root) => break,
                Err(source) => return Err(unlistable(root, source)),
            };
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
            if entry.file_type().is_dir() || !matcher.is_match(relative) {
                continue;
            }
            let known = format.is_some() || Compression::from_path(relative).1.is_some();
            self.add_found(&entry, &folder.join(relative), known, format)?;
        }
        if self.inputs.len() == before {
            return Err(FeedError::NoMatch {
                pattern: pattern.to_owned(),
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
        // A pipe or a socket that happens to lie in a folder would block the run.
        if !known || !entry.file_type().is_file() {
            self.skipped.push(path.to_owned());
            return Ok(());
        }
        let metadata = entry
            .metadata()
            .map_err(|source| unlistable(path, source))?;
        self.add_file(path, &metadata, format)
    }
}

fn unlistable(folder: &Path, source: walkdir::Error) -> FeedError {
    FeedError::Unlistable {
        name: source.path().unwrap_or(folder).display().to_string(),
        source,
    }
}

fn is_missing(error: &walkdir::Error) -> bool {
    error
        .io_error()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

const GLOB_CHARACTERS: [char; 4] = ['*', '?', '[', '{'];

fn is_glob(pattern: &str) -> bool {
    pattern.contains(GLOB_CHARACTERS)
}

/// The folder that all matches lie in, and what is left of the pattern for their paths from there.
fn split_glob(pattern: &str) -> (&Path, &str) {
    let literal = pattern.find(GLOB_CHARACTERS).unwrap_or(pattern.len());
    let cut = pattern[..literal].rfind('/').map_or(0, |slash| slash + 1);
    (Path::new(&pattern[..cut]), &pattern[cut..])
}

/// How deep below its folder a match can lie: as deep as it has slashes, unless a `**` stands for any number.
fn deepest(pattern: &str) -> usize {
    if pattern.contains("**") {
        usize::MAX
    } else {
        1 + pattern.matches('/').count()
    }
}
