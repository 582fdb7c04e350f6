//! Builds a [`Lexicon`] word by word, from the built-in lists or from what a caller gives.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::{error, fmt};

use super::lexicon::{Lexicon, Phrase, Phrases};
use super::table::{Key, MAX_SHORT, Table};
use super::unicode;
use super::word::{Keyword, Word};

static BUILT_IN: LazyLock<Arc<Lexicon>> =
    LazyLock::new(|| Arc::new(LexiconBuilder::built_in().build()));

impl Lexicon {
    /// The lexicon of vaderSentiment 3.3.2, made at its first use (in about three milliseconds) and shared from then
    /// on.
    #[must_use]
    pub fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }
}

/// Why a word cannot be in a lexicon.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum BadWord {
    /// It has no letters at all, or only blanks.
    Empty,
    /// The value is not a number, or further from zero than [`MAX_VALUE`].
    Value(f64),
    /// A negation has to be one word.
    NotOneWord(String),
    /// An idiom has two or three words.
    NotAPhrase(String),
    /// A booster has one to three words.
    TooManyWords(String),
    /// There are more than 16 million words.
    TooMany,
}

/// The largest valence or boost that a lexicon may give a word. The built-in ones are in −4..4.
pub const MAX_VALUE: f64 = 100.0;

impl fmt::Display for BadWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(
                f,
                "the word is empty; give it at least one character that is not a blank"
            ),
            Self::Value(value) => {
                write!(
                    f,
                    "the value {value} is not a number between -{MAX_VALUE} and {MAX_VALUE}"
                )
            }
            Self::NotOneWord(word) => write!(
                f,
                "`{word}` is not one word; a negation may not hold blanks"
            ),
            Self::NotAPhrase(idiom) => {
                write!(f, "`{idiom}` has not two or three words; an idiom has")
            }
            Self::TooManyWords(booster) => write!(
                f,
                "`{booster}` has more than three words; a booster has one to three"
            ),
            Self::TooMany => write!(f, "the lexicon has more than {} words; split it", Word::MAX),
        }
    }
}

impl error::Error for BadWord {}

/// Builds a [`Lexicon`].
///
/// A word may be given again: its last valence counts, and its last boost. One word can be more than one thing, as
/// `no` is in the built-in lists.
///
/// ```
/// use moodring_score::vader::{LexiconBuilder, Vader};
///
/// let mut words = LexiconBuilder::built_in();
/// words.valence("grounded", -1.5)?;
/// let vader = Vader::with_lexicon(words.build());
/// assert!(vader.score("The flight was grounded").compound < 0.0);
/// # Ok::<(), moodring_score::vader::BadWord>(())
/// ```
#[derive(Debug, Clone)]
pub struct LexiconBuilder {
    /// Words by their index; 0 is none.
    words: HashMap<Box<str>, usize>,
    drafts: Vec<Draft>,
    idioms: HashMap<Phrase, f64>,
    booster_phrases: HashMap<Phrase, f64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Draft {
    kinds: u32,
    valence: f64,
    boost: f64,
}

/// What a word can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Booster,
    Idiom,
    Negation,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Word, Self::Booster, Self::Idiom, Self::Negation];
}

impl Default for LexiconBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl LexiconBuilder {
    /// A lexicon without words. The rules that ask for a word by name (`but`, `never so`, `at least`) are in force in
    /// every lexicon.
    ///
    /// # Panics
    /// Never: there is room for those words.
    #[must_use]
    pub fn new() -> Self {
        let mut new = Self {
            words: HashMap::with_capacity(1 << 13),
            drafts: vec![Draft::default()],
            idioms: HashMap::new(),
            booster_phrases: HashMap::new(),
        };
        for (keyword, spelling) in Keyword::ALL {
            let draft = new.draft(spelling).expect("there is room for the keywords");
            new.drafts[draft].kinds = match keyword {
                Keyword::But => Word::BUT,
                _ => Word::KEYWORD,
            };
            debug_assert_eq!(draft, keyword as usize);
        }
        new
    }

    /// The words of vaderSentiment 3.3.2, to add to.
    #[must_use]
    pub fn built_in() -> Self {
        let mut new = Self::new();
        for kind in Kind::ALL {
            new.add_built_in(kind);
        }
        new
    }

