//! A pane of one group.

use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, Sample, Tag};
use crate::grid::PaneIndex;
use crate::score::Class;

/// The posts of one pane and one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What is known of the posts.
    pub aggregate: Aggregate,
    /// How many posts came after the pane was final, by the last pane that was final then; ascending.
    corrections: Vec<(PaneIndex, u64)>,
    /// Whether the pane was closed before its end, as another series began.
    pub partial: bool,
}

impl Cell {
    /// Adds a post. `last_final` is the last pane that is final by now.
    pub(crate) fn add(
        &mut self,
        sample: &Sample,
        class: Class,
        tags: &[Tag],
        max_tags: usize,
        correction: Option<PaneIndex>,
    ) {
        self.aggregate.add(sample, class, tags, max_tags);
        if let Some(last_final) = correction {
            self.correct(last_final, 1);
        }
    }

    fn correct(&mut self, last_final: PaneIndex, posts: u64) {
        let at = self
            .corrections
            .binary_search_by_key(&last_final, |it| it.0);
        match at {
            Ok(at) => self.corrections[at].1 += posts,
            Err(at) => self.corrections.insert(at, (last_final, posts)),
        }
    }

    /// Adds the posts of another cell.
    pub fn merge(&mut self, other: &Self, max_tags: usize) {
        self.aggregate.merge(&other.aggregate, max_tags);
        for &(last_final, posts) in &other.corrections {
            self.correct(last_final, posts);
        }
        self.partial |= other.partial;
    }

    /// How many posts came after the pane `last` was final.
    #[must_use]
    pub fn corrections_after(&self, last: PaneIndex) -> u64 {
        let after = self.corrections.iter().filter(|it| it.0 >= last);
        after.map(|it| it.1).sum()
    }

    /// The same cell in a grid of which each pane holds `factor` of the panes here, aligned to pane 0.
    #[must_use]
    pub fn in_wider_panes(mut self, factor: i64) -> Self {
        for (last_final, posts) in std::mem::take(&mut self.corrections) {
            self.correct((last_final + 1).div_euclid(factor) - 1, posts);
        }
        self
    }

    /// Takes [`in_wider_panes`](Self::in_wider_panes) back as far as it can be: for windows that are made of whole wide
    /// panes, the cell at the first of the panes here gives what those gave that it was made of.
    #[must_use]
    pub fn in_narrower_panes(mut self, factor: i64) -> Self {
        for (last_final, posts) in std::mem::take(&mut self.corrections) {
            self.correct((last_final + 1).saturating_mul(factor) - 1, posts);
        }
        self
    }
}
