//! What a label means.
//!
//! A worker cannot tell what a number means: a 1 is the worst of five stars, or the best of {0, 1}. So labels are first
//! counted by [`Slot`], and which class a slot stands for is decided by a [`Scheme`] when all of them are known.

use std::collections::BTreeMap;

use moodring_score::Mood;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The whole numbers that have a slot of their own: −5 to 5.
const WHOLE: i32 = 5;
/// Slots of the classes by name, of the whole numbers, of the other numbers below and above zero.
pub(super) const SLOTS: usize = 3 + 11 + 2;
const FIRST_WHOLE: usize = 3;
const OTHER_BELOW: usize = 14;
const OTHER_ABOVE: usize = 15;

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
    "`{0}` maps no label; write LABEL=CLASS with a class of negative, neutral or positive, or one of: stars, 0/2/4, 0/1/2, 0/1, sign"
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
            .or_else(|| class(label).map(|mood| mood as Slot))
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
fn class(name: &str) -> Option<Mood> {
    let is = |names: [&str; 2]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    Mood::ALL
        .into_iter()
        .zip([["negative", "neg"], ["neutral", "neu"], ["positive", "pos"]])
        .find(|&(_, names)| is(names))
        .map(|(mood, _)| mood)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is whole, and small"
)]
fn number_slot(number: f64) -> Slot {
    if number.fract() == 0.0 && number.abs() <= f64::from(WHOLE) {
        (number as i32 + WHOLE) as usize + FIRST_WHOLE
    } else if number < 0.0 {
        OTHER_BELOW
    } else {
        OTHER_ABOVE
    }
}

/// What numbers mean as classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// One to five stars: 1 and 2 are negative, 3 is neutral, 4 and 5 are positive.
    Stars,
    /// 0 is negative, 2 neutral, 4 positive, as in Sentiment140.
    ZeroTwoFour,
    /// 0 is negative, 1 neutral, 2 positive, as in `TweetEval`.
    ZeroOneTwo,
    /// 0 is negative, 1 positive.
    ZeroOne,
    /// The sign says it: below zero is negative, zero neutral, above positive.
    Sign,
}

