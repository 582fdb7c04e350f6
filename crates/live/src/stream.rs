//! What a stream of posts has come to: the fold, where each source stands, and what is not saved yet.
//!
//! Pure: blocks and time go in, [`Snapshot`]s come out. Two streams that take the same blocks at the same times are equal,
//! and one that is restored from the last snapshot continues where that was taken.

use std::time::Duration;

use moodring_job::{LiveCounts, LiveReport};
use moodring_pool::Quarantined;
use moodring_pool::wire::WireError;
use moodring_source::Position;
use moodring_store::state::{Commit, GroupRow, PaneRow, SourceRow};
use moodring_window::{
    Activity, Books, Dimension, Fold, GroupKey, Groups, Outcome, Patience, Rules, Scope, SourceId,
    Timestamp, Watermarks,
};
use thiserror::Error;

use crate::aside::Aside;
use crate::encoding::{
    BadBytes, decode_books, decode_cell, decode_position, encode_books, encode_cell,
    encode_position,
};
use crate::folder::{BadRows, Folder};

/// How a stream folds.
#[derive(Debug, Clone)]
pub struct StreamRules {
    /// The panes, corrections and limits.
    pub window: Rules,
    /// How long the watermark waits.
    pub patience: Patience,
    /// How many groups each dimension has.
    pub max_groups: usize,
}

/// A source, as the fold knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceName {
    /// Its name, under which it is saved.
    pub name: String,
    /// The sources with the same scope share what they remember of ids.
    pub scope: String,
}

/// What earlier processes saved of a stream.
#[derive(Debug, Clone, Default)]
pub struct Saved {
    /// The watermark.
    pub watermark: Option<Timestamp>,
    /// The sources, those that are no longer given included.
    pub sources: Vec<SourceRow>,
    /// The groups of the series, by ascending number.
    pub groups: Vec<GroupRow>,
    /// The panes of the series that may still change.
    pub panes: Vec<PaneRow>,
    /// The ids of each scope, from the oldest to the youngest.
    pub ids: Vec<(String, Vec<u64>)>,
}

/// A state that cannot be continued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadSaved {
    /// Something in it cannot be read.
    #[error(transparent)]
    Bytes(#[from] BadBytes),
    /// Its groups are not numbered from 0.
    #[error("the groups of the series are not numbered from 0: {0} is missing")]
    Groups(u32),
}

/// A block as the supervisor keeps it while workers score it.
#[derive(Debug, Default)]
pub struct Block {
    /// Its segments.
    pub segments: Vec<BlockSegment>,
}

/// A segment of a block.
#[derive(Debug)]
pub struct BlockSegment {
    /// The source's number.
    pub source: usize,
    /// Where the source stands after it.
    pub position: Option<Position>,
    /// The permits that it holds.
    pub bytes: usize,
    /// When it arrived.
    pub arrival: Timestamp,
}

/// A report that does not fit its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadReport {
    /// It has another number of segments.
    #[error("a worker reported {reported} segments of a block that has {expected}")]
    Segments {
        /// How many it has.
        reported: usize,
        /// How many it should have.
        expected: usize,
    },
    /// Its rows do not fit together.
    #[error(transparent)]
    Rows(#[from] BadRows),
}

#[derive(Debug, Clone)]
struct Source {
    name: String,
    position: Option<Position>,
    status: String,
    clamped: u64,
    is_changed: bool,
}

/// A source, for those who look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceView {
    /// Where it stands.
    pub position: Option<Position>,
    /// What became of its posts.
    pub books: Books,
    /// The greatest event time that was folded.
    pub greatest: Option<Timestamp>,
    /// How many posts had a time in the future and were given that of their arrival.
    pub clamped: u64,
}

/// What changed since the last snapshot.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The transaction, without the lengths of files.
    pub commit: Commit,
    /// The lines to append to files before it.
    pub aside: Aside,
    /// Where each source stands that has a position, by its number.
    pub positions: Vec<(usize, Position)>,
}

impl Snapshot {
    /// One in which nothing changed.
    pub(crate) fn of_nothing(watermark: Option<Timestamp>) -> Self {
        let mut snapshot = Self::default();
        snapshot.commit.watermark = watermark.map(Timestamp::as_micros);
        snapshot
    }
}

/// The fold of a live run.
#[derive(Debug)]
pub struct Stream {
    fold: Fold,
    folder: Folder,
    sources: Vec<Source>,
    scopes: Vec<String>,
    /// How many groups are saved.
    groups_saved: u32,
    watermark_saved: Option<Timestamp>,
    aside: Aside,
}

