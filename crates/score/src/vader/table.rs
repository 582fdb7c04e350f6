//! A perfect hash table from short words to what is known of them: one multiplication, two loads and one comparison
//! for any token, whether it is in the table or not.
//!
//! Most tokens are in no list, and which ones are is what a processor cannot guess. So nothing here branches on it: a
//! word is 16 bytes that are compared at once, and its place is found without probing. The place is a hash with some
//! bits flipped, and which bits is looked up by another part of the hash ("hash and displace", Pagh 1999; the flipped
//! bits are found by trying, the fullest buckets first).

use std::cmp::Reverse;
use std::hint::select_unpredictable;

use super::word::Word;

/// The longest word that a [`Key`] can hold, in bytes.
pub(super) const MAX_SHORT: usize = 15;

/// A word of at most [`MAX_SHORT`] bytes, with its length in the last byte so that a zero byte in a token is a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Key {
    front: u64,
    back: u64,
}

impl Key {
    /// The key of `word`.
    pub(super) fn new(word: &[u8]) -> Self {
        debug_assert!(word.len() <= MAX_SHORT);
        let mut bytes = [0; 16];
        bytes[..word.len()].copy_from_slice(word);
        Self::front(bytes, word.len())
    }

    /// The key of the first `len` of these bytes.
    #[inline]
    pub(super) fn front(bytes: [u8; 16], len: usize) -> Self {
        let len = len % 16;
        let word = u128::from_le_bytes(bytes) & FRONTS[len];
        Self {
            front: word as u64,
            back: (word >> 64) as u64 | (len as u64) << 56,
        }
    }

    /// Returns whether it is the same word, in one comparison: two would become two branches.
    #[inline]
    fn is(self, other: Self) -> bool {
        (self.front ^ other.front) | (self.back ^ other.back) == 0
    }

    /// Folds the 128-bit product of the halves, as wyhash does.
    #[inline]
    fn hash(self, seed: u64) -> u64 {
        let product = u128::from(self.front ^ seed) * u128::from(self.back ^ 0xa076_1d64_78bd_642f);
        (product >> 64) as u64 ^ product as u64
    }
}

/// The masks that keep the first bytes of a word, by their number.
const FRONTS: [u128; 16] = {
    let mut fronts = [0; 16];
    let mut len = 1;
    while len < 16 {
        fronts[len] = fronts[len - 1] << 8 | 0xff;
        len += 1;
    }
    fronts
};

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: Key,
    word: Word,
}

/// A table of words.
#[derive(Debug, Clone)]
pub(super) struct Table {
    seed: u64,
    /// For each bucket, the bits to flip.
    flips: Box<[u32]>,
    slots: Box<[Slot]>,
}

impl Table {
    /// A table of these words, whose keys differ from each other.
    pub(super) fn new(words: &[(Key, Word)]) -> Self {
        let slots = (words.len() + words.len() / 16).next_power_of_two().max(2);
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        // About every second seed works, whatever the number of words.
        loop {
            if let Some(table) = Self::with_seed(words, slots, seed) {
                return table;
            }
            seed = seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        }
    }

    /// Returns the table with this seed, or `None` if two words of a bucket have the same hash: no flip separates
    /// them.
    fn with_seed(words: &[(Key, Word)], slots: usize, seed: u64) -> Option<Self> {
        let buckets = slots / 2;
        let mut members: Vec<_> = words
            .iter()
            .map(|&(key, word)| {
                let hash = key.hash(seed);
                (
                    bucket(hash, buckets),
                    place(hash, slots),
                    Slot { key, word },
                )
            })
            .collect();
        members.sort_unstable_by_key(|&(bucket, place, _)| (bucket, place));
        let same_bucket = |a: &(usize, usize, Slot), b: &(usize, usize, Slot)| a.0 == b.0;
        if members
            .windows(2)
            .any(|pair| same_bucket(&pair[0], &pair[1]) && pair[0].1 == pair[1].1)
        {
            return None;
        }
        let mut fullest_first: Vec<_> = members.chunk_by(same_bucket).collect();
        fullest_first.sort_by_key(|members| Reverse(members.len()));

        let mut flips = vec![0; buckets].into_boxed_slice();
        let mut taken: Vec<Option<Slot>> = vec![None; slots];
        for members in fullest_first {
            let fits = |flip: &usize| {
                members
                    .iter()
                    .all(|(_, place, _)| taken[place ^ flip].is_none())
            };
            let flip = (0..slots).find(fits)?;
            flips[members[0].0] = u32::try_from(flip).expect("a lexicon counts its words");
            for &(_, place, slot) in members {
                taken[place ^ flip] = Some(slot);
            }
        }
        // No token has the key of an empty slot: a key's last byte is its length.
        let empty = Slot {
            key: Key::default(),
            word: Word::UNKNOWN,
        };
        let slots = taken
            .into_iter()
            .map(|slot| slot.unwrap_or(empty))
            .collect();
        Some(Self { seed, flips, slots })
    }

    /// Returns the word with this key, or the unknown word.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Word {
        let hash = key.hash(self.seed);
        let flip = self.flips[bucket(hash, self.flips.len())];
        let slot =
            &self.slots[(place(hash, self.slots.len()) ^ flip as usize) & (self.slots.len() - 1)];
        select_unpredictable(slot.key.is(key), slot.word, Word::UNKNOWN)
    }
}

#[inline]
fn bucket(hash: u64, buckets: usize) -> usize {
    (hash >> 32) as usize & (buckets - 1)
}

#[inline]
fn place(hash: u64, slots: usize) -> usize {
    hash as usize & (slots - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_no_other() {
        let words: Vec<(Key, Word)> = (1..5000)
            .map(|n| (Key::new(format!("word{n}").as_bytes()), Word::new(n, 0)))
            .collect();
        let table = Table::new(&words);
        for (key, word) in words {
            assert_eq!(table.find(key), word);
        }
        assert_eq!(table.find(Key::new(b"word5000")), Word::UNKNOWN);
        assert_eq!(table.find(Key::new(b"word1\0")), Word::UNKNOWN);
    }

    #[test]
    fn a_table_may_be_empty() {
        assert_eq!(Table::new(&[]).find(Key::new(b"good")), Word::UNKNOWN);
    }
}
