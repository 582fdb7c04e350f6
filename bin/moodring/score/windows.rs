//! The windows of a run over files, computed by the same rules as those of a live run. No post is late, because all
//! posts are read before a window is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use moodring_codec::{Compression, Compressor};
use moodring_job::{Row, Rows};
use moodring_live::Folder;
use moodring_live::history::{CsvWindows, Owner, WindowRow, write_json_line};
use moodring_pool::BoxError;
use moodring_record::Format;
use moodring_store::{Output, StoreError};
use moodring_window::{
    Books, Fold, GroupId, GroupKey, Groups, Outcome, Patience, Scope, SourceId, View, Watermarks,
};
use thiserror::Error;

use crate::run::window_args::WindowPlan;

/// Maximum number of panes of groups in memory; each takes a few hundred bytes or more.
const MAX_CELLS: usize = 4_000_000;
/// How many bytes of rows are collected before they are compressed and written.
const PIECE: usize = 1 << 20;
/// All inputs count as one source, because they are read one after another.
const SOURCE: SourceId = SourceId(0);
const SCOPE: Scope = Scope(0);

/// The windows do not fit into memory.
#[derive(Debug, Error)]
#[error(
    "the windows need more than {MAX_CELLS} panes, which do not fit into memory: choose a wider --slide, or lower \
     --max-groups"
)]
struct TooMany;

/// The file for windows and its format.
#[derive(Debug, Clone)]
pub(crate) struct WindowsFile {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
}

/// The numbers of windows and groups written, and of duplicates.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowsWritten {
    pub(crate) windows: u64,
    pub(crate) groups: u64,
    /// Posts that were not counted because their ID had occurred before in their input.
    pub(crate) duplicates: u64,
}

/// Folds the posts of a run and writes its windows at the end.
#[derive(Debug)]
pub(crate) struct WindowSink {
    file: WindowsFile,
    output: Output,
    fold: Fold,
    folder: Folder,
    group_by: Vec<String>,
    length: i64,
    max_tags: usize,
    /// The current input.
    source: Option<u32>,
    duplicates: u64,
}

impl WindowSink {
    /// Opens the file for windows. It appears when they are complete.
    pub(crate) fn open(
        file: &WindowsFile,
        plan: &WindowPlan,
        force: bool,
    ) -> Result<Self, StoreError> {
        // No post is late, however far apart posts are.
        let patience = Patience {
            lateness: Duration::MAX,
            ..Patience::default()
        };
        let watermarks = Watermarks::new(patience, None);
        let mut fold = Fold::new(
            plan.rules(Duration::ZERO),
            Groups::new(plan.max_groups),
            watermarks,
        );
        fold.add_source(SOURCE, SCOPE, Books::default(), None, Duration::ZERO);
        Ok(Self {
            output: Output::open(Some(&file.path), force)?,
            file: file.clone(),
            fold,
            folder: Folder::default(),
            group_by: plan.rows.group_by.iter().map(ToString::to_string).collect(),
            length: plan.length,
            max_tags: plan.max_tags,
            source: None,
            duplicates: 0,
        })
    }

    /// Returns the name of the part file.
    pub(crate) fn part_path(&self) -> Option<&Path> {
        match &self.output {
            Output::File(part) => Some(part.part_path()),
            Output::Stream(_) => None,
        }
    }

