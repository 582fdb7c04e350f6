//! Damaged journals: what is read of them was written.

use std::collections::HashSet;
use std::fs;

use moodring_fuzz::Fuzz;
use moodring_store::Journal;

/// Entries as a run has them, and some that it has not.
const ENTRIES: &[&str] = &[
    r#"{"terms":{"settings":[["version","0.1.0"]],"shard_size":65536,"block_size":1,"header":{"at":0,"len":0,"checksum":0}}}"#,
    r#"{"done":{"release":0,"index":0,"source":0,"end":65530,"output":{"at":0,"len":99,"checksum":1}}}"#,
    r#""synced""#,
    r#"{"resumed":7}"#,
    "",
    "0",
    r#""complete""#,
];

#[test]
fn whatever_became_of_a_journal_what_is_read_of_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = Journal::path_of(&folder.path().join("out.jsonl"));
    let mut journal = Journal::create(&path).unwrap();
    for entry in ENTRIES {
        journal.append(entry.as_bytes()).unwrap();
    }
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let truth: HashSet<&[u8]> = ENTRIES.iter().map(|entry| entry.as_bytes()).collect();
    // Whole lines are tokens, so that they are dropped, repeated and swapped as well.
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    Fuzz::new(&[&whole[..]], &lines).run(|bytes| {
        fs::write(&path, bytes).unwrap();
        let read = Journal::read(&path).unwrap();
        for entry in &read.entries {
            assert!(truth.contains(&entry[..]), "read {}", entry.escape_ascii());
        }
        // Going on with it, nothing that was read is lost and nothing that was not comes up.
        let mut journal = Journal::reopen(&path, &read).unwrap();
        journal.append(b"next").unwrap();
        drop(journal);
        assert!(
            fs::read(&path)
                .unwrap()
                .starts_with(&bytes[..usize::try_from(read.len).unwrap()])
        );
        let again = Journal::read(&path).unwrap();
        let (last, before) = again.entries.split_last().unwrap();
        assert_eq!(last, b"next");
        assert_eq!(before, read.entries);
        read.entries.len()
    });
}