impl Stream {
    /// Continues what was saved, or begins.
    ///
    /// # Errors
    /// [`BadSaved`] if what was saved cannot be read.
    pub fn new(
        rules: StreamRules,
        names: &[SourceName],
        saved: &Saved,
        aside: Aside,
        now: Duration,
    ) -> Result<Self, BadSaved> {
        let watermarks = Watermarks::new(rules.patience, saved.watermark);
        let fold = Fold::new(rules.window, Groups::new(rules.max_groups), watermarks);
        let mut stream = Self {
            fold,
            folder: Folder::default(),
            sources: Vec::with_capacity(names.len()),
            scopes: Vec::new(),
            groups_saved: 0,
            watermark_saved: saved.watermark,
            aside,
        };
        for name in names {
            stream.add_source(name, saved, now)?;
        }
        stream.restore(saved)?;
        Ok(stream)
    }

    fn add_source(
        &mut self,
        name: &SourceName,
        saved: &Saved,
        now: Duration,
    ) -> Result<(), BadSaved> {
        let known = self.scopes.iter().position(|scope| *scope == name.scope);
        let scope = known.unwrap_or(self.scopes.len());
        if known.is_none() {
            self.scopes.push(name.scope.clone());
        }
        let row = saved.sources.iter().find(|row| row.name == name.name);
        let books = row.map_or(Ok(Books::default()), |row| decode_books(&row.books))?;
        let position = row.and_then(|row| row.position.as_deref());
        let id = source_id(self.sources.len());
        self.sources.push(Source {
            name: name.name.clone(),
            position: position.map(decode_position).transpose()?,
            status: String::new(),
            clamped: 0,
            is_changed: row.is_none(),
        });
        let greatest = row.and_then(|row| row.greatest).map(Timestamp::from_micros);
        let scope = Scope(u32::try_from(scope).unwrap_or(u32::MAX));
        self.fold.add_source(id, scope, books, greatest, now);
        Ok(())
    }

    fn restore(&mut self, saved: &Saved) -> Result<(), BadSaved> {
        for (expected, group) in (0..).zip(&saved.groups) {
            let key = match &group.value {
                Some(value) => GroupKey::Value(value.as_str().into()),
                None => GroupKey::Other,
            };
            let id = self.fold.groups().insert((Dimension(group.dimension), key));
            if group.id != expected || id.0 != expected {
                return Err(BadSaved::Groups(expected));
            }
        }
        self.groups_saved = u32::try_from(saved.groups.len()).unwrap_or(u32::MAX);
        for pane in &saved.panes {
            let group = moodring_window::GroupId(pane.group);
            self.fold
                .restore_cell(pane.pane, group, decode_cell(&pane.cell)?);
        }
        for (name, ids) in &saved.ids {
            if let Some(scope) = self.scopes.iter().position(|scope| scope == name) {
                let scope = Scope(u32::try_from(scope).unwrap_or(u32::MAX));
                self.fold.restore_ids(scope, ids);
            }
        }
        Ok(())
    }

    /// Folds a block that workers have scored. `quarantined` are the records on which they died, in order.
    ///
    /// # Errors
    /// [`BadReport`] if the report does not fit the block; part of it may be folded then.
    pub fn fold_block(
        &mut self,
        block: &Block,
        report: &LiveReport<'_>,
        quarantined: &[Quarantined],
        now: Duration,
    ) -> Result<(), BadReport> {
        let (reported, expected) = (report.segments.len(), block.segments.len());
        if reported != expected {
            return Err(BadReport::Segments { reported, expected });
        }
        self.folder.begin(&mut self.fold, &report.rows);
        let mut causes = quarantined.iter();
        for (segment, counts) in block.segments.iter().zip(&report.segments) {
            self.fold_segment(segment.source, counts, report, now)?;
            self.set_aside(segment.source, counts, &mut causes);
            let source = &mut self.sources[segment.source];
            source.is_changed = true;
            source.clamped += counts.clamped;
            if segment.position.is_some() {
                source.position.clone_from(&segment.position);
            }
        }
        self.folder.end(&report.rows)?;
        Ok(())
    }

    fn fold_segment(
        &mut self,
        source: usize,
        counts: &LiveCounts,
        report: &LiveReport<'_>,
        now: Duration,
    ) -> Result<(), BadRows> {
        let (name, aside) = (&self.sources[source].name, &mut self.aside);
        self.folder.fold(
            &mut self.fold,
            &report.rows,
            (source_id(source), counts.rows as usize),
            now,
            |fold, at, row, outcome| {
                if outcome == Outcome::Late {
                    aside.late(name, row, fold.watermarks().current());
                }
                if outcome != Outcome::Duplicate {
                    aside.scored(report, at);
                }
            },
        )
    }

