//! Damaged journals and spools: what is read of them was written.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use moodring_fuzz::Fuzz;
use moodring_store::Journal;
use moodring_store::spool::{Appended, Limits, NewEntry, Next, Spool};

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

/// Appends entries and waits until they are on the disk.
fn append(spool: &Spool, entries: &[NewEntry]) -> Vec<Appended> {
    let (done, outcomes) = channel();
    for entry in entries {
        let done = done.clone();
        let on_durable = Box::new(move |it| done.send(it).unwrap());
        spool.append(entry.clone(), on_durable).unwrap();
    }
    let outcomes = outcomes.iter().take(entries.len());
    outcomes.map(Result::unwrap).collect()
}

#[test]
fn whatever_became_of_a_spool_each_number_is_an_entry_as_it_was_or_in_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let entries: Vec<NewEntry> = (0..6_u8)
        .map(|it| NewEntry {
            context: Arc::from([it % 2; 3]),
            arrival: 0,
            key: (it == 3).then_some(7),
            bytes: vec![it; usize::from(it) * 9],
        })
        .collect();
    let (spool, _) = Spool::open(&path, 0, Limits::default()).unwrap();
    // In two batches.
    append(&spool, &entries[..3]);
    append(&spool, &entries[3..]);
    drop(spool);
    let segment = path.join("00000000000000000000.spool");
    let whole = fs::read(&segment).unwrap();
    let mark = [0x1e, b'm', b'r', 0xf5];
    let mut begins: Vec<usize> = (0..whole.len())
        .filter(|at| whole[*at..].starts_with(&mark))
        .collect();
    begins.push(whole.len());
    // Whole frames are tokens, so that they are dropped, repeated and swapped as well.
    let frames: Vec<&[u8]> = begins.windows(2).map(|it| &whole[it[0]..it[1]]).collect();
    Fuzz::new(&[&whole[..]], &frames).run(|bytes| {
        fs::remove_dir_all(&path).unwrap();
        drop(Spool::open(&path, 0, Limits::default()).unwrap());
        fs::write(&segment, bytes).unwrap();

        let (spool, opened) = Spool::open(&path, 0, Limits::default()).unwrap();
        let mut reader = spool.reader(0);
        let mut seen = 0;
        while reader.position() < opened.next {
            let from = reader.position();
            match reader.read(Duration::from_mins(1)).unwrap() {
                Next::Entry(found) => {
                    let written = &entries[usize::try_from(found.number).unwrap()];
                    assert_eq!((found.number, &found.bytes), (from, &written.bytes));
                    assert_eq!((found.key, &found.context), (written.key, &written.context));
                    seen += 1;
                }
                Next::Gap {
                    from: first, to, ..
                } => assert!(first == from && to > from && to <= opened.next),
                other => panic!("{other:?}"),
            }
        }
        let next = NewEntry {
            key: None,
            ..entries[1].clone()
        };
        assert_eq!(append(&spool, &[next]), [Appended::Stored(opened.next)]);
        let Next::Entry(last) = reader.read(Duration::from_mins(1)).unwrap() else {
            panic!("the entry that was appended cannot be read");
        };
        assert_eq!(last.bytes, entries[1].bytes);
        (seen, opened.next, opened.damaged)
    });
}
