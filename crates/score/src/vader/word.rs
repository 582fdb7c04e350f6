//! A token as the rules see it.

use std::fmt;

/// What the lexicon knows of a token, in four bytes: which of its words it is, and what kinds of word that is.
///
/// The scanner keeps one for each token of the post, so that the rules never look at text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(u32);

impl Word {
    /// A token that is not in the lexicon.
    pub(super) const UNKNOWN: Self = Self(0);
    /// Stands before the first token of a post. The rules skip a neighbour with a valence; this one they always skip.
    pub(super) const BEFORE: Self = Self(Self::VALENCED);
    /// Stands after the last token of a post.
    pub(super) const AFTER: Self = Self(0);

    /// It has a valence.
    pub(super) const VALENCED: u32 = 1 << 24;
    /// It makes what follows stronger or weaker.
    pub(super) const BOOSTER: u32 = 1 << 25;
    /// It negates what follows.
    pub(super) const NEGATION: u32 = 1 << 26;
    /// An idiom or a booster of several words begins with it.
    pub(super) const OPENS_PHRASE: u32 = 1 << 27;
    /// Some rule asks for this very word; see [`Keyword`].
    pub(super) const KEYWORD: u32 = 1 << 28;
    /// It is "but".
    pub(super) const BUT: u32 = 1 << 29;
    /// The token is in capitals.
    pub(super) const CAPITALS: u32 = 1 << 31;

    const INDEX: u32 = Self::VALENCED - 1;
    /// The largest number of words in a lexicon.
    pub(super) const MAX: usize = Self::INDEX as usize;

    /// The word at `index` of the lexicon. Index 0 is that of unknown words.
    pub(super) fn new(index: usize, kinds: u32) -> Self {
        let index = u32::try_from(index).expect("a lexicon counts its words");
        debug_assert!(index <= Self::INDEX && kinds & Self::INDEX == 0);
        Self(index | kinds)
    }

    /// The same word with `kind` added where `wanted`, without a branch.
    #[inline]
    pub(super) fn with(self, kind: u32, wanted: bool) -> Self {
        Self(self.0 | (kind * u32::from(wanted)))
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        (self.0 & Self::INDEX) as usize
    }

    /// All kinds that any of these words is of.
    #[inline]
    pub(super) fn kinds_of(words: &[Self]) -> u32 {
        words.iter().fold(0, |kinds, word| kinds | word.0) & !Self::INDEX
    }

    /// Returns whether it is of any of these kinds.
    #[inline]
    pub(super) fn is_any(self, kinds: u32) -> bool {
        self.0 & kinds != 0
    }

    #[inline]
    pub(super) fn is_valenced(self) -> bool {
        self.is_any(Self::VALENCED)
    }

    /// It has a valence to be scored with. A booster is never scored itself, whatever its valence.
    #[inline]
    pub(super) fn is_scored(self) -> bool {
        self.0 & (Self::VALENCED | Self::BOOSTER) == Self::VALENCED
    }

    #[inline]
    pub(super) fn is_capitals(self) -> bool {
        self.is_any(Self::CAPITALS)
    }

    #[inline]
    pub(super) fn is(self, keyword: Keyword) -> bool {
        self.0 & Self::INDEX == keyword as u32
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({}, {:#04x})", self.index(), self.0 >> 24)
    }
}

/// The words that rules ask for by name, each at the index of its own number in every lexicon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    No = 1,
    But,
    Kind,
    Of,
    Least,
    At,
    Very,
    Never,
    So,
    This,
    Without,
    Doubt,
    Or,
    Nor,
}

impl Keyword {
    /// All of them in the order of their numbers, with their spelling.
    pub(super) const ALL: [(Self, &'static str); 14] = [
        (Self::No, "no"),
        (Self::But, "but"),
        (Self::Kind, "kind"),
        (Self::Of, "of"),
        (Self::Least, "least"),
        (Self::At, "at"),
        (Self::Very, "very"),
        (Self::Never, "never"),
        (Self::So, "so"),
        (Self::This, "this"),
        (Self::Without, "without"),
        (Self::Doubt, "doubt"),
        (Self::Or, "or"),
        (Self::Nor, "nor"),
    ];
}
