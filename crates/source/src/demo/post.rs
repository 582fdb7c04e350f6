//! Making up posts, each from its number alone.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use moodring_window::Timestamp;

use super::words::{ENDINGS, FIRST, LANGUAGES, SECOND, SENTENCES, TOPICS};

/// Makes up posts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author {
    pub(crate) seed: u64,
    /// How many posts there are in a second, which the mood drifts by.
    pub(crate) rate: u32,
}

/// Random numbers that depend on a seed and nothing else (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_of<'t, T: ?Sized>(&mut self, choices: &'t [&'t T]) -> &'t T {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).unwrap_or(0)]
    }

    /// Where a number below 100 falls among shares of a hundred.
    fn share(&mut self, shares: impl IntoIterator<Item = u64>) -> usize {
        let mut left = self.below(100);
        let passed = shares.into_iter().take_while(|share| {
            let is_before = left >= *share;
            left = left.saturating_sub(*share);
            is_before
        });
        passed.count()
    }
}

impl Author {
    /// Writes a post as a line of JSON.
    pub(crate) fn write(&self, number: u64, time: Timestamp, out: &mut String) {
        let mut dice = Dice(self.seed.wrapping_mul(0xd134_2543_de82_ef95) ^ number);
        let topic = usize::try_from(dice.below(TOPICS.len() as u64)).unwrap_or(0);
        let mood = dice.share(self.moods(topic, number));
        let language = dice
            .share(LANGUAGES.map(|(_, share)| share))
            .min(LANGUAGES.len() - 1);
        let sentence = dice.one_of(SENTENCES[language][mood]);
        let ending = dice.one_of(ENDINGS[mood]);
        let (before, behind) = sentence.split_once("{}").unwrap_or((sentence, ""));
        let name = TOPICS[topic].names[language];
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "{{\"id\":\"demo-{}-{number}\",\"time\":\"{time}\",\"user\":\"",
            self.seed
        );
        write_user(&mut dice, out);
        let _ = write!(out, "\",\"lang\":\"{}\",\"text\":\"", LANGUAGES[language].0);
        if dice.below(8) == 0 {
            out.push('@');
            write_user(&mut dice, out);
            out.push(' ');
        }
        for part in [before, name, behind, ending] {
            out.push_str(part);
        }
        if dice.below(12) == 0 {
            out.push_str(" &amp; more");
        }
        if dice.below(10) == 0 {
            let _ = write!(out, " https://example.org/{}", dice.below(1000));
        }
        if dice.below(4) > 0 {
            let _ = write!(out, " #{}", TOPICS[topic].tag);
        }
        out.push_str("\"}\n");
    }

    /// How many of a hundred posts on a topic are in a bad and in a plain mood.
    fn moods(&self, topic: usize, number: u64) -> [u64; 2] {
        #[expect(clippy::cast_precision_loss, reason = "an angle need not be exact")]
        let seconds = number as f64 / f64::from(self.rate);
        let phase = Dice(self.seed.wrapping_add(topic as u64)).below(360);
        let swings =
            seconds / TOPICS[topic].period + f64::from(u32::try_from(phase).unwrap_or(0)) / 360.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 5 and 65"
        )]
        let bad = 30.0f64.mul_add((swings * TAU).sin(), 35.0) as u64;
        [bad, 30]
    }
}

fn write_user(dice: &mut Dice, out: &mut String) {
    out.push_str(dice.one_of(&FIRST));
    out.push_str(dice.one_of(&SECOND));
    // Writing to a string cannot fail.
    let _ = write!(out, "{}", dice.below(50));
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    const AUTHOR: Author = Author { seed: 7, rate: 100 };

    fn posts(numbers: impl IntoIterator<Item = u64>) -> Vec<Value> {
        let mut out = String::new();
        for number in numbers {
            AUTHOR.write(number, Timestamp::from_micros(0), &mut out);
        }
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_post_depends_on_its_number_and_the_seed_alone() {
        assert_eq!(posts([5, 6]), [posts([5]), posts([6])].concat());
        assert_ne!(posts([5]), posts([6]));
        let mut other = String::new();
        Author { seed: 8, ..AUTHOR }.write(5, Timestamp::from_micros(0), &mut other);
        let other: Value = serde_json::from_str(&other).unwrap();
        assert_ne!(posts([5])[0]["text"], other["text"]);
    }

    #[test]
    fn there_are_several_languages_and_users_and_each_id_is_one_posts() {
        let posts = posts(0..2000);
        let values = |field: &str| -> BTreeSet<_> {
            posts.iter().map(|post| post[field].to_string()).collect()
        };
        assert_eq!(values("id").len(), 2000);
        assert_eq!(values("lang").len(), LANGUAGES.len());
        assert!(values("user").len() > 500);
        let tagged = posts
            .iter()
            .filter(|post| post["text"].as_str().unwrap().contains('#'))
            .count();
        assert!((1200..1800).contains(&tagged), "{tagged}");
    }

    #[test]
    fn the_mood_of_a_topic_drifts_over_minutes() {
        // By topic and half minute: how much more good than bad words English posts have.
        let mut moods: BTreeMap<(&str, u64), i32> = BTreeMap::new();
        for (number, post) in (0..60_000).zip(posts(0..60_000)) {
            let text = post["text"].as_str().unwrap();
            let Some(topic) = TOPICS.iter().find(|topic| text.contains(topic.names[0])) else {
                continue;
            };
            let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
            let good = i32::from(has(&[
                "love",
                "great",
                "happy",
                "best",
                "beautiful",
                "made my day",
                "perfect",
            ]));
            let bad = i32::from(has(&[
                "hate",
                "disaster",
                "annoying",
                "terrible",
                "worst",
                "disappointed",
                "broken",
                "sad",
            ]));
            *moods.entry((topic.tag, number / 3000)).or_default() += good - bad;
        }
        for topic in &TOPICS {
            let of_topic = moods.iter().filter(|((tag, _), _)| *tag == topic.tag);
            let values: Vec<_> = of_topic.map(|(_, mood)| *mood).collect();
            let (least, greatest) = (values.iter().min().unwrap(), values.iter().max().unwrap());
            assert!(
                *least < -30 && *greatest > 30,
                "{}: {least} to {greatest}",
                topic.tag
            );
        }
    }
}
