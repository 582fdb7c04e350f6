//! The files beside an output that are there while it is not complete: its part file, its journal, and the part files of
//! what is set aside. What an earlier run left of them is replaced; anything else with such a name is not.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use moodring_store::{Journal, PartFile, StoreError, check_side_file};

use super::plan::Plan;

/// How a line of a rejects or quarantine file begins.
const ASIDE: &[u8] = b"{\"source\":\"";

/// Refuses a run for whose side files something else would have to give way.
pub(super) fn check(plan: &Plan) -> Result<(), StoreError> {
    let Some(output) = &plan.output else {
        return check_asides(plan, false);
    };
    let Some(part) = PartFile::path_of(output) else {
        return check_asides(plan, false);
    };
    let journal = Journal::path_of(output);
    // A part file has no mark of its own. Its journal does: every run that writes a part file has one.
    let has_journal = Journal::is_one(&journal);
    check_side_file(&journal, plan.force || has_journal)?;
    check_side_file(&part, plan.force || has_journal)?;
    // Says so if another run is writing it.
    PartFile::peek(output)?;
    check_asides(plan, has_journal)
}

fn check_asides(plan: &Plan, has_journal: bool) -> Result<(), StoreError> {
    if let Some(windows) = &plan.windows
        && let Some(part) = PartFile::path_of(&windows.file.path)
    {
        check_side_file(&part, plan.force || has_journal)?;
    }
    for path in [&plan.rejects, &plan.quarantine].into_iter().flatten() {
        if let Some(part) = PartFile::path_of(path) {
            check_side_file(&part, plan.force || has_journal || is_aside(&part))?;
            // The same for these.
            PartFile::peek(path)?;
        }
    }
    Ok(())
}

/// Whether a file begins as a line does that tells of a record which was set aside.
fn is_aside(path: &Path) -> bool {
    // Opening a pipe would wait for its writer.
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut head = Vec::new();
    let len = ASIDE.len() as u64;
    is_file
        && File::open(path).is_ok_and(|file| file.take(len).read_to_end(&mut head).is_ok())
        && head == ASIDE
}
