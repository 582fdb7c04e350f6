//! What a label means.
//!
//! A worker cannot tell what a number means: a 1 is the worst of five stars, or the best of {0, 1}. So labels are first
//! counted by [`Slot`], and which class a slot stands for is decided by a [`Scheme`] when all of them are known.

use std::collections::BTreeMap;

use moodring_score::SentimentClass;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The multiples of one half from 0 to this have a slot of their own.
const HIGHEST: usize = 10;
const FIRST_HALF: usize = 3;
const BELOW: usize = FIRST_HALF + 2 * HIGHEST + 1;
const OTHER_ABOVE: usize = BELOW + 1;
/// Slots of the classes by name, of the halves, of the numbers below zero, and of the others above it.
pub(super) const SLOTS: usize = OTHER_ABOVE + 1;

/// No label is a number further from zero than this.
const MAX_NUMBER: f64 = 1000.0;

/// An index into what labels are counted by.
pub(super) type Slot = usize;

/// Labels of the user's own, and the classes they stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelMap(BTreeMap<String, usize>);

/// What `--labels` may say: what numbers mean, or what the user's own labels mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// What numbers mean, if it is said and not to be found out.
    pub scheme: Option<Scheme>,
    /// The user's own labels.
    pub map: LabelMap,
}

/// `--labels` cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` maps no label; write LABEL=CLASS with a class of negative, neutral or positive, or one of: {names}",
    names = Scheme::names()
)]
pub struct BadLabels(String);

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meaning {
    pub(super) slot: Slot,
    /// The label as a number, if it is one.
    pub(super) number: Option<f64>,
}

impl LabelMap {
    /// What `label` says; `None` if it is neither the name of a class nor a number.
    pub(super) fn meaning(&self, label: &str) -> Option<Meaning> {
        let label = label.trim();
        let number = label
            .parse()
            .ok()
            .filter(|number: &f64| number.abs() <= MAX_NUMBER);
        // A map is seldom there, and lower case has its price.
        let mapped = (!self.0.is_empty())
            .then(|| self.0.get(&label.to_lowercase()).copied())
            .flatten();
        let slot = mapped
            .or_else(|| class(label).map(|class| class as Slot))
            .or_else(|| number.map(number_slot))?;
        Some(Meaning { slot, number })
    }
}

impl std::str::FromStr for Labels {
    type Err = BadLabels;

    fn from_str(typed: &str) -> Result<Self, BadLabels> {
        if let Some(scheme) = Scheme::ALL.iter().find(|scheme| scheme.name() == typed) {
            return Ok(Self {
                scheme: Some(*scheme),
                map: LabelMap::default(),
            });
        }
        let pair = |pair: &str| {
            let (label, name) = pair.split_once('=')?;
            let label = label.trim().to_lowercase();
            Some((label, class(name.trim())? as usize)).filter(|(label, _)| !label.is_empty())
        };
        let pairs = typed
            .split(',')
            .map(|typed| pair(typed).ok_or_else(|| BadLabels(typed.to_owned())));
        Ok(Self {
            scheme: None,
            map: LabelMap(pairs.collect::<Result<_, _>>()?),
        })
    }
}

/// The class of that name.
fn class(name: &str) -> Option<SentimentClass> {
    let is = |names: [&str; 2]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    SentimentClass::ALL
        .into_iter()
        .zip([["negative", "neg"], ["neutral", "neu"], ["positive", "pos"]])
        .find(|&(_, names)| is(names))
        .map(|(class, _)| class)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the number of halves is whole, and small"
)]
fn number_slot(number: f64) -> Slot {
    let halves = number * 2.0;
    if halves.fract() == 0.0 && (0.0..=2.0 * HIGHEST as f64).contains(&halves) {
        halves as usize + FIRST_HALF
    } else if number < 0.0 {
        BELOW
    } else {
        OTHER_ABOVE
    }
}

/// What numbers mean as classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// One to five stars, whole ones.
    Stars,
    /// Half a star to five, in steps of a half, as in `MovieLens`.
    HalfStars,
    /// A rating from 1 to 10, perhaps with halves, perhaps with 0 below. The classes are those of the `IMDb` data of Maas
    /// and others (2011): up to 4 and from 7 on.
    OneToTen,
    /// 0, 2 and 4, as in Sentiment140.
    ZeroTwoFour,
    /// 0, 1 and 2, as in `TweetEval`.
    ZeroOneTwo,
    /// 0 and 1.
    ZeroOne,
    /// The sign says it.
    Sign,
}

/// What is known of the numbers among some labels.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// There are none.
    NoNumbers,
    /// They are those of a scale, and of no other one that is known.
    Scale(Scheme),
    /// They fit no scale that is known. Some of them, in order, and whether there are others.
    Unknown {
        /// As they are written, at most ten.
        examples: Vec<String>,
        /// Whether there are more than these.
        more: bool,
    },
}

