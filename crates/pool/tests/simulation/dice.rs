//! Chance that can be had again.

use std::time::Duration;

/// `SplitMix64` (Steele, Lea, Flood 2014): a few lines, and the same on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Whether it happens what happens once in so many times; never, without a number.
    pub(crate) fn strikes(&mut self, once_in: Option<u64>) -> bool {
        once_in.is_some_and(|times| self.roll(times) == 0)
    }

    /// A time below `most` microseconds.
    pub(crate) fn micros(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.roll(most))
    }

    /// One of `things`, if there are any.
    pub(crate) fn pick<T: Copy>(&mut self, things: &[T]) -> Option<T> {
        let count = u64::try_from(things.len())
            .ok()
            .filter(|&count| count > 0)?;
        things.get(usize::try_from(self.roll(count)).ok()?).copied()
    }
}
