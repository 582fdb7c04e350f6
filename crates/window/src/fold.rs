//! Takes posts one by one into panes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use hashbrown::HashMap;

use crate::aggregate::{Sample, Tag};
use crate::books::{Books, Outcome};
use crate::cell::Cell;
use crate::dedupe::Dedupe;
use crate::grid::{Grid, PaneIndex};
use crate::groups::{GroupId, Groups};
use crate::hash::stable_hash;
use crate::score::Class;
use crate::time::Timestamp;
use crate::watermark::{SourceId, Watermarks};

/// A scored post.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Where it is from.
    pub source: SourceId,
    /// When it was written and how positive it is.
    pub sample: &'a Sample,
    /// The text to show, if there is one: it is copied and hashed into the sample only where a group keeps the post.
    pub text: &'a str,
    /// What the model calls it.
    pub class: Class,
    /// The groups that it counts in, each once.
    pub groups: &'a [GroupId],
    /// Its tags, each once.
    pub tags: &'a [Tag],
}

impl Row<'_> {
    /// The sample with the text to show.
    fn shown(&self) -> Sample {
        Sample {
            text_hash: stable_hash(self.text.as_bytes()),
            text: Some(self.text.into()),
            ..self.sample.clone()
        }
    }
}

/// How a fold folds.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The panes.
    pub grid: Grid,
    /// How many panes the longest window has that is to close at the end of the input.
    pub length: i64,
    /// For how long after a pane is final late posts correct it.
    pub corrections: Duration,
    /// How many tags are kept apart in each pane and group.
    pub max_tags: usize,
    /// How many ids of each scope are remembered.
    pub max_ids: usize,
}

/// A set of sources among which ids are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(pub u32);

#[derive(Debug, Clone)]
struct Source {
    books: Books,
    scope: Scope,
}

/// Posts in, panes out: a deterministic state machine. The same posts in the same order, with the same real time, give the
/// same panes and counts.
#[derive(Debug, Clone)]
pub struct Fold {
    rules: Rules,
    groups: Groups,
    watermarks: Watermarks,
    sources: BTreeMap<SourceId, Source>,
    scopes: BTreeMap<Scope, Dedupe>,
    panes: BTreeMap<PaneIndex, Pane>,
    dirty: Vec<(PaneIndex, GroupId)>,
    /// The last pane that holds a post.
    latest: Option<PaneIndex>,
    /// The last pane that was reported as final.
    reported: Option<PaneIndex>,
}

type Pane = HashMap<GroupId, Tracked>;

#[derive(Debug, Clone, Default)]
struct Tracked {
    cell: Cell,
    is_dirty: bool,
}

impl Fold {
    /// A fold without sources and panes.
    #[must_use]
    pub fn new(rules: Rules, groups: Groups, watermarks: Watermarks) -> Self {
        let reported = watermarks
            .current()
            .map(|watermark| rules.grid.last_ended(watermark));
        Self {
            rules,
            groups,
            watermarks,
            sources: BTreeMap::new(),
            scopes: BTreeMap::new(),
            panes: BTreeMap::new(),
            dirty: Vec::new(),
            latest: None,
            reported,
        }
    }

    /// Adds a source with what earlier processes counted and folded of it.
    pub fn add_source(
        &mut self,
        id: SourceId,
        scope: Scope,
        books: Books,
        greatest: Option<Timestamp>,
        now: Duration,
    ) {
        self.sources.insert(id, Source { books, scope });
        self.watermarks.add(id, greatest, now);
        let max_ids = self.rules.max_ids;
        self.scopes
            .entry(scope)
            .or_insert_with(|| Dedupe::new(max_ids));
    }

    /// Remembers the ids of an earlier process, from the oldest to the youngest.
    pub fn restore_ids(&mut self, scope: Scope, ids: &[u64]) {
        let dedupe = Dedupe::restore(self.rules.max_ids, ids);
        self.scopes.insert(scope, dedupe);
    }

    /// Puts back a pane of an earlier process that may still change.
    pub fn restore_cell(&mut self, pane: PaneIndex, group: GroupId, cell: Cell) {
        let tracked = Tracked {
            cell,
            is_dirty: false,
        };
        self.latest = self.latest.max(Some(pane));
        self.panes.entry(pane).or_default().insert(group, tracked);
    }

    /// Folds a post, moves the watermark, and says what became of it.
    pub fn fold(&mut self, row: &Row<'_>, now: Duration) -> Outcome {
        let outcome = self.outcome_of(row);
        self.count(row.source, outcome);
        if outcome == Outcome::Duplicate {
            return outcome;
        }
        if outcome != Outcome::Late {
            self.add_to_groups(row, outcome == Outcome::Corrected);
        }
        self.watermarks.folded(row.source, row.sample.time, now);
        self.watermarks.advance(now);
        outcome
    }

    fn outcome_of(&mut self, row: &Row<'_>) -> Outcome {
        let scope = self.sources.get(&row.source).map(|source| source.scope);
        let dedupe = scope.and_then(|scope| self.scopes.get_mut(&scope));
        if let (Some(id), Some(dedupe)) = (row.sample.id, dedupe)
            && !dedupe.is_new(id)
        {
            return Outcome::Duplicate;
        }
        let Some(watermark) = self.watermarks.current() else {
            return Outcome::OnTime;
        };
        let grid = &self.rules.grid;
        let end = grid.end(grid.pane_of(row.sample.time));
        if watermark < end {
            Outcome::OnTime
        } else if watermark < end.after(self.rules.corrections) {
            Outcome::Corrected
        } else {
            Outcome::Late
        }
    }