impl Scheme {
    const ALL: [Self; 7] = [
        Self::Stars,
        Self::HalfStars,
        Self::OneToTen,
        Self::ZeroTwoFour,
        Self::ZeroOneTwo,
        Self::ZeroOne,
        Self::Sign,
    ];

    /// How it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stars => "stars",
            Self::HalfStars => "half-stars",
            Self::OneToTen => "1-10",
            Self::ZeroTwoFour => "0/2/4",
            Self::ZeroOneTwo => "0/1/2",
            Self::ZeroOne => "0/1",
            Self::Sign => "sign",
        }
    }

    /// All names, for a person.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Which numbers stand for which class.
    #[must_use]
    pub fn classes(self) -> &'static str {
        match self {
            Self::Stars => "1 and 2 are negative, 3 is neutral, 4 and 5 are positive",
            Self::HalfStars => "below 3 is negative, 3 is neutral, above 3 is positive",
            Self::OneToTen => "below 5 is negative, 5 to 6 is neutral, above 6 is positive",
            Self::ZeroTwoFour => "0 is negative, 2 is neutral, 4 is positive",
            Self::ZeroOneTwo => "0 is negative, 1 is neutral, 2 is positive",
            Self::ZeroOne => "0 is negative, 1 is positive",
            Self::Sign => "below zero is negative, zero is neutral, above zero is positive",
        }
    }

    /// What numbers are like that are read in this way if nobody says how to read them.
    #[must_use]
    pub fn evidence(self) -> &'static str {
        match self {
            Self::Stars => "all are whole numbers from 1 to 5",
            Self::HalfStars => "all are from 0.5 to 5 in steps of a half",
            Self::OneToTen => {
                "all are from 0 to 10 in steps of one or a half, and some are above 5"
            }
            Self::ZeroTwoFour => "all are 0, 2 or 4",
            Self::ZeroOneTwo => "all are 0, 1 or 2",
            Self::ZeroOne => "all are 0 or 1",
            Self::Sign => "some are below zero",
        }
    }

    /// The class that a slot stands for, if it stands for any.
    pub(super) fn class(self, slot: Slot) -> Option<SentimentClass> {
        use SentimentClass::{Negative, Neutral, Positive};
        let halves = match slot {
            0..FIRST_HALF => return Some(SentimentClass::ALL[slot]),
            BELOW => return (self == Self::Sign).then_some(Negative),
            OTHER_ABOVE => return (self == Self::Sign).then_some(Positive),
            _ => slot - FIRST_HALF,
        };
        match (self, halves) {
            (Self::Stars, 2 | 4)
            | (Self::HalfStars, 1..=5)
            | (Self::OneToTen, 0..=9)
            | (Self::ZeroTwoFour | Self::ZeroOneTwo | Self::ZeroOne, 0) => Some(Negative),
            (Self::Stars | Self::HalfStars, 6)
            | (Self::OneToTen, 10..=12)
            | (Self::ZeroTwoFour, 4)
            | (Self::ZeroOneTwo, 2)
            | (Self::Sign, 0) => Some(Neutral),
            (Self::Stars, 8 | 10)
            | (Self::HalfStars, 7..=10)
            | (Self::OneToTen, 13..=20)
            | (Self::ZeroTwoFour, 8)
            | (Self::ZeroOneTwo, 4)
            | (Self::ZeroOne, 2)
            | (Self::Sign, 1..) => Some(Positive),
            _ => None,
        }
    }
}

impl Reading {
    /// What the numbers among the labels most likely mean, by which of them there are.
    pub(super) fn of(present: &[bool; SLOTS]) -> Self {
        let halves: Vec<usize> = (0..BELOW - FIRST_HALF)
            .filter(|half| present[FIRST_HALF + half])
            .collect();
        let all_of = |allowed: &[usize]| halves.iter().all(|half| allowed.contains(half));
        let above = present[OTHER_ABOVE];
        let lowest = halves.first().copied().unwrap_or(0);
        let highest = halves.last().copied().unwrap_or(0);
        let is_whole = all_of(&[2, 4, 6, 8, 10]);
        match () {
            () if present[BELOW] => Self::Scale(Scheme::Sign),
            () if halves.is_empty() && !above => Self::NoNumbers,
            () if above => Self::unknown(&halves, true),
            () if all_of(&[0, 2]) => Self::Scale(Scheme::ZeroOne),
            () if all_of(&[0, 2, 4]) && lowest == 0 && halves.contains(&2) => {
                Self::Scale(Scheme::ZeroOneTwo)
            }
            () if all_of(&[0, 4, 8]) && lowest == 0 => Self::Scale(Scheme::ZeroTwoFour),
            () if highest > 2 * 5 => Self::Scale(Scheme::OneToTen),
            () if lowest > 0 && is_whole => Self::Scale(Scheme::Stars),
            () if lowest > 0 => Self::Scale(Scheme::HalfStars),
            // 0 to 5 stars, five classes from 0, shares of one: who knows.
            () => Self::unknown(&halves, false),
        }
    }

