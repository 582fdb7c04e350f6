//! Scored posts into panes: the rows of a report, one by one, into a [`Fold`].

use std::time::Duration;

use moodring_job::{Row as ScoredRow, Rows};
use moodring_window::{Dimension, Fold, GroupId, Outcome, Row, Sample, SourceId, Tag, stable_hash};
use thiserror::Error;

/// Rows that refer to groups, tags or rows that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a report of a worker refers to rows, groups or tags that it does not have")]
pub struct BadRows;

/// Folds the rows of reports. Groups and tags are looked up once for each report, in [`begin`](Self::begin); then
/// [`fold`](Self::fold) takes the rows in their order, as many at a time as belong to one source.
///
/// Keeps its buffers, so that a row is folded without an allocation.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// By the index of a key.
    groups: Vec<GroupId>,
    /// By the index of a tag.
    tags: Vec<Tag>,
    /// The next row and the next reference.
    row: usize,
    reference: usize,
    row_groups: Vec<GroupId>,
    row_tags: Vec<Tag>,
}

impl Folder {
    /// Makes the groups of a report known to the fold, and starts with its first row.
    pub fn begin(&mut self, fold: &mut Fold, rows: &Rows<'_>) {
        self.groups.clear();
        let groups = fold.groups();
        let group = |&(dimension, value): &(u16, &str)| groups.group(Dimension(dimension), value);
        self.groups.extend(rows.keys.iter().map(group));
        self.tags.clear();
        self.tags.extend(rows.tags.iter().map(|tag| Tag::new(tag)));
        (self.row, self.reference) = (0, 0);
    }

