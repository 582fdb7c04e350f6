//! Which tags occur, how often, and with what sentiment.
//!
//! A pane may hold more tags than there is room for. Then those with the smallest hashes are kept: which ones these are
//! depends on neither order nor parts, and what is said about each of them stays exact. The posts of the others are counted
//! as [`Tags::dropped`], which bounds what an unseen tag can have.

use std::sync::Arc;

use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::stable_hash;
use crate::score::Score;

/// A tag with its hash, which is computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    hash: u64,
    name: Arc<str>,
}

impl Tag {
    /// The tag of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            hash: stable_hash(name.as_bytes()),
            name: name.into(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What is known of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagCount {
    /// The tag.
    pub name: Arc<str>,
    /// How many posts have it.
    pub count: u64,
    /// The sum of their scores, in millionths.
    pub sum_millionths: i128,
}

/// The tags of a set of posts.
#[derive(Debug, Clone, Default)]
pub struct Tags {
    kept: HashTable<Entry>,
    /// Tags from this one on, by hash and name, are not kept.
    limit: Option<(u64, Arc<str>)>,
    dropped: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    hash: u64,
    tag: TagCount,
}

impl Tags {
    /// Counts a tag of a post, and keeps at most `max` tags.
    pub fn add(&mut self, tag: &Tag, score: Score, max: usize) {
        let count = TagCount {
            name: Arc::clone(&tag.name),
            count: 1,
            sum_millionths: i128::from(score.millionths()),
        };
        self.insert(tag.hash, count, max);
    }

    /// Adds the tags of another set, and keeps at most `max`.
    pub fn merge(&mut self, other: &Self, max: usize) {
        self.dropped += other.dropped;
        if let Some((hash, name)) = &other.limit {
            self.lower_limit(*hash, name);
        }
        for entry in &other.kept {
            self.insert(entry.hash, entry.tag.clone(), max);
        }
    }

    fn insert(&mut self, hash: u64, tag: TagCount, max: usize) {
        let same = |entry: &Entry| entry.hash == hash && entry.tag.name == tag.name;
        if let Some(entry) = self.kept.find_mut(hash, same) {
            entry.tag.count += tag.count;
            entry.tag.sum_millionths += tag.sum_millionths;
            return;
        }
        let is_past = |limit: &(u64, Arc<str>)| (limit.0, &limit.1) <= (hash, &tag.name);
        if self.limit.as_ref().is_some_and(is_past) {
            self.dropped += tag.count;
            return;
        }
        self.kept
            .insert_unique(hash, Entry { hash, tag }, |entry| entry.hash);
        if self.kept.len() > max {
            self.drop_last();
        }
    }

    /// Drops the tag with the greatest hash. With a limit of thousands this is rare, as it gets ever harder to be among
    /// the smallest.
    fn drop_last(&mut self) {
        let last = self
            .kept
            .iter()
            .max_by(|a, b| (a.hash, &a.tag.name).cmp(&(b.hash, &b.tag.name)));
        if let Some((hash, name)) = last.map(|last| (last.hash, Arc::clone(&last.tag.name))) {
            self.lower_limit(hash, &name);
        }
    }

    fn lower_limit(&mut self, hash: u64, name: &Arc<str>) {
        let is_past = |entry: &Entry| (entry.hash, &entry.tag.name) >= (hash, name);
        for entry in self.kept.extract_if(|entry| is_past(entry)) {
            self.dropped += entry.tag.count;
        }
        let is_lower = |limit: &(u64, Arc<str>)| (hash, name) < (limit.0, &limit.1);
        if self.limit.as_ref().is_none_or(is_lower) {
            self.limit = Some((hash, Arc::clone(name)));
        }
    }

    /// The `most` most frequent of the tags that are kept, ties by name.
    #[must_use]
    pub fn top(&self, most: usize) -> Vec<&TagCount> {
        let mut all: Vec<_> = self.kept.iter().map(|entry| &entry.tag).collect();
        all.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        all.truncate(most);
        all
    }

    /// How many tags are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether no tag is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How often tags occurred that are not kept. If it is zero, [`top`](Self::top) is exact; if not, a tag that is missing
    /// there has occurred at most this often.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn sorted(&self) -> Vec<&TagCount> {
        let mut all: Vec<_> = self.kept.iter().map(|entry| &entry.tag).collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        self.dropped == other.dropped
            && self.limit == other.limit
            && self.sorted() == other.sorted()
    }
}

/// How tags are stored: the limit by name alone, as the hash follows from it.
#[derive(Serialize, Deserialize)]
struct Stored<T> {
    kept: Vec<T>,
    limit: Option<Arc<str>>,
    dropped: u64,
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = Stored {
            kept: self.sorted(),
            limit: self.limit.as_ref().map(|(_, name)| Arc::clone(name)),
            dropped: self.dropped,
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<TagCount>::deserialize(deserializer)?;
        let mut tags = Self {
            dropped: stored.dropped,
            limit: stored
                .limit
                .map(|name| (stable_hash(name.as_bytes()), name)),
            ..Self::default()
        };
        for tag in stored.kept {
            tags.insert(stable_hash(tag.name.as_bytes()), tag, usize::MAX);
        }
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_exact_and_the_rest_is_counted() {
        let mut tags = Tags::default();
        let score = Score::from_f64(0.5).unwrap();
        for name in ["a", "b", "c", "d", "a", "b", "a"] {
            tags.add(&Tag::new(name), score, 2);
        }
        assert_eq!(tags.len(), 2);
        let counted: u64 = tags.top(9).iter().map(|tag| tag.count).sum();
        assert_eq!(counted + tags.dropped(), 7);
        for tag in tags.top(9) {
            let expected = match &*tag.name {
                "a" => 3,
                "b" => 2,
                _ => 1,
            };
            assert_eq!(tag.count, expected);
            assert_eq!(tag.sum_millionths, i128::from(expected) * 500_000);
        }
    }
}
