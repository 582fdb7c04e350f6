//! Mutated inputs for the tests of the parsers, on stable Rust.
//!
//! A [`Fuzz`] starts from a corpus of good inputs and a dictionary of the tokens that the parser knows. It mutates them,
//! splices them and hands each to a check, for [`budget`] seconds. The check panics where a promise is broken, and
//! otherwise returns what it saw; an input that shows something new joins the corpus. An input that fails is made as small
//! as possible and printed together with the seed.
//!
//! `MOODRING_FUZZ_SECONDS` sets the budget of each target (two seconds by default) and `MOODRING_FUZZ_SEED` the seed.

mod dice;
mod mutate;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

pub use dice::Dice;

/// The longest input that is made by mutation.
const MAX_LEN: usize = 4096;

/// How many inputs the corpus may hold.
const MAX_CORPUS: usize = 4096;

/// How long a target runs: `MOODRING_FUZZ_SECONDS`, or two seconds.
///
/// # Panics
/// If the variable does not hold a number.
#[must_use]
pub fn budget() -> Duration {
    Duration::from_secs_f64(variable("MOODRING_FUZZ_SECONDS").unwrap_or(2.0))
}

/// Where the randomness starts: `MOODRING_FUZZ_SEED`, or 1.
///
/// # Panics
/// If the variable does not hold a number.
#[must_use]
pub fn seed() -> u64 {
    variable("MOODRING_FUZZ_SEED").unwrap_or(1)
}

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    let number = value.parse().ok();
    assert!(
        number.is_some(),
        "{name} is `{value}`, which is not a number"
    );
    number
}

/// A source of mutated inputs for one parser.
#[derive(Debug)]
pub struct Fuzz {
    corpus: Vec<Vec<u8>>,
    dictionary: Vec<Vec<u8>>,
    dice: Dice,
}

impl Fuzz {
    /// Starts from these inputs and tokens.
    #[must_use]
    pub fn new<I: AsRef<[u8]>, T: AsRef<[u8]>>(corpus: &[I], dictionary: &[T]) -> Self {
        let owned = |bytes: &[u8]| bytes.to_vec();
        Self {
            corpus: corpus.iter().map(|input| owned(input.as_ref())).collect(),
            dictionary: dictionary
                .iter()
                .map(|token| owned(token.as_ref()))
                .collect(),
            dice: Dice::new(seed()),
        }
    }

    /// Returns the next input.
    pub fn input(&mut self) -> Vec<u8> {
        let at = self.dice.below(self.corpus.len());
        let mut input = self.corpus.get(at).cloned().unwrap_or_default();
        // Few mutations find what is wrong in a good input, many what is right in a bad one.
        for _ in 0..self.dice.geometric(12) {
            mutate::mutate(&mut self.dice, &mut input, &self.corpus, &self.dictionary);
        }
        input.truncate(MAX_LEN);
        input
    }

    /// Checks the corpus and then mutated inputs until the budget is spent.
    ///
    /// # Panics
    /// If the check does. The message gives the smallest input that was found to fail.
    pub fn run<F: Hash>(mut self, mut check: impl FnMut(&[u8]) -> F) {
        let mut seen = HashSet::new();
        for input in self.corpus.clone() {
            seen.insert(attempt(&input, &mut check));
        }
        let ends = Instant::now() + budget();
        let mut inputs = 0_u64;
        while Instant::now() < ends {
            let input = self.input();
            if seen.insert(attempt(&input, &mut check)) && self.corpus.len() < MAX_CORPUS {
                self.corpus.push(input);
            }
            inputs += 1;
        }
        println!("{inputs} inputs, {} kinds of outcome", seen.len());
    }
}

/// Checks one input. Returns a hash of what the check saw.
fn attempt<F: Hash>(input: &[u8], check: &mut impl FnMut(&[u8]) -> F) -> u64 {
    let Ok(saw) = panic::catch_unwind(AssertUnwindSafe(|| check(input))) else {
        give_up(input, check);
    };
    let mut hasher = DefaultHasher::new();
    saw.hash(&mut hasher);
    hasher.finish()
}

/// Reports an input that fails, as small as it can be made.
fn give_up<F>(input: &[u8], check: &mut impl FnMut(&[u8]) -> F) -> ! {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let smallest = mutate::smallest(input, |input| {
        panic::catch_unwind(AssertUnwindSafe(|| check(input))).is_err()
    });
    panic::set_hook(hook);
    eprintln!(
        "\nfails with seed {} for b\"{}\":",
        seed(),
        smallest.escape_ascii()
    );
    check(&smallest);
    unreachable!(
        "the check fails for one input once and not again: b\"{}\"",
        smallest.escape_ascii()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_input_is_found_and_made_small() {
        let fuzz = Fuzz::new(&[b"an innocent beginning".as_slice()], &[b"<!".as_slice()]);
        let failed = panic::catch_unwind(|| {
            fuzz.run(|input| {
                let at = input.windows(2).position(|pair| pair == b"<!");
                assert!(at.is_none(), "it was met in {}", input.escape_ascii());
            });
        });
        let message = failed.unwrap_err();
        assert_eq!(
            message.downcast_ref::<String>().unwrap(),
            "it was met in <!"
        );
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let make = || Fuzz::new(&["one", "two, three"], &["x"]);
        let (mut a, mut b) = (make(), make());
        assert!((0..1000).all(|_| a.input() == b.input()));
    }
}
