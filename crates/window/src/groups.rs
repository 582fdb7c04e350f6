//! The groups that posts are counted in.

use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap};
use serde::{Deserialize, Serialize};

/// Names a group within a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u32);

/// One of the independent ways in which a stream is divided into groups: an index into the list that the user gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dimension(pub u16);

/// What a group is called within its dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GroupKey {
    /// The posts with this value; the empty one for posts that lack the field.
    Value(Arc<str>),
    /// The posts of all values for which there was no room.
    Other,
}

/// The groups of a fold. A dimension has at most [`max`](Self::new) groups; posts of further values are in its
/// [`GroupKey::Other`].
#[derive(Debug, Clone)]
pub struct Groups {
    max: usize,
    ids: HashMap<(Dimension, GroupKey), GroupId, DefaultHashBuilder>,
    names: Vec<(Dimension, GroupKey)>,
    /// How many values each dimension has, by its index.
    sizes: Vec<usize>,
}

impl Groups {
    /// No groups yet, and room for `max` of each dimension.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            max,
            ids: HashMap::default(),
            names: Vec::new(),
            sizes: Vec::new(),
        }
    }

    /// The group of posts with this value.
    pub fn group(&mut self, dimension: Dimension, value: &str) -> GroupId {
        let key = (dimension, GroupKey::Value(value.into()));
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        if self.sizes.get(usize::from(dimension.0)) >= Some(&self.max) {
            return self.insert((dimension, GroupKey::Other));
        }
        self.insert(key)
    }

    /// Makes a group known, whether there is room for it or not: one that an earlier process had.
    pub fn insert(&mut self, (dimension, key): (Dimension, GroupKey)) -> GroupId {
        let key = (dimension, key);
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        if key.1 != GroupKey::Other {
            let at = usize::from(dimension.0);
            self.sizes.resize(self.sizes.len().max(at + 1), 0);
            self.sizes[at] += 1;
        }
        let id = GroupId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(key.clone());
        self.ids.insert(key, id);
        id
    }

    /// The dimension and key of a group of this fold.
    #[must_use]
    pub fn name(&self, id: GroupId) -> Option<&(Dimension, GroupKey)> {
        self.names.get(id.0 as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_room_share_a_group() {
        let mut groups = Groups::new(2);
        let [one, two] = [Dimension(0), Dimension(1)];
        let a = groups.group(one, "a");
        assert_ne!(groups.group(one, "b"), a);
        let other = groups.group(one, "c");
        assert_eq!(groups.group(one, "d"), other);
        assert_eq!(groups.name(other), Some(&(one, GroupKey::Other)));
        assert_eq!(groups.group(one, "a"), a);
        assert_ne!(groups.group(two, "a"), a, "dimensions are independent");
        let named_other = groups.insert((one, GroupKey::Value("other".into())));
        assert_ne!(named_other, other, "a value may be called so");
    }
}