    fn unknown(halves: &[usize], others: bool) -> Self {
        const SHOWN: usize = 10;
        let shown = halves.iter().take(SHOWN);
        Self::Unknown {
            examples: shown
                .map(|&half| {
                    if half % 2 == 0 {
                        (half / 2).to_string()
                    } else {
                        format!("{}.5", half / 2)
                    }
                })
                .collect(),
            more: others || halves.len() > SHOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(labels: &[&str]) -> Reading {
        let mut present = [false; SLOTS];
        for label in labels {
            present[LabelMap::default().meaning(label).unwrap().slot] = true;
        }
        Reading::of(&present)
    }

    #[test]
    fn numbers_mean_what_their_company_says() {
        assert_eq!(reading(&["positive", "neg", "NEUTRAL"]), Reading::NoNumbers);
        for (labels, scheme) in [
            (&["0", "4"][..], Scheme::ZeroTwoFour),
            (&["0", "2", "4.0"], Scheme::ZeroTwoFour),
            (&["0", "1", "2"], Scheme::ZeroOneTwo),
            (&["1", "0"], Scheme::ZeroOne),
            (&["1", "2", "5"], Scheme::Stars),
            (&["-1", "0", "1"], Scheme::Sign),
            (&["-3.27", "2", "17"], Scheme::Sign),
            (&["1", "2.5"], Scheme::HalfStars),
            (&["0.5", "3", "5.0"], Scheme::HalfStars),
            (&["1", "10"], Scheme::OneToTen),
            (&["0", "3", "7"], Scheme::OneToTen),
            (&["5", "7.5"], Scheme::OneToTen),
        ] {
            assert_eq!(reading(labels), Reading::Scale(scheme), "{labels:?}");
        }
    }

    #[test]
    fn numbers_of_no_known_scale_are_not_guessed_at() {
        let unknown = |examples: &[&str], more| Reading::Unknown {
            examples: examples.iter().map(|&example| example.to_owned()).collect(),
            more,
        };
        assert_eq!(
            reading(&["4", "0", "3", "1", "2"]),
            unknown(&["0", "1", "2", "3", "4"], false)
        );
        assert_eq!(
            reading(&["0", "0.5", "1"]),
            unknown(&["0", "0.5", "1"], false)
        );
        assert_eq!(reading(&["0.73", "1"]), unknown(&["1"], true));
        assert_eq!(reading(&["17"]), unknown(&[], true));
    }

    #[test]
    fn a_scheme_gives_each_number_its_class() {
        let class = |scheme: Scheme, label: &str| {
            scheme.class(LabelMap::default().meaning(label).unwrap().slot)
        };
        assert_eq!(class(Scheme::Stars, "2"), Some(SentimentClass::Negative));
        assert_eq!(class(Scheme::Stars, "0"), None);
        assert_eq!(
            class(Scheme::ZeroTwoFour, "2"),
            Some(SentimentClass::Neutral)
        );
        assert_eq!(class(Scheme::Sign, "-0.2"), Some(SentimentClass::Negative));
        assert_eq!(class(Scheme::Sign, "0.0"), Some(SentimentClass::Neutral));
        assert_eq!(
            class(Scheme::ZeroOne, "Pos"),
            Some(SentimentClass::Positive)
        );
        assert_eq!(
            class(Scheme::HalfStars, "2.5"),
            Some(SentimentClass::Negative)
        );
        assert_eq!(
            class(Scheme::HalfStars, "3.5"),
            Some(SentimentClass::Positive)
        );
        assert_eq!(class(Scheme::HalfStars, "5.5"), None);
        assert_eq!(
            class(Scheme::OneToTen, "4.5"),
            Some(SentimentClass::Negative)
        );
        assert_eq!(class(Scheme::OneToTen, "6"), Some(SentimentClass::Neutral));
        assert_eq!(class(Scheme::OneToTen, "7"), Some(SentimentClass::Positive));
        assert_eq!(class(Scheme::OneToTen, "11"), None);
    }

    #[test]
    fn labels_of_ones_own_are_mapped_in_any_case() {
        let labels: Labels = "Joy=positive, meh=neu,4=negative".parse().unwrap();
        let slot = |label: &str| labels.map.meaning(label).map(|meaning| meaning.slot);
        assert_eq!(slot("JOY"), Some(SentimentClass::Positive as usize));
        assert_eq!(slot("4"), Some(SentimentClass::Negative as usize));
        assert_eq!(labels.map.meaning("4").unwrap().number, Some(4.0));
        assert_eq!(slot("anger"), None);
        for wrong in ["", "joy", "joy=happy", "=positive", "joy=positive,"] {
            assert!(wrong.parse::<Labels>().is_err(), "{wrong}");
        }
        for scheme in Scheme::ALL {
            let labels: Labels = scheme.name().parse().unwrap();
            assert_eq!(labels.scheme, Some(scheme));
        }
    }

    #[test]
    fn what_is_no_number_of_a_rating_is_no_label() {
        for label in ["", "nan", "inf", "1001", "good"] {
            assert_eq!(LabelMap::default().meaning(label), None, "{label}");
        }
    }
}
