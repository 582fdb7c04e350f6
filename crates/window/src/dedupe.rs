//! Which ids were there before.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// The last ids of a source, as hashes, up to a limit. An id that is seen again does not get younger.
#[derive(Debug, Clone)]
pub struct Dedupe {
    seen: HashTable<u64>,
    /// In the order in which they came.
    order: VecDeque<u64>,
    limit: usize,
    /// How many of the youngest have not been handed out by [`take_new`](Self::take_new).
    fresh: usize,
}

impl Dedupe {
    /// Remembers up to `limit` ids, of which there must be at least one.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            seen: HashTable::new(),
            order: VecDeque::new(),
            limit: limit.max(1),
            fresh: 0,
        }
    }

    /// Remembers what earlier processes took with [`take_new`](Self::take_new), from the oldest to the youngest; only the
    /// last `limit` count.
    #[must_use]
    pub fn restore(limit: usize, ids: &[u64]) -> Self {
        let mut dedupe = Self::new(limit);
        for &id in &ids[ids.len().saturating_sub(dedupe.limit)..] {
            dedupe.is_new(id);
        }
        dedupe.fresh = 0;
        dedupe
    }

    /// Remembers an id, and says whether it is new.
    pub fn is_new(&mut self, id: u64) -> bool {
        // Ids are hashes already.
        let spread = |id: &u64| *id;
        if self.seen.find(id, |seen| *seen == id).is_some() {
            return false;
        }
        self.seen.insert_unique(id, id, spread);
        self.order.push_back(id);
        self.fresh = (self.fresh + 1).min(self.limit);
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
            && let Ok(entry) = self.seen.find_entry(oldest, |seen| *seen == oldest)
        {
            entry.remove();
        }
        true
    }

    /// The ids since the last call, from the oldest to the youngest: what must be saved.
    pub fn take_new(&mut self) -> Vec<u64> {
        let from = self.order.len() - self.fresh;
        self.fresh = 0;
        self.order.range(from..).copied().collect()
    }

    /// How many ids are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether no id is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_new_unless_it_is_among_the_last_ones(
            ids in prop::collection::vec(0..30_u64, 0..200),
            limit in 1..40_usize,
        ) {
            let mut dedupe = Dedupe::new(limit);
            let mut known: Vec<u64> = Vec::new();
            let mut saved = Vec::new();
            for (at, id) in ids.into_iter().enumerate() {
                let expected = !known.contains(&id);
                prop_assert_eq!(dedupe.is_new(id), expected);
                if expected {
                    known.push(id);
                    known.drain(..known.len().saturating_sub(limit));
                }
                if at % 7 == 0 {
                    saved.extend(dedupe.take_new());
                    let mut restored = Dedupe::restore(limit, &saved);
                    prop_assert!(known.iter().all(|id| !restored.is_new(*id)));
                    prop_assert_eq!(restored.len(), known.len());
                }
            }
        }
    }
}
