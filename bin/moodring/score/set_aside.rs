//! Records that are set aside: malformed ones, and those on which workers died. They go to a file, or, where a run that
//! writes to a stream names none, they are told on standard error.

use std::fmt;
use std::path::{Path, PathBuf};

use moodring_store::{LazyFile, StoreError};

use super::resume::entry::Extent;
use crate::run::progress::Progress;
use crate::standard_error::{self, PATIENCE};

/// How many records are told one by one. A pipe into a terminal must not drown in them.
const TOLD: u64 = 10;

/// Why records are set aside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Rejected,
    Quarantined,
}

impl Kind {
    fn participle(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Quarantined => "quarantined",
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Self::Rejected => "--rejects",
            Self::Quarantined => "--quarantine",
        }
    }
}

/// Where a record begins. The line is not known in a run without order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) source: &'a str,
    pub(super) line: Option<u64>,
    pub(super) offset: u64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, offset, .. } = self;
        match self.line {
            Some(line) => write!(f, "{source}: line {line} (byte {offset})"),
            None => write!(f, "{source}: byte {offset}"),
        }
    }
}

/// Warns of records whose end is not where it should be: somebody may have meant more than one row.
#[derive(Debug, Default)]
pub(super) struct FramingWarnings(u64);

impl FramingWarnings {
    /// Warns of what is at fault there, or only counts it.
    pub(super) fn warn(&mut self, at: Place<'_>, reason: &str) {
        self.0 += 1;
        if self.0 <= TOLD {
            tracing::warn!("{at}: {reason}; it is set aside, and reading resumes on the next line");
        }
        if self.0 == TOLD {
            tracing::warn!("more records like this are named in the rejects file alone");
        }
    }
}

/// Where the records of a kind go.
#[derive(Debug)]
pub(super) enum SetAside {
    File(LazyFile),
    Notices(Notices),
}

impl SetAside {
    /// Creates nothing yet.
    pub(super) fn open(path: Option<&Path>, kind: Kind, force: bool) -> Result<Self, StoreError> {
        match path {
            Some(path) => LazyFile::open(path, force).map(Self::File),
            None => Ok(Self::Notices(Notices { kind, count: 0 })),
        }
    }

    /// The file, if there is to be one.
    pub(super) fn file(&self) -> Option<&LazyFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Notices(_) => None,
        }
    }

    /// Whether an unfinished file outlives this value.
    pub(super) fn keep(&mut self, keep: bool) {
        if let Self::File(file) = self {
            file.keep(keep);
        }
    }

    /// All that has been written into the file; nothing if it is none that can be read again.
    pub(super) fn whole(&self) -> Extent {
        let whole = self.file().map(|file| (file.len(), file.checksum()));
        match whole {
            None | Some((0, _)) => Extent::default(),
            Some((len, checksum)) => Extent {
                at: 0,
                len,
                checksum,
            },
        }
    }

    /// Forces what is written to the disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.file().map_or(Ok(()), LazyFile::sync)
    }

    /// Gives the file its name, and says what that is; `None` if nothing was written.
    pub(super) fn commit(self) -> Result<Option<PathBuf>, StoreError> {
        let Self::File(file) = self else {
            return Ok(None);
        };
        let path = file.path().to_owned();
        Ok(file.commit()?.then_some(path))
    }
}

/// Tells of records on standard error: a line for each of the first ones, and the total when it is dropped, however the
/// run ends.
#[derive(Debug)]
pub(super) struct Notices {
    kind: Kind,
    count: u64,
}

impl Notices {
    /// Tells of a record, or only counts it.
    pub(super) fn tell(&mut self, at: Place<'_>, reason: &str, progress: Option<&Progress>) {
        self.count += 1;
        if self.count > TOLD {
            return;
        }
        let notice = format!("{} {at}: {reason}", self.kind.participle());
        match progress {
            Some(progress) => progress.above(|| say(&notice)),
            None => say(&notice),
        }
    }

    /// What is said in the end.
    fn total(&self) -> String {
        let Self { kind, count } = self;
        let records = if *count == 1 {
            "1 record was".to_owned()
        } else {
            format!("{count} records were")
        };
        let told = if *count > TOLD {
            format!(", of which the first {TOLD} are named above")
        } else {
            String::new()
        };
        let (participle, flag) = (kind.participle(), kind.flag());
        format!("{records} {participle}{told}; add {flag} FILE to keep such records")
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        if self.count > 0 {
            say(&self.total());
        }
    }
}

/// Says something in one line. Where standard error is closed there is nobody to tell.
fn say(notice: &str) {
    let line = notice.replace(char::is_control, " ");
    standard_error::write(format!("moodring: {line}\n").as_bytes(), PATIENCE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_says_how_many_were_not_named() {
        let total = |count| {
            let notices = Notices {
                kind: Kind::Rejected,
                count,
            };
            // Without saying it.
            std::mem::ManuallyDrop::new(notices).total()
        };
        assert_eq!(
            total(1),
            "1 record was rejected; add --rejects FILE to keep such records"
        );
        assert_eq!(
            total(25),
            "25 records were rejected, of which the first 10 are named above; \
             add --rejects FILE to keep such records"
        );
    }

    #[test]
    fn a_place_has_its_line_if_that_is_known() {
        let at = |line| Place {
            source: "a.csv",
            line,
            offset: 16,
        };
        assert_eq!(at(Some(2)).to_string(), "a.csv: line 2 (byte 16)");
        assert_eq!(at(None).to_string(), "a.csv: byte 16");
    }
}
