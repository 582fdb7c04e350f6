//! The files of lines beside a state. Their lengths are part of each commit: what a process wrote and did not commit is cut
//! off when the next one begins.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use moodring_store::append_file::{AppendError, AppendFile, Reopened};
use moodring_store::state::FileRow;

use crate::aside::{Aside, Role};

/// A file that is to be written beside a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideFilePlan {
    /// What is in it.
    pub role: Role,
    /// Where it is.
    pub path: PathBuf,
    /// How large it may get; further lines are dropped.
    pub max: u64,
}

/// The files beside a state.
#[derive(Debug, Default)]
pub(crate) struct SideFiles(Vec<SideFile>);

#[derive(Debug)]
struct SideFile {
    plan: SideFilePlan,
    file: AppendFile,
    /// Whether it was said that there is no room for more.
    is_full: bool,
}

impl SideFiles {
    /// Cuts the files back to what was committed. Creates none.
    ///
    /// # Errors
    /// [`AppendError`] if a file cannot be used, is shorter than it was, or is there and not known to the state.
    pub(crate) fn open(plans: Vec<SideFilePlan>, rows: &[FileRow]) -> Result<Self, AppendError> {
        let open = |plan: SideFilePlan| {
            // By its name alone, so that a folder may be moved with all that is in it.
            let is_it = |row: &&FileRow| {
                let name = Path::new(OsStr::from_bytes(&row.path)).file_name();
                row.role == plan.role.name() && name == plan.path.file_name()
            };
            let committed = rows.iter().rfind(is_it).map(|row| row.len);
            let (file, reopened) = AppendFile::open(&plan.path, committed)?;
            if reopened == Reopened::Missing {
                tracing::warn!("\"{}\" is gone; a new one is begun", plan.path.display());
            }
            Ok(SideFile {
                plan,
                file,
                is_full: false,
            })
        };
        plans
            .into_iter()
            .map(open)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What a commit has to say of them.
    pub(crate) fn rows(&self) -> Vec<FileRow> {
        let row = |file: &SideFile| FileRow {
            role: file.plan.role.name().to_owned(),
            path: file.plan.path.clone().into_os_string().into_vec(),
            len: file.file.len(),
        };
        self.0.iter().map(row).collect()
    }

    /// Appends lines and forces them to the disk. Called again with the same lines after an error, it writes them once.
    pub(crate) fn append(&mut self, aside: &Aside) -> Result<(), AppendError> {
        for SideFile {
            plan,
            file,
            is_full,
        } in &mut self.0
        {
            file.retract()?;
            let lines = aside.lines(plan.role);
            if lines.is_empty() {
                continue;
            }
            let left_out = file.append_lines(lines, plan.max)?;
            if left_out > 0 && !std::mem::replace(is_full, true) {
                tracing::warn!(
                    "\"{}\" is full ({} bytes): what would be added to it is counted, but not kept",
                    plan.path.display(),
                    plan.max
                );
            }
            file.sync()?;
        }
        Ok(())
    }

    /// Takes note that what was appended is committed.
    pub(crate) fn committed(&mut self) {
        for file in &mut self.0 {
            file.file.committed();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn open(&self, max: u64, rows: &[FileRow]) -> Result<SideFiles, AppendError> {
            let plan = SideFilePlan {
                role: Role::Late,
                path: self.0.path().join("late.jsonl"),
                max,
            };
            SideFiles::open(vec![plan], rows)
        }

        fn content(&self) -> String {
            fs::read_to_string(self.0.path().join("late.jsonl")).unwrap_or_default()
        }
    }

    fn lines(text: &str) -> Aside {
        Aside::with_lines(Role::Late, text)
    }

    #[test]
    fn what_was_not_committed_is_cut_off_by_the_next_process() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let mut files = folder.open(100, &[]).unwrap();
        assert_eq!(files.rows()[0].len, 0);
        files.append(&lines("a\n")).unwrap();
        let rows = files.rows();
        files.committed();
        files.append(&lines("b\n")).unwrap();
        files.append(&lines("b\n")).unwrap();
        assert_eq!(
            folder.content(),
            "a\nb\n",
            "tried again, it is written once"
        );
        // A process that has ended holds no lock.
        drop(files);
        let mut files = folder.open(100, &rows).unwrap();
        assert_eq!(folder.content(), "a\n");
        files.append(&lines("c\n")).unwrap();
        assert_eq!(folder.content(), "a\nc\n");
    }

    #[test]
    fn a_file_that_the_state_does_not_know_is_not_touched() {
        let folder = Folder(tempfile::tempdir().unwrap());
        fs::write(folder.0.path().join("late.jsonl"), "mine").unwrap();
        assert!(matches!(
            folder.open(100, &[]),
            Err(AppendError::Foreign { .. })
        ));
        assert_eq!(folder.content(), "mine");
    }

    #[test]
    fn a_file_does_not_outgrow_its_limit() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let mut files = folder.open(5, &[]).unwrap();
        files.append(&lines("a\nb\nc\n")).unwrap();
        files.committed();
        files.append(&lines("d\n")).unwrap();
        assert_eq!(folder.content(), "a\nb\n");
    }
}