    /// Adds the built-in words of a kind.
    pub(super) fn add_built_in(&mut self, kind: Kind) {
        let mut fill = || match kind {
            Kind::Word => rows(include_str!("../../data/vader/words.tsv"))
                .try_for_each(|(word, valence)| self.valence(word, valence)),
            Kind::Booster => rows(include_str!("../../data/vader/boosters.tsv"))
                .try_for_each(|(booster, amount)| self.booster(booster, amount)),
            Kind::Idiom => rows(include_str!("../../data/vader/idioms.tsv"))
                .try_for_each(|(idiom, valence)| self.idiom(idiom, valence)),
            Kind::Negation => include_str!("../../data/vader/negations.tsv")
                .lines()
                .try_for_each(|word| self.negation(word)),
        };
        fill().expect("the built-in lists are good");
    }

    /// Gives a word a valence: how pleasant it is, in −4..4 in the built-in list.
    ///
    /// A word with a blank in it is never found, since tokens have none; an [idiom](Self::idiom) may be meant.
    ///
    /// # Errors
    /// If the word is empty or the value is none.
    pub fn valence(&mut self, word: &str, valence: f64) -> Result<(), BadWord> {
        check_value(valence)?;
        self.insert(word, |draft| {
            draft.kinds |= Word::VALENCED;
            draft.valence = valence;
        })
    }

    /// Makes a word, or a phrase of two or three, a booster: it adds `amount` to the valence of what follows, away
    /// from zero (`very`, 0.293) or towards it (`kind of`, −0.293).
    ///
    /// # Errors
    /// If there is no word, or more than three, or the value is none.
    pub fn booster(&mut self, booster: &str, amount: f64) -> Result<(), BadWord> {
        check_value(amount)?;
        match booster.split_whitespace().count() {
            0 => Err(BadWord::Empty),
            1 => self.insert(booster.trim(), |draft| {
                draft.kinds |= Word::BOOSTER;
                draft.boost = amount;
            }),
            2 | 3 => {
                let phrase = self.phrase(booster)?;
                self.booster_phrases.insert(phrase, amount);
                Ok(())
            }
            _ => Err(BadWord::TooManyWords(booster.to_owned())),
        }
    }

    /// Makes a word a negation of what follows.
    ///
    /// # Errors
    /// If it is not one word.
    pub fn negation(&mut self, word: &str) -> Result<(), BadWord> {
        if word.split_whitespace().count() > 1 {
            return Err(BadWord::NotOneWord(word.to_owned()));
        }
        self.insert(word, |draft| draft.kinds |= Word::NEGATION)
    }

    /// Gives two or three words a valence of their own, in place of that of the words in them. One of them must have a
    /// valence, or the idiom is never looked at.
    ///
    /// # Errors
    /// If there are not two or three words, or the value is none.
    pub fn idiom(&mut self, idiom: &str, valence: f64) -> Result<(), BadWord> {
        check_value(valence)?;
        if !(2..=3).contains(&idiom.split_whitespace().count()) {
            return Err(BadWord::NotAPhrase(idiom.to_owned()));
        }
        let phrase = self.phrase(idiom)?;
        self.idioms.insert(phrase, valence);
        Ok(())
    }

    fn insert(&mut self, word: &str, change: impl FnOnce(&mut Draft)) -> Result<(), BadWord> {
        if word.trim().is_empty() {
            return Err(BadWord::Empty);
        }
        let at = self.draft(word)?;
        change(&mut self.drafts[at]);
        Ok(())
    }

    fn phrase(&mut self, words: &str) -> Result<Phrase, BadWord> {
        let mut phrase = Phrase::default();
        for (index, word) in phrase.iter_mut().zip(words.split_whitespace()) {
            *index = self.draft(word)?;
        }
        self.drafts[phrase[0]].kinds |= Word::OPENS_PHRASE;
        Ok(phrase)
    }

    /// The index of a word, new or old.
    fn draft(&mut self, word: &str) -> Result<usize, BadWord> {
        if let Some(&index) = self.words.get(word) {
            return Ok(index);
        }
        let index = self.drafts.len();
        if index > Word::MAX {
            return Err(BadWord::TooMany);
        }
        self.words.insert(word.into(), index);
        self.drafts.push(Draft::default());
        Ok(index)
    }

