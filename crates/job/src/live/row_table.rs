//! Rows under construction. Keeps its memory from block to block.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};
use moodring_window::{Class, Score, Timestamp};

use crate::message::{Row, Rows};

/// Collects rows. Groups and tags of a row are added first, then the row itself.
#[derive(Debug, Default)]
pub(crate) struct RowTable {
    keys: Names,
    tags: Names,
    refs: Vec<u32>,
    /// How many of the refs belong to rows that are complete.
    complete: usize,
    /// How many of the refs of the current row are groups.
    groups: u16,
    rows: Vec<Draft>,
    /// The ids and texts of all rows.
    strings: String,
}

/// A row, whose strings are parts of the table's.
#[derive(Debug)]
struct Draft {
    figures: Figures,
    id: Option<Range<usize>>,
    text: Range<usize>,
    groups: u16,
    tags: u16,
}

/// The figures of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) time: Timestamp,
    pub(crate) score: Score,
    pub(crate) class: Class,
}

impl RowTable {
    /// Removes all rows.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.tags.clear();
        self.refs.clear();
        self.complete = 0;
        self.groups = 0;
        self.rows.clear();
        self.strings.clear();
    }

    /// Returns how many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Counts the current row in a group, once. Groups come before tags.
    pub(crate) fn add_key(&mut self, dimension: u16, value: &str) {
        let row = self.rows.len();
        if let Some(key) = self.keys.add(dimension, value, row) {
            self.refs.push(key);
            self.groups += 1;
        }
    }

    /// Gives the current row a tag, once.
    pub(crate) fn add_tag(&mut self, tag: &str) {
        let row = self.rows.len();
        if let Some(tag) = self.tags.add(0, tag, row) {
            self.refs.push(tag);
        }
    }

    /// Completes the current row.
    pub(crate) fn add_row(&mut self, figures: Figures, id: Option<&str>, text: &str) {
        let strings = &mut self.strings;
        let mut keep = |string: &str| {
            let start = strings.len();
            strings.push_str(string);
            start..strings.len()
        };
        let refs = self.refs.len() - self.complete;
        let draft = Draft {
            figures,
            id: id.map(&mut keep),
            text: keep(text),
            groups: self.groups,
            // The row maker keeps all refs of a row below 2¹⁶.
            tags: u16::try_from(refs - usize::from(self.groups)).unwrap_or(u16::MAX),
        };
        self.rows.push(draft);
        self.complete = self.refs.len();
        self.groups = 0;
    }

    /// Returns the complete rows.
    pub(crate) fn rows(&self) -> Rows<'_> {
        let row = |draft: &Draft| Row {
            time: draft.figures.time,
            score: draft.figures.score,
            class: draft.figures.class,
            id: draft.id.clone().map(|id| &self.strings[id]),
            text: &self.strings[draft.text.clone()],
            groups: draft.groups,
            tags: draft.tags,
        };
        Rows {
            keys: self.keys.iter().collect(),
            tags: self.tags.iter().map(|(_, tag)| tag).collect(),
            refs: self.refs[..self.complete].to_vec(),
            rows: self.rows.iter().map(row).collect(),
        }
    }
}

/// Numbered names, each once, of one or more kinds.
#[derive(Debug, Default)]
struct Names {
    strings: String,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Entry {
    kind: u16,
    name: Range<usize>,
    hash: u64,
    /// The last row that has it.
    row: usize,
}

impl Names {
    fn clear(&mut self) {
        self.strings.clear();
        self.entries.clear();
        self.index.clear();
    }

    /// Returns the number of a name, unless the same row had it before.
    fn add(&mut self, kind: u16, name: &str, row: usize) -> Option<u32> {
        let hash = self.hasher.hash_one((kind, name));
        let Self {
            strings,
            entries,
            index,
            ..
        } = self;
        let same = |&at: &u32| {
            let entry = &entries[at as usize];
            entry.hash == hash && entry.kind == kind && strings[entry.name.clone()] == *name
        };
        if let Some(&at) = index.find(hash, same) {
            let entry = &mut entries[at as usize];
            let is_new = entry.row != row;
            entry.row = row;
            return is_new.then_some(at);
        }
        let at = u32::try_from(entries.len()).ok()?;
        let start = strings.len();
        strings.push_str(name);
        entries.push(Entry {
            kind,
            name: start..strings.len(),
            hash,
            row,
        });
        index.insert_unique(hash, at, |&at| entries[at as usize].hash);
        Some(at)
    }

    fn iter(&self) -> impl Iterator<Item = (u16, &str)> {
        let entries = self.entries.iter();
        entries.map(|entry| (entry.kind, &self.strings[entry.name.clone()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_refers_to_a_group_and_a_tag_once() {
        let figures = Figures {
            time: Timestamp::from_micros(5),
            score: Score::ZERO,
            class: Class::Neutral,
        };
        let mut table = RowTable::default();
        for _ in 0..2 {
            table.clear();
            for _ in 0..2 {
                table.add_key(0, "a");
                table.add_key(1, "a");
                table.add_key(1, "b");
                table.add_key(1, "a");
                table.add_tag("a");
                table.add_tag("a");
                table.add_row(figures, Some("7"), "text");
            }
            table.add_key(3, "of a row that is not complete");
        }
        let rows = table.rows();
        assert_eq!(rows.refs, [0, 1, 2, 0, 0, 1, 2, 0]);
        assert_eq!(rows.keys[..3], [(0, "a"), (1, "a"), (1, "b")]);
        assert_eq!(rows.tags, ["a"]);
        let row = &rows.rows[1];
        assert_eq!((row.id, row.text), (Some("7"), "text"));
        assert_eq!((row.groups, row.tags), (3, 1));
    }
}