impl Scheme {
    const ALL: [Self; 5] = [
        Self::Stars,
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
            Self::ZeroTwoFour => "0/2/4",
            Self::ZeroOneTwo => "0/1/2",
            Self::ZeroOne => "0/1",
            Self::Sign => "sign",
        }
    }

    /// What the numbers among the labels most likely mean, by which of them there are; `None` if there are none.
    pub(super) fn of(present: &[bool; SLOTS]) -> Option<Self> {
        let others = present[OTHER_BELOW] || present[OTHER_ABOVE];
        let wholes: Vec<i32> = (-WHOLE..=WHOLE)
            .zip(&present[FIRST_WHOLE..])
            .filter_map(|(whole, &there)| there.then_some(whole))
            .collect();
        let all_of = |allowed: &[i32]| wholes.iter().all(|whole| allowed.contains(whole));
        match () {
            () if wholes.is_empty() && !others => None,
            () if others || wholes[0] < 0 => Some(Self::Sign),
            () if all_of(&[0, 1]) => Some(Self::ZeroOne),
            () if all_of(&[0, 1, 2]) && wholes[0] == 0 && wholes.contains(&1) => {
                Some(Self::ZeroOneTwo)
            }
            () if all_of(&[0, 2, 4]) && wholes[0] == 0 => Some(Self::ZeroTwoFour),
            () if all_of(&[1, 2, 3, 4, 5]) => Some(Self::Stars),
            () => Some(Self::Sign),
        }
    }

    /// The class that a slot stands for, if it stands for any.
    pub(super) fn class(self, slot: Slot) -> Option<Mood> {
        use Mood::{Negative, Neutral, Positive};
        let whole = match slot {
            0..FIRST_WHOLE => return Some(Mood::ALL[slot]),
            OTHER_BELOW => return (self == Self::Sign).then_some(Negative),
            OTHER_ABOVE => return (self == Self::Sign).then_some(Positive),
            whole => i32::try_from(whole - FIRST_WHOLE).unwrap_or(0) - WHOLE,
        };
        match (self, whole) {
            (Self::Stars, 1 | 2)
            | (Self::ZeroTwoFour | Self::ZeroOneTwo | Self::ZeroOne, 0)
            | (Self::Sign, ..0) => Some(Negative),
            (Self::Stars, 3) | (Self::ZeroTwoFour, 2) | (Self::ZeroOneTwo, 1) | (Self::Sign, 0) => {
                Some(Neutral)
            }
            (Self::Stars, 4 | 5)
            | (Self::ZeroTwoFour, 4)
            | (Self::ZeroOneTwo, 2)
            | (Self::ZeroOne, 1)
            | (Self::Sign, 1..) => Some(Positive),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(labels: &[&str]) -> Option<Scheme> {
        let mut present = [false; SLOTS];
        for label in labels {
            present[LabelMap::default().meaning(label).unwrap().slot] = true;
        }
        Scheme::of(&present)
    }

    #[test]
    fn numbers_mean_what_their_company_says() {
        assert_eq!(scheme(&["positive", "neg", "NEUTRAL"]), None);
        assert_eq!(scheme(&["0", "4"]), Some(Scheme::ZeroTwoFour));
        assert_eq!(scheme(&["0", "2", "4.0"]), Some(Scheme::ZeroTwoFour));
        assert_eq!(scheme(&["0", "1", "2"]), Some(Scheme::ZeroOneTwo));
        assert_eq!(scheme(&["1", "0"]), Some(Scheme::ZeroOne));
        assert_eq!(scheme(&["1", "2", "5"]), Some(Scheme::Stars));
        assert_eq!(scheme(&["-1", "0", "1"]), Some(Scheme::Sign));
        assert_eq!(scheme(&["1", "2.5"]), Some(Scheme::Sign));
        assert_eq!(scheme(&["17"]), Some(Scheme::Sign));
    }

    #[test]
    fn a_scheme_gives_each_number_its_class() {
        let class = |scheme: Scheme, label: &str| {
            scheme.class(LabelMap::default().meaning(label).unwrap().slot)
        };
        assert_eq!(class(Scheme::Stars, "2"), Some(Mood::Negative));
        assert_eq!(class(Scheme::Stars, "0"), None);
        assert_eq!(class(Scheme::ZeroTwoFour, "2"), Some(Mood::Neutral));
        assert_eq!(class(Scheme::Sign, "-0.2"), Some(Mood::Negative));
        assert_eq!(class(Scheme::Sign, "0.0"), Some(Mood::Neutral));
        assert_eq!(class(Scheme::ZeroOne, "Pos"), Some(Mood::Positive));
    }

    #[test]
    fn labels_of_ones_own_are_mapped_in_any_case() {
        let labels: Labels = "Joy=positive, meh=neu,4=negative".parse().unwrap();
        let slot = |label: &str| labels.map.meaning(label).map(|meaning| meaning.slot);
        assert_eq!(slot("JOY"), Some(Mood::Positive as usize));
        assert_eq!(slot("4"), Some(Mood::Negative as usize));
        assert_eq!(labels.map.meaning("4").unwrap().number, Some(4.0));
        assert_eq!(slot("anger"), None);
        for wrong in ["", "joy", "joy=happy", "=positive", "joy=positive,"] {
            assert!(wrong.parse::<Labels>().is_err(), "{wrong}");
        }
        assert_eq!(
            "stars".parse::<Labels>().unwrap().scheme,
            Some(Scheme::Stars)
        );
    }

    #[test]
    fn what_is_no_number_of_a_rating_is_no_label() {
        for label in ["", "nan", "inf", "1001", "good"] {
            assert_eq!(LabelMap::default().meaning(label), None, "{label}");
        }
    }
}