    /// The lexicon.
    #[must_use]
    pub fn build(self) -> Lexicon {
        let mut short = Vec::with_capacity(self.words.len());
        let mut long = HashMap::new();
        let (mut longest, mut has_non_ascii) = (0, false);
        for (spelling, index) in self.words {
            // No token in lower case is like it.
            if unicode::lower(&spelling).as_slice() != spelling.as_bytes() {
                continue;
            }
            has_non_ascii |= !spelling.is_ascii();
            let word = Word::new(index, self.drafts[index].kinds);
            longest = longest.max(spelling.len());
            if spelling.len() <= MAX_SHORT {
                short.push((Key::new(spelling.as_bytes()), word));
            } else {
                long.insert(spelling.into_boxed_bytes(), word);
            }
        }
        Lexicon {
            short: Table::new(&short),
            long,
            longest,
            has_non_ascii,
            valences: self.drafts.iter().map(|draft| draft.valence).collect(),
            boosts: self.drafts.iter().map(|draft| draft.boost).collect(),
            idioms: sorted(self.idioms),
            booster_phrases: sorted(self.booster_phrases),
        }
    }
}

fn sorted(phrases: HashMap<Phrase, f64>) -> Phrases {
    let mut phrases: Phrases = phrases.into_iter().collect();
    phrases.sort_by_key(|&(words, _)| words);
    phrases
}

fn check_value(value: f64) -> Result<(), BadWord> {
    if value.abs() <= MAX_VALUE {
        Ok(())
    } else {
        Err(BadWord::Value(value))
    }
}

/// The rows of a built-in list: a word and its value.
fn rows(list: &'static str) -> impl Iterator<Item = (&'static str, f64)> {
    list.lines().map(|line| {
        let (word, value) = line
            .split_once('\t')
            .expect("a row of a built-in list has two columns");
        (
            word,
            value
                .parse()
                .expect("the second column of a built-in list is a value"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_lists_are_those_of_the_package() {
        let lexicon = Lexicon::built_in();
        assert_eq!(
            rows(include_str!("../../data/vader/words.tsv")).count(),
            7506
        );
        assert_eq!(
            lexicon.valence(lexicon.find(b"good")).to_bits(),
            1.9_f64.to_bits()
        );
        assert_eq!(
            lexicon.valence(lexicon.find(b"fav")).to_bits(),
            2.0_f64.to_bits(),
            "the last of two rows counts"
        );
        assert!(
            lexicon.find(b"very").is_any(Word::BOOSTER) && lexicon.find(b"very").is(Keyword::Very)
        );
        assert!(lexicon.find(b"never").is_any(Word::NEGATION));
        assert_eq!(lexicon.find(b"xylophone"), Word::UNKNOWN);
    }

    #[test]
    fn phrases_are_found_word_by_word() {
        let lexicon = Lexicon::built_in();
        let words = |text: &str| {
            text.split(' ')
                .map(|word| lexicon.find(word.as_bytes()))
                .collect::<Vec<_>>()
        };
        assert_eq!(lexicon.idiom(&words("kiss of death")), Some(-1.5));
        assert_eq!(lexicon.idiom(&words("the bomb xylophone")), None);
        assert_eq!(lexicon.booster_phrase(&words("kind of")), Some(-0.293));
    }

    #[test]
    fn a_bad_word_is_refused_with_a_reason() {
        let mut words = LexiconBuilder::new();
        assert_eq!(words.valence(" ", 1.0), Err(BadWord::Empty));
        assert!(matches!(
            words.valence("nan", f64::NAN),
            Err(BadWord::Value(_))
        ));
        assert!(matches!(
            words.valence("huge", 1e300),
            Err(BadWord::Value(_))
        ));
        assert!(matches!(
            words.idiom("alone", 1.0),
            Err(BadWord::NotAPhrase(_))
        ));
        assert!(matches!(
            words.negation("not at all"),
            Err(BadWord::NotOneWord(_))
        ));
        assert!(matches!(
            words.booster("a b c d", 1.0),
            Err(BadWord::TooManyWords(_))
        ));
    }
}
