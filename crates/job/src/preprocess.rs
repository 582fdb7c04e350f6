//! What happens to a text before it is scored: it is cleaned, searched for tracked terms, and its language is told. A post
//! that the run does not ask for is filtered.

use std::borrow::Cow;

use moodring_pool::JobError;
use moodring_record::{Post, ValuesOf};
use moodring_text::{Cleaner, Lang, Track};

use crate::message::TextRules;

/// Prepares posts for scoring. Does nothing, and costs nothing, unless the rules ask for it.
#[derive(Debug)]
pub(crate) struct Preprocessor {
    /// Whether every post is scored as it is.
    is_idle: bool,
    cleaner: Cleaner,
    /// Posts in other languages are filtered, if there are any here.
    langs: Vec<Lang>,
    tells_lang: bool,
    /// Posts with none of these terms are filtered.
    track: Option<Track>,
    /// The terms of the last post, and scratch space to find them.
    terms: Vec<u32>,
    folded: String,
}

/// A post that is to be scored.
#[derive(Debug)]
pub(crate) struct Processed<'p> {
    /// The text as a person reads it.
    pub(crate) readable: Cow<'p, str>,
    /// The same without what is hidden from the models, if there is any.
    neutral: Option<String>,
    /// Its language, if that is known and was asked for.
    pub(crate) lang: Option<Lang>,
    /// The tracked terms that it has, by their number.
    pub(crate) terms: &'p [u32],
}

impl Processed<'_> {
    /// Returns the text to score.
    pub(crate) fn text(&self) -> &str {
        self.neutral.as_deref().unwrap_or(&self.readable)
    }
}

impl Preprocessor {
    /// `tells_lang` says whether the languages of posts are of interest beyond the filter.
    pub(crate) fn new(rules: &TextRules, tells_lang: bool) -> Result<Self, JobError> {
        let langs = rules.langs.iter().map(|lang| lang.parse());
        let langs: Vec<Lang> = langs.collect::<Result<_, _>>().map_err(JobError::new)?;
        let track = match &rules.track[..] {
            [] => None,
            terms => Some(Track::new(terms).map_err(JobError::new)?),
        };
        let cleaner = Cleaner::new(rules.clean);
        let tells_lang = tells_lang || !langs.is_empty();
        Ok(Self {
            is_idle: cleaner.is_idle() && track.is_none() && !tells_lang,
            cleaner,
            tells_lang,
            langs,
            track,
            terms: Vec::new(),
            folded: String::new(),
        })
    }

    /// Prepares a post; none if it is filtered.
    #[inline]
    pub(crate) fn process<'p>(&'p mut self, post: &'p Post<'_>) -> Option<Processed<'p>> {
        if self.is_idle {
            return Some(Processed {
                readable: Cow::Borrowed(post.text()),
                neutral: None,
                lang: None,
                terms: &[],
            });
        }
        self.prepare(post)
    }

    /// Takes the steps that the rules ask for. Apart from [`process`](Self::process), so that only its one branch is
    /// inlined.
    #[inline(never)]
    fn prepare<'p>(&'p mut self, post: &'p Post<'_>) -> Option<Processed<'p>> {
        let readable = self.cleaner.readable(post.text());
        if let Some(track) = &self.track {
            track.find(&readable, &mut self.folded, &mut self.terms);
            if self.terms.is_empty() {
                return None;
            }
        }
        let neutral = match self.cleaner.neutral(&readable) {
            Cow::Borrowed(_) => None,
            Cow::Owned(neutral) => Some(neutral),
        };
        let mut processed = Processed {
            readable,
            neutral,
            lang: None,
            terms: &self.terms,
        };
        if self.tells_lang {
            // What the source says is believed, where it says something.
            let lang = lang_of(post);
            processed.lang = lang.or_else(|| Lang::detect(processed.text()));
            let is_wanted = |lang: &Lang| self.langs.contains(lang);
            if !self.langs.is_empty() && !processed.lang.as_ref().is_some_and(is_wanted) {
                return None;
            }
        }
        Some(processed)
    }
}

/// The language that a post says it is in: of several, the first that is known.
fn lang_of(post: &Post<'_>) -> Option<Lang> {
    let mut found = None;
    post.for_each_value(ValuesOf::Lang, |code| {
        found = found.or_else(|| code.parse().ok());
    });
    found
}
