//! "But": what comes before it counts half, what comes after it half as much again.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::observe::{Observer, Rule};

const BEFORE: f64 = 0.5;
const AFTER: f64 = 1.5;

/// The valence of a token that has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Valence {
    /// The position of the token in the text.
    pub(super) at: usize,
    pub(super) value: f64,
}

/// The valences of a text, in order; tokens without one have none here.
pub(super) type Valences = SmallVec<[Valence; 16]>;

/// Up to this many valences, looking through them for each is faster than keeping a set.
const FEW: usize = 32;

/// Weighs the valences by their side of the first "but" of the text, at position `but`.
///
/// The reference goes through the valences but finds the place of each by its value (`sentiments.index(sentiment)`),
/// which is the first place to have that value at that moment. In "love but amusing", love (3.2) is halved to just
/// what amusing has (1.6). When it is the turn of amusing, love is found first and halved again, and amusing stays as
/// it is. For long texts a set of values and places keeps that from taking the square of their length.
pub(super) fn weigh<O: Observer>(valences: &mut Valences, but: usize, observer: &mut O) {
    let mut seen = BTreeSet::new();
    let few = valences.len() <= FEW;
    for turn in 0..valences.len() {
        let value = valences[turn].value;
        // Zeros stay zeros, wherever they are.
        if value == 0.0 {
            continue;
        }
        let bits = value.to_bits();
        let first = if few {
            valences
                .iter()
                .position(|valence| valence.value.to_bits() == bits)
        } else {
            seen.insert((bits, turn));
            seen.range((bits, 0)..).next().map(|&(_, place)| place)
        };
        let place = first.unwrap_or(turn);
        let Valence { at, .. } = valences[place];
        if at == but {
            continue;
        }
        let weighed = value * if at < but { BEFORE } else { AFTER };
        observer.rule(at, Rule::But { by: but }, value, weighed);
        valences[place].value = weighed;
        if !few {
            seen.remove(&(bits, place));
            seen.insert((weighed.to_bits(), place));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::observe::Nobody;
    use super::*;

    /// The reference's own way, with a zero for each token that has no valence.
    fn by_the_square(sentiments: &mut [f64], but: usize) {
        for turn in 0..sentiments.len() {
            let value = sentiments[turn];
            let first = sentiments
                .iter()
                .position(|other| other.to_bits() == value.to_bits())
                .unwrap();
            if first < but {
                sentiments[first] = value * BEFORE;
            } else if first > but {
                sentiments[first] = value * AFTER;
            }
        }
    }

    proptest! {
        #[test]
        fn long_and_short_texts_are_weighed_as_by_the_reference(
            sentiments in prop::collection::vec(prop::sample::select(vec![0.0, 0.0, 1.0, 2.0, 4.0, 3.0, -1.5, -1.0]), 1..120),
            but: prop::sample::Index,
        ) {
            let but = but.index(sentiments.len());
            let mut valences: Valences = sentiments.iter().enumerate()
                .filter(|(_, value)| **value != 0.0)
                .map(|(at, &value)| Valence { at, value })
                .collect();
            weigh(&mut valences, but, &mut Nobody);

            let mut expected = sentiments;
            by_the_square(&mut expected, but);
            for Valence { at, value } in valences {
                prop_assert_eq!(value.to_bits(), expected[at].to_bits());
            }
        }
    }
}
