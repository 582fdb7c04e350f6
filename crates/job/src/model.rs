//! The models of a run, as they are named on the command line and sent to the workers.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use moodring_record::name_of;
use moodring_score::{BuildArgs, BuildError, ModelSpec, Scorer, UnknownModel, find};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A model, with everything that is needed to build it.
///
/// The file of a model is read once and sent to the workers, so that a worker that is started later uses the same
/// words even if the file has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    name: String,
    file: Option<ModelFile>,
    extend: bool,
}

/// The file that a model is built from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// Its path.
    #[serde(with = "crate::path")]
    pub path: PathBuf,
    /// Its content.
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}

/// Why a model cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadModel {
    /// There is no model of that name.
    #[error(transparent)]
    Unknown(#[from] UnknownModel),
    /// The name of its file is missing.
    #[error("`{0}:` lacks its file; write {0}:FILE, {1}")]
    NoFile(&'static str, &'static str),
    /// A file was named for a model that takes none.
    #[error("`{0}` takes no file; write --model {0}")]
    NoSuchFile(&'static str),
    /// Its file cannot be read.
    #[error("cannot read the {name} `{}`: {error}", name_of(path))]
    Unreadable {
        /// The name of the model.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Its file is invalid.
    #[error("`{}`: {error}", name_of(path))]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: BuildError,
    },
    /// A model without a file cannot be built.
    #[error("cannot build the model `{name}`: {error}")]
    NotBuilt {
        /// The name of the model.
        name: String,
        /// Why not.
        error: BuildError,
    },
}

impl Model {
    /// Reads the model that `typed` names: `vader`, or `lexicon:FILE`, whose file is read here. With `extend` its
    /// words are added to the built-in ones.
    ///
    /// # Errors
    /// If there is no such model, or its file is not named or cannot be read.
    pub fn read(typed: impl AsRef<OsStr>, extend: bool) -> Result<Self, BadModel> {
        let typed = typed.as_ref().as_bytes();
        let colon = typed.iter().position(|&byte| byte == b':');
        let (name, path) = match colon {
            Some(at) => (&typed[..at], Some(&typed[at + 1..])),
            None => (typed, None),
        };
        let spec = find(&String::from_utf8_lossy(name))?;
        let file = match (path, spec.takes_file()) {
            (None, false) => None,
            (Some(_), false) => return Err(BadModel::NoSuchFile(spec.name())),
            (None | Some([]), true) => return Err(BadModel::NoFile(spec.name(), spec.file)),
            (Some(path), true) => Some(read_file(spec, Path::new(OsStr::from_bytes(path)))?),
        };
        Ok(Self {
            name: spec.name().to_owned(),
            file,
            extend: extend && spec.can_extend,
        })
    }

    /// Builds the model.
    ///
    /// # Errors
    /// If its file is invalid.
    pub fn build(&self) -> Result<Box<dyn Scorer>, BadModel> {
        let args = BuildArgs {
            file: self.file.as_ref().map_or(&[], |file| &file.content),
            extend: self.extend,
        };
        (self.spec()?.build)(&args).map_err(|error| match &self.file {
            Some(file) => BadModel::BadFile {
                path: file.path.clone(),
                error,
            },
            None => BadModel::NotBuilt {
                name: self.name.clone(),
                error,
            },
        })
    }

    fn spec(&self) -> Result<&'static ModelSpec, UnknownModel> {
        find(&self.name)
    }

    /// Returns the name, without a file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file that it is built from, if there is one.
    #[must_use]
    pub fn file(&self) -> Option<&ModelFile> {
        self.file.as_ref()
    }

    /// Returns whether the words of its file are added to built-in ones.
    #[must_use]
    pub fn extends(&self) -> bool {
        self.extend
    }

    /// Returns whether it has English words of its own.
    #[must_use]
    pub fn is_english(&self) -> bool {
        self.extend || self.spec().is_ok_and(|spec| spec.is_english)
    }
}

fn read_file(spec: &ModelSpec, path: &Path) -> Result<ModelFile, BadModel> {
    let path = path.to_owned();
    match fs::read(&path) {
        Ok(content) => Ok(ModelFile { path, content }),
        Err(error) => Err(BadModel::Unreadable {
            name: spec.name(),
            path,
            error,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_with_a_file_needs_it_and_another_takes_none() {
        let message = |typed: &str| Model::read(typed, false).unwrap_err().to_string();
        let no_file =
            "`lexicon:` lacks its file; write lexicon:FILE, a TSV or CSV file of words and values";
        assert_eq!(message("lexicon:"), no_file);
        assert_eq!(message("lexicon"), no_file);
        assert_eq!(
            message("vader:words.tsv"),
            "`vader` takes no file; write --model vader"
        );
        assert!(
            message("lexicon:no/such.tsv").starts_with("cannot read the lexicon `no/such.tsv`")
        );
        assert!(message("vaider:words.tsv").starts_with("there is no model `vaider`"));
    }
}
