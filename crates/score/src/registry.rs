//! All models. The command line, its help, completions and errors, and the workers follow from [`MODELS`].

use std::{error, fmt};

use crate::scorer::Scorer;
use crate::textblob::TextBlob;
use crate::vader::{LexiconBuilder, Vader};
use crate::zero::Zero;

/// A model that can be named on the command line.
#[derive(Debug)]
pub struct ModelSpec {
    /// How it is named: its name (`vader`), with `:FILE` if it is built from a file of the user (`lexicon:FILE`).
    pub usage: &'static str,
    /// What it is, for the help of `--model`: a few words without a capital.
    pub help: &'static str,
    /// What the file contains, for messages, if there is one: `a TSV or CSV file of words and values`.
    pub file: &'static str,
    /// Whether its own words are English, so that texts in other languages score near zero.
    pub is_english: bool,
    /// Whether the words of the file can be added to built-in English ones (`--lexicon-extend`).
    pub can_extend: bool,
    /// Whether help and messages leave it out.
    pub is_hidden: bool,
    /// Builds the model. A worker calls this once, when it starts.
    pub build: fn(&BuildArgs<'_>) -> Result<Box<dyn Scorer>, BuildError>,
}

/// What a model is built from.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuildArgs<'a> {
    /// The content of its file; empty for a model without one.
    pub file: &'a [u8],
    /// Whether the words of the file are added to the built-in ones.
    pub extend: bool,
}

/// Why a model cannot be built from a file: the error that its reader returned.
#[derive(Debug)]
pub struct BuildError(Box<dyn error::Error + Send + Sync>);

impl BuildError {
    /// Wraps the error of a model.
    pub fn new(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for BuildError {}

/// All models, in the order in which help and messages list them.
pub static MODELS: &[ModelSpec] = &[
    ModelSpec {
        usage: "vader",
        help: "rules for social media",
        file: "",
        is_english: true,
        can_extend: false,
        is_hidden: false,
        build: |_| Ok(Box::new(Vader::new())),
    },
    ModelSpec {
        usage: "textblob",
        help: "the mean of its adjectives",
        file: "",
        is_english: true,
        can_extend: false,
        is_hidden: false,
        build: |_| Ok(Box::new(TextBlob::new())),
    },
    ModelSpec {
        usage: "lexicon:FILE",
        help: "the rules of vader with your own words",
        file: "a TSV or CSV file of words and values",
        is_english: false,
        can_extend: true,
        is_hidden: false,
        build: |args| {
            let words = LexiconBuilder::from_list(args.file, args.extend);
            let lexicon = words.map_err(BuildError::new)?.build();
            Ok(Box::new(Vader::with_lexicon(lexicon)))
        },
    },
    ModelSpec {
        usage: "zero",
        help: "scores 0, to measure everything else",
        file: "",
        is_english: false,
        can_extend: false,
        is_hidden: true,
        build: |_| Ok(Box::new(Zero)),
    },
];

impl ModelSpec {
    /// Returns the name, without a file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.usage
            .split_once(':')
            .map_or(self.usage, |(name, _)| name)
    }

    /// Returns whether the model is built from a file.
    #[must_use]
    pub fn takes_file(&self) -> bool {
        self.usage.contains(':')
    }

    /// Returns what a shell completes: the whole name, or all that comes before the name of the file.
    #[must_use]
    pub fn completion(&self) -> &'static str {
        self.usage.trim_end_matches("FILE")
    }
}

/// Returns the models that help and messages list.
pub fn listed() -> impl Iterator<Item = &'static ModelSpec> {
    MODELS.iter().filter(|spec| !spec.is_hidden)
}

/// Returns the model with this name, which is given without a file.
///
/// # Errors
/// [`UnknownModel`] if there is none.
pub fn find(name: &str) -> Result<&'static ModelSpec, UnknownModel> {
    let found = MODELS.iter().find(|spec| spec.name() == name);
    found.ok_or_else(|| UnknownModel(name.to_owned()))
}

/// There is no model with this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownModel(pub String);

impl UnknownModel {
    /// Returns the listed model whose name is most like this one, if one is like it.
    fn nearest(&self) -> Option<&'static ModelSpec> {
        /// Names that are less alike than this are different words.
        const ALIKE: f64 = 0.8;
        let typed = self.0.to_lowercase();
        let likeness = |spec: &'static ModelSpec| (strsim::jaro_winkler(spec.name(), &typed), spec);
        let alike = listed()
            .map(likeness)
            .filter(|(likeness, _)| *likeness >= ALIKE);
        let nearest = alike.max_by(|(one, _), (other, _)| one.total_cmp(other));
        nearest.map(|(_, spec)| spec)
    }
}

impl fmt::Display for UnknownModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no model `{}`; the models are: ", self.0)?;
        for (index, spec) in listed().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}", spec.usage)?;
        }
        match self.nearest() {
            Some(spec) => write!(f, "; did you mean {}?", spec.usage),
            None => Ok(()),
        }
    }
}

impl error::Error for UnknownModel {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_model_is_told_the_models_and_the_nearest_one() {
        let message = |name: &str| find(name).unwrap_err().to_string();
        let all = "the models are: vader, textblob, lexicon:FILE";
        assert_eq!(
            message("Vaider"),
            format!("there is no model `Vaider`; {all}; did you mean vader?")
        );
        assert_eq!(
            message("lexikon"),
            format!("there is no model `lexikon`; {all}; did you mean lexicon:FILE?")
        );
        assert_eq!(message("bert"), format!("there is no model `bert`; {all}"));
    }

    #[test]
    fn a_model_has_a_name_of_its_own_and_a_primary_score() {
        for (index, spec) in MODELS.iter().enumerate() {
            let earlier = &MODELS[..index];
            assert!(earlier.iter().all(|other| other.name() != spec.name()));
            assert_eq!(spec.takes_file(), !spec.file.is_empty());
            let args = BuildArgs {
                file: b"delayed\t-1.8\n",
                extend: false,
            };
            let model = (spec.build)(&args).unwrap();
            assert_eq!(model.name(), spec.name());
            assert!(model.primary() < model.fields().len());
        }
    }

    #[test]
    fn a_batch_has_the_scores_of_its_texts() {
        let texts = ["good", "", "not good at all :(", "TERRIBLE!!!"];
        for spec in MODELS.iter().filter(|spec| !spec.takes_file()) {
            let model = (spec.build)(&BuildArgs::default()).unwrap();
            let width = model.fields().len();
            let mut batch = vec![f64::NAN; texts.len() * width];
            assert_eq!(model.score_batch(&texts, &mut batch), []);
            for (text, row) in texts.iter().zip(batch.chunks(width)) {
                let mut scores = vec![f64::NAN; width];
                model.score(text, &mut scores).unwrap();
                assert_eq!(scores, row, "{} of {text:?}", spec.name());
            }
        }
    }
}