    /// Counts the records of a segment that are not folded, and keeps what is wrong with them.
    fn set_aside<'q>(
        &mut self,
        source: usize,
        counts: &LiveCounts,
        causes: &mut impl Iterator<Item = &'q Quarantined>,
    ) {
        let (id, name) = (source_id(source), &self.sources[source].name);
        for _ in 0..counts.filtered {
            self.fold.count(id, Outcome::Filtered);
        }
        for reject in &counts.rejects {
            self.fold.count(id, Outcome::Rejected);
            self.aside.reject(name, reject);
        }
        for record in &counts.quarantined {
            self.fold.count(id, Outcome::Quarantined);
            self.aside.quarantine(name, record, causes.next());
        }
    }

    /// Tells what a source is doing: for the watermark, and in words that are saved.
    pub fn set_activity(&mut self, source: usize, activity: Activity, status: &str, now: Duration) {
        let marks = self.fold.watermarks_mut();
        marks.set_activity(source_id(source), activity, now);
        let source = &mut self.sources[source];
        if source.status != status {
            status.clone_into(&mut source.status);
            source.is_changed = true;
        }
    }

    /// Moves the watermark as far as the passing of time moves it.
    pub fn advance(&mut self, now: Duration) -> Option<Timestamp> {
        self.fold.advance(now)
    }

    /// Where the watermark stands.
    #[must_use]
    pub fn watermark(&self) -> Option<Timestamp> {
        self.fold.watermarks().current()
    }

    /// What is known of a source.
    #[must_use]
    pub fn source(&self, source: usize) -> SourceView {
        let id = source_id(source);
        let Source {
            position, clamped, ..
        } = &self.sources[source];
        SourceView {
            position: position.clone(),
            books: self.fold.books(id).unwrap_or_default(),
            greatest: self.fold.watermarks().greatest(id),
            clamped: *clamped,
        }
    }

    /// Takes what changed since the last snapshot, and drops the panes that no post can change any more; `None` if nothing
    /// changed.
    ///
    /// # Errors
    /// [`WireError`] if a pane is larger than any memory.
    pub fn snapshot(&mut self) -> Result<Option<Snapshot>, WireError> {
        let dirty = self.fold.take_dirty();
        let mut panes = Vec::with_capacity(dirty.len());
        for (pane, group) in dirty {
            if let Some(cell) = self.fold.cell(pane, group) {
                panes.push(PaneRow {
                    factor: 1,
                    pane,
                    group: group.0,
                    cell: encode_cell(cell)?,
                });
            }
        }
        self.fold.drop_expired();
        let watermark = self.watermark();
        let (sources, positions) = self.changed_sources()?;
        let groups = self.new_groups();
        let nothing = panes.is_empty() && sources.is_empty() && groups.is_empty();
        if nothing && watermark == self.watermark_saved && self.aside.is_empty() {
            return Ok(None);
        }
        self.watermark_saved = watermark;
        let scopes = &self.scopes;
        let name = |scope: Scope| scopes[scope.0 as usize].clone();
        let ids = self.fold.take_new_ids().into_iter();
        Ok(Some(Snapshot {
            commit: Commit {
                watermark: watermark.map(Timestamp::as_micros),
                sources,
                groups,
                panes,
                ids: ids.map(|(scope, ids)| (name(scope), ids)).collect(),
                ..Commit::default()
            },
            aside: self.aside.take(),
            positions,
        }))
    }

    #[expect(
        clippy::type_complexity,
        reason = "rows and positions of the same sources"
    )]
    fn changed_sources(&mut self) -> Result<(Vec<SourceRow>, Vec<(usize, Position)>), WireError> {
        let (mut rows, mut positions) = (Vec::new(), Vec::new());
        for (number, source) in self.sources.iter_mut().enumerate() {
            if !std::mem::take(&mut source.is_changed) {
                continue;
            }
            let id = source_id(number);
            let books = self.fold.books(id).unwrap_or_default();
            let position = source.position.as_ref();
            positions.extend(position.map(|position| (number, position.clone())));
            rows.push(SourceRow {
                name: source.name.clone(),
                position: position.map(encode_position).transpose()?,
                books: encode_books(&books)?,
                greatest: self
                    .fold
                    .watermarks()
                    .greatest(id)
                    .map(Timestamp::as_micros),
                status: source.status.clone(),
            });
        }
        Ok((rows, positions))
    }

    /// The groups that are not saved.
    fn new_groups(&mut self) -> Vec<GroupRow> {
        let mut rows = Vec::new();
        while let Some((dimension, key)) = self
            .fold
            .groups()
            .name(moodring_window::GroupId(self.groups_saved))
        {
            rows.push(GroupRow {
                id: self.groups_saved,
                dimension: dimension.0,
                value: match key {
                    GroupKey::Value(value) => Some(value.to_string()),
                    GroupKey::Other => None,
                },
            });
            self.groups_saved += 1;
        }
        rows
    }
}

fn source_id(number: usize) -> SourceId {
    SourceId(u32::try_from(number).unwrap_or(u32::MAX))
}