    /// Folds the next `count` rows of the report that was begun, which are of this source, and tells `each` the number of each row
    /// and what became of it.
    ///
    /// # Errors
    /// [`BadRows`] if there are not that many, or if one refers to what is not there. The rows before are folded.
    pub fn fold(
        &mut self,
        fold: &mut Fold,
        rows: &Rows<'_>,
        (source, count): (SourceId, usize),
        now: Duration,
        mut each: impl FnMut(&Fold, usize, &ScoredRow<'_>, Outcome),
    ) -> Result<(), BadRows> {
        let end = self.row.checked_add(count).ok_or(BadRows)?;
        for (at, row) in (self.row..).zip(rows.rows.get(self.row..end).ok_or(BadRows)?) {
            self.look_up(rows, row)?;
            let sample = Sample {
                score: row.score,
                time: row.time,
                id: row.id.map(|id| stable_hash(id.as_bytes())),
                text_hash: 0,
                text: None,
            };
            let folded = Row {
                source,
                sample: &sample,
                text: row.text,
                class: row.class,
                groups: &self.row_groups,
                tags: &self.row_tags,
            };
            let outcome = fold.fold(&folded, now);
            each(fold, at, row, outcome);
        }
        self.row = end;
        Ok(())
    }

    /// Checks that all rows of the report have been folded.
    ///
    /// # Errors
    /// [`BadRows`] if there are more.
    pub fn end(&self, rows: &Rows<'_>) -> Result<(), BadRows> {
        let is_done = self.row == rows.rows.len() && self.reference == rows.refs.len();
        if is_done { Ok(()) } else { Err(BadRows) }
    }

    /// Finds the groups and tags of a row.
    fn look_up(&mut self, rows: &Rows<'_>, row: &ScoredRow<'_>) -> Result<(), BadRows> {
        let tags_at = self.reference + usize::from(row.groups);
        let end = tags_at + usize::from(row.tags);
        let refs = rows.refs.get(self.reference..end).ok_or(BadRows)?;
        let (groups, tags) = refs.split_at(usize::from(row.groups));
        self.reference = end;
        self.row_groups.clear();
        for &group in groups {
            let group = *self.groups.get(group as usize).ok_or(BadRows)?;
            // Values for which there is no room share a group, in which the post counts once.
            if !self.row_groups.contains(&group) {
                self.row_groups.push(group);
            }
        }
        self.row_tags.clear();
        for &tag in tags {
            let tag = self.tags.get(tag as usize).ok_or(BadRows)?;
            self.row_tags.push(tag.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use moodring_window::{
        Books, Class, Grid, Groups, Patience, Rules, Scope, Score, Timestamp, Watermarks,
    };

    use super::*;

    fn fold(max_groups: usize) -> Fold {
        let rules = Rules {
            grid: Grid::utc(Duration::from_secs(10)).unwrap(),
            length: 1,
            corrections: Duration::ZERO,
            max_tags: 10,
            max_ids: 10,
        };
        let watermarks = Watermarks::new(Patience::default(), None);
        let mut fold = Fold::new(rules, Groups::new(max_groups), watermarks);
        for source in 0..2 {
            fold.add_source(
                SourceId(source),
                Scope(source),
                Books::default(),
                None,
                Duration::ZERO,
            );
        }
        fold
    }

    fn row(text: &str, groups: u16, tags: u16) -> ScoredRow<'_> {
        ScoredRow {
            time: Timestamp::from_micros(1),
            score: Score::from_f64(0.5).unwrap(),
            class: Class::Positive,
            id: None,
            text,
            groups,
            tags,
        }
    }

    fn report() -> Rows<'static> {
        Rows {
            keys: vec![(0, "a"), (0, "b"), (0, "c")],
            tags: vec!["x", "y"],
            refs: vec![0, 1, 1, 1, 2, 0],
            rows: vec![row("one", 2, 1), row("two", 2, 1)],
        }
    }

    #[test]
    fn a_post_is_folded_into_its_groups_with_its_tags_and_text() {
        let (mut fold, mut folder, rows) = (fold(10), Folder::default(), report());
        folder.begin(&mut fold, &rows);
        let mut outcomes = Vec::new();
        for source in [0, 1] {
            let of = (SourceId(source), 1);
            let tell = |_: &Fold, at, _: &ScoredRow<'_>, outcome| outcomes.push((at, outcome));
            folder
                .fold(&mut fold, &rows, of, Duration::ZERO, tell)
                .unwrap();
        }
        folder.end(&rows).unwrap();
        assert_eq!(outcomes, [(0, Outcome::OnTime), (1, Outcome::OnTime)]);
        let b = fold.groups().group(Dimension(0), "b");
        let aggregate = &fold.cell(0, b).unwrap().aggregate;
        assert_eq!(aggregate.count(), 2);
        let tags: Vec<_> = aggregate
            .tags()
            .top(9)
            .iter()
            .map(|tag| &*tag.name)
            .collect();
        assert_eq!(tags, ["x", "y"]);
        let texts: Vec<_> = aggregate
            .extremes()
            .positive()
            .iter()
            .map(|it| it.text.as_deref())
            .collect();
        assert_eq!(texts.len(), 2);
        assert!(texts.contains(&Some("one")) && texts.contains(&Some("two")));
        assert_eq!(fold.books(SourceId(1)).unwrap().on_time, 1);
    }

    #[test]
    fn a_post_of_several_values_without_room_counts_once_in_other() {
        let (mut fold, mut folder, rows) = (fold(1), Folder::default(), report());
        folder.begin(&mut fold, &rows);
        let of = (SourceId(0), 2);
        folder
            .fold(&mut fold, &rows, of, Duration::ZERO, |_, _, _, _| {})
            .unwrap();
        let other = fold.groups().group(Dimension(0), "c");
        assert_eq!(fold.cell(0, other).unwrap().aggregate.count(), 2);
    }

    #[test]
    fn a_report_that_does_not_fit_together_is_refused() {
        let refused = |rows: Rows<'_>, count| {
            let (mut fold, mut folder) = (fold(10), Folder::default());
            folder.begin(&mut fold, &rows);
            let of = (SourceId(0), count);
            let done = folder.fold(&mut fold, &rows, of, Duration::ZERO, |_, _, _, _| {});
            done.and_then(|()| folder.end(&rows)).is_err()
        };
        assert!(!refused(report(), 2));
        assert!(refused(report(), 1), "a row is left");
        assert!(refused(report(), 3), "a row is missing");
        let mut rows = report();
        rows.refs[0] = 3;
        assert!(refused(rows, 2), "no such group");
        let mut rows = report();
        rows.refs.pop();
        assert!(refused(rows, 2), "a reference is missing");
    }
}
