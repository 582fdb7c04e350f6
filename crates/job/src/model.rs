//! The models of a run, as they are named on the command line and sent to the workers.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::{fs, io};

use moodring_score::vader::{BadList, Lexicon, LexiconBuilder};
use moodring_score::{Scorer, UnknownModel, Vader};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a model is called that scores by a file of words.
const LEXICON: &str = "lexicon:";

/// A model, with everything that is needed to make it.
///
/// A list of words is read once and travels with the model: a worker that is started later must score by the same words,
/// even if the file has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Model {
    /// One that the `score` crate has.
    BuiltIn(String),
    /// The rules of VADER over other words.
    Lexicon {
        /// The file they are from.
        #[serde(with = "crate::path")]
        path: PathBuf,
        /// What is in it.
        #[serde(with = "serde_bytes")]
        list: Vec<u8>,
        /// Whether they are added to the built-in ones.
        extend: bool,
    },
}

/// A model that cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadModel {
    /// There is none of that name.
    #[error(transparent)]
    Unknown(#[from] UnknownModel),
    /// The name of the file is missing.
    #[error("`lexicon:` lacks its file; write lexicon:FILE, a TSV or CSV file of words and values")]
    NoFile,
    /// Its file cannot be read.
    #[error("cannot read the lexicon `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is something wrong in its file.
    #[error("`{}`: {bad}", path.display())]
    BadList {
        /// The file.
        path: PathBuf,
        /// What.
        bad: BadList,
    },
}

impl Model {
    /// The model that `name` stands for: `vader`, `textblob`, or `lexicon:FILE`, whose file is read here. With `extend`
    /// its words are added to the built-in ones.
    ///
    /// # Errors
    /// If the file is not named or cannot be read. Whether the model can be had otherwise is for [`build`](Model::build)
    /// to say.
    pub fn read(name: impl AsRef<OsStr>, extend: bool) -> Result<Self, BadModel> {
        let name = name.as_ref();
        let Some(path) = name.as_bytes().strip_prefix(LEXICON.as_bytes()) else {
            return Ok(Self::BuiltIn(name.to_string_lossy().into_owned()));
        };
        if path.is_empty() {
            return Err(BadModel::NoFile);
        }
        let path = PathBuf::from(OsStr::from_bytes(path));
        match fs::read(&path) {
            Ok(list) => Ok(Self::Lexicon { path, list, extend }),
            Err(error) => Err(BadModel::Unreadable { path, error }),
        }
    }

    /// The model itself.
    ///
    /// # Errors
    /// If there is none of that name, or a line of its list is bad.
    pub fn build(&self) -> Result<Box<dyn Scorer>, BadModel> {
        match self {
            Self::BuiltIn(name) => Ok(moodring_score::build(name)?),
            Self::Lexicon { path, list, extend } => {
                Ok(Box::new(Vader::with_lexicon(lexicon(path, list, *extend)?)))
            }
        }
    }

    /// The list of words, if it has one.
    #[must_use]
    pub fn vader_list(&self) -> Option<&[u8]> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Lexicon { list, .. } => Some(list),
        }
    }

    /// The same as VADER, if that is what it is; its explanations can be listened to.
    ///
    /// # Errors
    /// If a line of its list is bad.
    pub fn vader(&self) -> Result<Option<Vader>, BadModel> {
        match self {
            Self::BuiltIn(name) if name == "vader" => Ok(Some(Vader::new())),
            Self::BuiltIn(_) => Ok(None),
            Self::Lexicon { path, list, extend } => {
                Ok(Some(Vader::with_lexicon(lexicon(path, list, *extend)?)))
            }
        }
    }
}

/// All of them.
pub(crate) fn build_all(models: &[Model]) -> Result<Vec<Box<dyn Scorer>>, BadModel> {
    models.iter().map(Model::build).collect()
}

fn lexicon(path: &std::path::Path, list: &[u8], extend: bool) -> Result<Lexicon, BadModel> {
    match LexiconBuilder::from_list(list, extend) {
        Ok(words) => Ok(words.build()),
        Err(bad) => Err(BadModel::BadList {
            path: path.to_owned(),
            bad,
        }),
    }
}