    /// Folds the rows of a shard. Shards come in the order of the inputs.
    pub(crate) fn fold(&mut self, source: u32, rows: &Rows<'_>) -> Result<(), BoxError> {
        if self.source != Some(source) {
            // IDs are unique within an input; those of the previous one are no longer needed.
            self.fold.restore_ids(SCOPE, &[]);
            self.source = Some(source);
        }
        self.folder.begin(&mut self.fold, rows);
        let duplicates = &mut self.duplicates;
        let count = (SOURCE, rows.rows.len());
        let each = |_: &Fold, _: usize, _: &Row<'_>, outcome: Outcome| {
            *duplicates += u64::from(outcome == Outcome::Duplicate);
        };
        self.folder
            .fold(&mut self.fold, rows, count, Duration::ZERO, each)?;
        self.folder.end(rows)?;
        if self.fold.len() > MAX_CELLS {
            return Err(TooMany.into());
        }
        Ok(())
    }

    /// Writes all windows. The file appears with [`commit`](WindowsReady::commit).
    pub(crate) fn write(mut self) -> Result<WindowsReady, BoxError> {
        let mut written = WindowsWritten {
            duplicates: self.duplicates,
            ..WindowsWritten::default()
        };
        let groups = self.sorted_groups();
        let mut writer = Writer::new(&mut self.output, &self.file)?;
        let view = View::new(self.length, 1).ok_or("a window without panes")?;
        let grid = self.fold.grid().clone();
        for (at, key, group) in groups {
            let owner = Owner {
                series: None,
                group_by: &self.group_by[usize::from(at)],
                group: &key,
            };
            let before = written.windows;
            // All panes are final at the end of the input.
            let cells = self.fold.cells(group);
            view.for_each(cells, Some(i64::MAX), self.max_tags, |window| {
                let row = WindowRow::new(&owner, &grid, &window);
                written.windows += u64::from(row.is_some());
                row.map_or(Ok(()), |row| writer.write(&row))
            })?;
            written.groups += u64::from(written.windows > before);
        }
        writer.finish()?;
        Ok(WindowsReady {
            output: self.output,
            written,
        })
    }

    /// Returns the groups, sorted by dimension and name.
    fn sorted_groups(&mut self) -> Vec<(u16, GroupKey, GroupId)> {
        let mut groups: Vec<_> = (0..)
            .map_while(|id| {
                let id = GroupId(id);
                let (dimension, key) = self.fold.groups().name(id)?;
                Some((dimension.0, key.clone(), id))
            })
            .collect();
        groups.sort();
        groups
    }
}

/// Windows that are written to a part file and can be committed.
#[derive(Debug)]
pub(crate) struct WindowsReady {
    output: Output,
    written: WindowsWritten,
}

impl WindowsReady {
    /// Forces the windows to the disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.output.sync()
    }

    /// Gives the file its name.
    pub(crate) fn commit(self) -> Result<WindowsWritten, StoreError> {
        self.output.commit()?;
        Ok(self.written)
    }
}

/// Formats, compresses and writes rows.
struct Writer<'a> {
    output: &'a mut Output,
    compressor: Compressor,
    rows: Collected,
    packed: Vec<u8>,
}

/// Rows that are not written yet.
enum Collected {
    Csv(Vec<u8>),
    Json(Vec<u8>),
}

impl<'a> Writer<'a> {
    fn new(output: &'a mut Output, file: &WindowsFile) -> Result<Self, BoxError> {
        let rows = if file.format == Format::Jsonl {
            Collected::Json(Vec::new())
        } else {
            let mut header = Vec::new();
            CsvWindows::new(&mut header)?.finish()?;
            Collected::Csv(header)
        };
        Ok(Self {
            output,
            compressor: Compressor::new(file.compression)?,
            rows,
            packed: Vec::new(),
        })
    }

    fn write(&mut self, row: &WindowRow) -> Result<(), BoxError> {
        let len = match &mut self.rows {
            Collected::Csv(bytes) => {
                let mut csv = CsvWindows::continued(&mut *bytes);
                csv.write(row)?;
                csv.finish()?;
                bytes.len()
            }
            Collected::Json(bytes) => {
                write_json_line(bytes, row)?;
                bytes.len()
            }
        };
        if len >= PIECE {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BoxError> {
        let (Collected::Csv(bytes) | Collected::Json(bytes)) = &mut self.rows;
        self.packed.clear();
        self.compressor.compress(bytes, &mut self.packed)?;
        self.output.append(&self.packed)?;
        bytes.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), BoxError> {
        self.flush()
    }
}