    fn add_to_groups(&mut self, row: &Row<'_>, is_correction: bool) {
        if row.groups.is_empty() {
            return;
        }
        let index = self.rules.grid.pane_of(row.sample.time);
        let correction = if is_correction {
            self.last_final()
        } else {
            None
        };
        self.latest = self.latest.max(Some(index));
        let pane = self.panes.entry(index).or_default();
        let mut shown = None;
        for &group in row.groups {
            let tracked = pane.entry(group).or_default();
            let extremes = tracked.cell.aggregate.extremes();
            let sample = if !row.text.is_empty() && extremes.may_hold(row.sample) {
                shown.get_or_insert_with(|| row.shown())
            } else {
                row.sample
            };
            let max_tags = self.rules.max_tags;
            tracked
                .cell
                .add(sample, row.class, row.tags, max_tags, correction);
            if !tracked.is_dirty {
                tracked.is_dirty = true;
                self.dirty.push((index, group));
            }
        }
    }

    /// Counts a post that was not folded: filtered, rejected, or quarantined.
    pub fn count(&mut self, source: SourceId, outcome: Outcome) {
        if let Some(source) = self.sources.get_mut(&source) {
            source.books.count(outcome);
        }
    }

    /// What became of the posts of a source.
    #[must_use]
    pub fn books(&self, source: SourceId) -> Option<Books> {
        self.sources.get(&source).map(|source| source.books)
    }

    /// The watermarks.
    #[must_use]
    pub fn watermarks(&self) -> &Watermarks {
        &self.watermarks
    }

    /// The watermarks, to tell them what sources are doing. Whoever does calls [`advance`](Self::advance) afterwards.
    pub fn watermarks_mut(&mut self) -> &mut Watermarks {
        &mut self.watermarks
    }

    /// Moves the watermark as far as the passing of time moves it. Once all sources have ended, it is at the end of the last
    /// window that holds a post.
    pub fn advance(&mut self, now: Duration) -> Option<Timestamp> {
        if self.watermarks.all_ended()
            && let Some(latest) = self.latest
        {
            let last = latest + self.rules.length.max(1) - 1;
            self.watermarks.close(self.rules.grid.end(last));
        }
        self.watermarks.advance(now)
    }

    /// The panes.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.rules.grid
    }

    /// How many panes of groups are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.panes.values().map(HashMap::len).sum()
    }

    /// Whether no pane is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    /// The groups.
    pub fn groups(&mut self) -> &mut Groups {
        &mut self.groups
    }

    /// The last pane that is final.
    #[must_use]
    pub fn last_final(&self) -> Option<PaneIndex> {
        let watermark = self.watermarks.current()?;
        Some(self.rules.grid.last_ended(watermark))
    }

    /// The panes that became final since the last call.
    pub fn take_final(&mut self) -> Option<RangeInclusive<PaneIndex>> {
        let last = self.last_final()?;
        let first = match self.reported {
            Some(reported) => reported + 1,
            None => self.panes.keys().next().copied().unwrap_or(last),
        };
        self.reported = Some(last);
        (first <= last).then_some(first..=last)
    }

    /// The panes and groups that changed since the last call: what must be saved.
    pub fn take_dirty(&mut self) -> Vec<(PaneIndex, GroupId)> {
        for (pane, group) in &self.dirty {
            if let Some(tracked) = self.panes.get_mut(pane).and_then(|it| it.get_mut(group)) {
                tracked.is_dirty = false;
            }
        }
        std::mem::take(&mut self.dirty)
    }

    /// The ids that are new since the last call, of every scope: what must be saved.
    pub fn take_new_ids(&mut self) -> Vec<(Scope, Vec<u64>)> {
        let scopes = self.scopes.iter_mut();
        scopes
            .map(|(scope, dedupe)| (*scope, dedupe.take_new()))
            .filter(|(_, ids)| !ids.is_empty())
            .collect()
    }

    /// A pane of a group, if it has posts and is still here.
    #[must_use]
    pub fn cell(&self, pane: PaneIndex, group: GroupId) -> Option<&Cell> {
        let tracked = self.panes.get(&pane)?.get(&group)?;
        Some(&tracked.cell)
    }

    /// The panes of a group that are still here, in the order of time.
    pub fn cells(&self, group: GroupId) -> impl Iterator<Item = (PaneIndex, &Cell)> {
        self.panes
            .iter()
            .filter_map(move |(pane, groups)| Some((*pane, &groups.get(&group)?.cell)))
    }

    /// Drops the panes that no post can change any more and that have been taken by [`take_dirty`](Self::take_dirty), and
    /// says how many.
    pub fn drop_expired(&mut self) -> usize {
        let Some(watermark) = self.watermarks.current() else {
            return 0;
        };
        let before = self.panes.len();
        let (grid, corrections) = (&self.rules.grid, self.rules.corrections);
        self.panes.retain(|pane, groups| {
            watermark < grid.end(*pane).after(corrections)
                || groups.values().any(|tracked| tracked.is_dirty)
        });
        before - self.panes.len()
    }

    /// Erases the text of a post wherever it is kept here, and returns the panes and groups that changed by that.
    pub fn erase(&mut self, id: u64) {
        for (pane, groups) in &mut self.panes {
            for (group, tracked) in groups {
                if tracked.cell.aggregate.erase(id) && !tracked.is_dirty {
                    tracked.is_dirty = true;
                    self.dirty.push((*pane, *group));
                }
            }
        }
    }
}
