//! The files of lines beside a state. Their lengths are part of each commit: what a process wrote and did not commit is cut
//! off when the next one begins.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use moodring_store::state::FileRow;

use crate::aside::{Aside, Role};
use crate::error::LiveError;

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
    /// None until the first line.
    file: Option<File>,
    /// How long it was at the last commit, and how long it is with what is written since.
    committed: u64,
    written: u64,
    is_full: bool,
}

impl SideFiles {
    /// Cuts the files back to what was committed. Creates none.
    ///
    /// # Errors
    /// [`LiveError`] if a file cannot be cut, or one is there that is not known to the state.
    pub(crate) fn open(plans: Vec<SideFilePlan>, rows: &[FileRow]) -> Result<Self, LiveError> {
        let files = plans.into_iter().map(|plan| SideFile::open(plan, rows));
        files.collect::<Result<_, _>>().map(Self)
    }

    /// What a commit has to say of them.
    pub(crate) fn rows(&self) -> Vec<FileRow> {
        let row = |file: &SideFile| FileRow {
            role: file.plan.role.name().to_owned(),
            path: file.plan.path.clone().into_os_string().into_vec(),
            len: file.written,
        };
        self.0.iter().map(row).collect()
    }

    /// Appends lines and forces them to the disk. Called again with the same lines after an error, it writes them once.
    pub(crate) fn append(&mut self, aside: &Aside) -> Result<(), LiveError> {
        for file in &mut self.0 {
            let lines = aside.lines(file.plan.role);
            if !lines.is_empty() {
                file.append(lines)?;
            }
        }
        Ok(())
    }

    /// Takes note that what was appended is committed.
    pub(crate) fn committed(&mut self) {
        for file in &mut self.0 {
            file.committed = file.written;
        }
    }
}

impl SideFile {
    fn open(plan: SideFilePlan, rows: &[FileRow]) -> Result<Self, LiveError> {
        // By its name alone, so that a folder may be moved with all that is in it.
        let is_it = |row: &&FileRow| {
            let path = PathBuf::from(OsStr::from_bytes(&row.path));
            row.role == plan.role.name() && path.file_name() == plan.path.file_name()
        };
        let known = rows.iter().rfind(is_it).map(|row| row.len);
        let file = match OpenOptions::new().write(true).open(&plan.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened.map_err(failed("open", &plan))?),
        };
        let len = match &file {
            Some(file) => file.metadata().map_err(failed("open", &plan))?.len(),
            None => 0,
        };
        let committed = match known {
            None if len > 0 => return Err(LiveError::Foreign { path: plan.path }),
            known => known.unwrap_or(0).min(len),
        };
        if known.is_some_and(|known| known > len) {
            tracing::warn!("\"{}\" is shorter than it was", plan.path.display());
        }
        let mut this = Self {
            plan,
            file,
            committed,
            written: committed,
            is_full: false,
        };
        this.cut()?;
        Ok(this)
    }

    /// Cuts off what is not committed.
    fn cut(&mut self) -> Result<(), LiveError> {
        self.written = self.committed;
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let cut = file
            .set_len(self.committed)
            .and_then(|()| file.seek(SeekFrom::Start(self.committed)));
        cut.map(drop).map_err(failed("cut", &self.plan))
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), LiveError> {
        self.cut()?;
        let room = usize::try_from(self.plan.max.saturating_sub(self.written));
        let lines = within(
            lines,
            room.unwrap_or(usize::MAX),
            &mut self.is_full,
            &self.plan,
        );
        if lines.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(true).mode(0o600);
                let opened = options.open(&self.plan.path);
                none.insert(opened.map_err(failed("create", &self.plan))?)
            }
        };
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        written.map_err(failed("write", &self.plan))?;
        self.written += lines.len() as u64;
        Ok(())
    }
}

/// The lines that fit into this many bytes. Warns when the first ones do not.
fn within<'l>(lines: &'l [u8], room: usize, is_full: &mut bool, plan: &SideFilePlan) -> &'l [u8] {
    if lines.len() <= room {
        return lines;
    }
    if !std::mem::replace(is_full, true) {
        tracing::warn!(
            "\"{}\" is full ({} bytes): what would be added to it is counted, but not kept",
            plan.path.display(),
            plan.max
        );
    }
    let end = lines[..room].iter().rposition(|&byte| byte == b'\n');
    &lines[..end.map_or(0, |end| end + 1)]
}

fn failed(action: &'static str, plan: &SideFilePlan) -> impl FnOnce(io::Error) -> LiveError {
    let path = plan.path.clone();
    move |error| LiveError::File {
        action,
        path,
        error,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn open(&self, max: u64, rows: &[FileRow]) -> Result<SideFiles, LiveError> {
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
            Err(LiveError::Foreign { .. })
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
