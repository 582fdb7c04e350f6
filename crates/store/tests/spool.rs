//! Spools from outside: what was promised is read, in order, whatever became of the process and of the files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use moodring_store::spool::{
    Appended, Entry, Failed, Limits, NewEntry, Next, Opened, Refusal, Spool, SpoolError,
};
use proptest::prelude::*;
use tempfile::TempDir;

const LONG: Duration = Duration::from_mins(1);
const NONE: Duration = Duration::ZERO;
/// Microseconds.
const HOUR: i64 = 3600 * 1_000_000;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db.spool").join("push");
    (folder, path)
}

fn small() -> Limits {
    Limits {
        segment: 400,
        ..Limits::default()
    }
}

fn open(path: &Path) -> (Spool, Opened) {
    Spool::open(path, 0, small()).unwrap()
}

fn entry(bytes: &[u8]) -> NewEntry {
    NewEntry {
        context: Arc::from(&b"layout"[..]),
        arrival: 5,
        key: None,
        bytes: bytes.to_vec(),
    }
}

fn keyed(bytes: &[u8], key: u128, arrival: i64) -> NewEntry {
    NewEntry {
        key: Some(key),
        arrival,
        ..entry(bytes)
    }
}

type Outcome = Receiver<Result<Appended, Failed>>;

fn begin(spool: &Spool, entry: NewEntry) -> Outcome {
    let (done, outcome) = channel();
    spool
        .append(entry, Box::new(move |it| done.send(it).unwrap()))
        .unwrap();
    outcome
}

fn append(spool: &Spool, entry: NewEntry) -> Appended {
    begin(spool, entry).recv_timeout(LONG).unwrap().unwrap()
}

fn wait(outcomes: &[Outcome]) {
    for outcome in outcomes {
        outcome.recv_timeout(LONG).unwrap().unwrap();
    }
}

/// Everything from a number on, up to what is on the disk: entries and gaps.
fn read_all(spool: &Spool, from: u64) -> Vec<Next> {
    let mut reader = spool.reader(from);
    let mut all = Vec::new();
    while reader.position() < spool.next() {
        all.push(reader.read(LONG).unwrap());
    }
    assert_eq!(reader.read(NONE).unwrap(), Next::Nothing);
    all
}

fn bytes_of(all: &[Next]) -> Vec<&[u8]> {
    let entries = all.iter().map(|it| match it {
        Next::Entry(entry) => &entry.bytes[..],
        other => panic!("{other:?}"),
    });
    entries.collect()
}

fn segments(path: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(path).unwrap().map(|it| it.unwrap().path());
    let mut names: Vec<_> = names
        .filter(|it| it.extension().is_some_and(|it| it == "spool"))
        .collect();
    names.sort();
    names
}

#[test]
fn entries_are_read_in_order_with_all_that_belongs_to_them() {
    let (_folder, path) = place();
    let (spool, opened) = open(&path);
    assert_eq!(opened, Opened::default());
    let entries: Vec<NewEntry> = (0..50_u8)
        .map(|it| NewEntry {
            context: Arc::from([it % 3].repeat(usize::from(it % 3))),
            arrival: i64::from(it) - 9,
            key: (it % 2 == 0).then_some(u128::from(it) << 100),
            bytes: vec![it; usize::from(it)],
        })
        .collect();
    for (number, entry) in entries.iter().enumerate() {
        assert_eq!(
            append(&spool, entry.clone()),
            Appended::Stored(number as u64)
        );
    }
    assert!(segments(&path).len() > 5);
    let check = |spool: &Spool, from: usize| {
        let expected = entries.iter().enumerate().skip(from).map(|(number, it)| {
            let it = it.clone();
            let number = number as u64;
            Next::Entry(Entry {
                number,
                context: it.context,
                arrival: it.arrival,
                key: it.key,
                bytes: it.bytes,
            })
        });
        assert_eq!(read_all(spool, from as u64), expected.collect::<Vec<_>>());
    };
    check(&spool, 0);
    drop(spool);
    let (spool, opened) = open(&path);
    assert_eq!(
        (opened.first, opened.next, opened.cut, opened.damaged),
        (0, 50, 0, 0)
    );
    check(&spool, 0);
    check(&spool, 33);
    assert_eq!(append(&spool, entry(b"next")), Appended::Stored(50));
}

#[test]
fn a_reader_waits_for_the_writer_and_ends_with_it() {
    let (_folder, path) = place();
    let (spool, _) = open(&path);
    let mut reader = spool.reader(0);
    assert_eq!(reader.read(NONE).unwrap(), Next::Nothing);
    let reading = std::thread::spawn(move || {
        let mut all = Vec::new();
        loop {
            match reader.read(LONG).unwrap() {
                Next::Entry(entry) => all.push(entry.number),
                Next::End => return all,
                other => panic!("{other:?}"),
            }
        }
    });
    for _ in 0..20 {
        append(&spool, entry(b"some records"));
    }
    let waiting = begin(&spool, entry(b"the last one"));
    drop(spool);
    assert_eq!(
        waiting.try_recv().unwrap().unwrap(),
        Appended::Stored(20),
        "what waits is written"
    );
    assert!(reading.join().unwrap().into_iter().eq(0..21));
}

#[test]
fn many_threads_append_and_each_entry_is_stored_once() {
    let (_folder, path) = place();
    let (spool, _) = Spool::open(
        &path,
        0,
        Limits {
            segment: 20_000,
            ..Limits::default()
        },
    )
    .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let spool = &spool;
            scope.spawn(move || {
                let outcomes: Vec<_> = (0..200_u8)
                    .map(|it| begin(spool, entry(&[thread, it])))
                    .collect();
                let numbers: Vec<_> = outcomes
                    .iter()
                    .map(|it| it.recv_timeout(LONG).unwrap().unwrap())
                    .collect();
                assert!(numbers.is_sorted_by_key(|it| match it {
                    Appended::Stored(number) => *number,
                    Appended::Repeated => panic!("no key"),
                }));
            });
        }
    });
    let all = read_all(&spool, 0);
    let mut found = bytes_of(&all);
    found.sort_unstable();
    let expected: Vec<_> = (0..4_u8)
        .flat_map(|thread| (0..200_u8).map(move |it| [thread, it]))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_request_that_is_sent_again_is_taken_once_for_a_day() {
    let (_folder, path) = place();
    let (spool, _) = open(&path);
    assert_eq!(append(&spool, keyed(b"a", 1, 0)), Appended::Stored(0));
    assert_eq!(append(&spool, keyed(b"a", 1, HOUR)), Appended::Repeated);
    for it in 1..40_u8 {
        assert_eq!(
            append(
                &spool,
                keyed(b"some more records", 100 + u128::from(it), HOUR)
            ),
            Appended::Stored(it.into())
        );
    }
    assert!(spool.trim(40).unwrap() > 3);
    drop(spool);

    let (spool, _) = Spool::open(&path, 40, small()).unwrap();
    assert_eq!(
        append(&spool, keyed(b"a", 1, 23 * HOUR)),
        Appended::Repeated,
        "its segment is gone, its key is not"
    );
    assert_eq!(
        append(&spool, keyed(b"a", 1, 24 * HOUR + 1)),
        Appended::Stored(40)
    );
    assert_eq!(
        append(&spool, keyed(b"a", 139, 25 * HOUR - 1)),
        Appended::Repeated
    );
    assert_eq!(spool.forgotten_keys_until(), None);
    // Two at once.
    let [one, two] = [7, 7].map(|key| begin(&spool, keyed(b"b", key, 24 * HOUR)));
    let both = [one, two].map(|it| it.recv_timeout(LONG).unwrap().unwrap());
    assert_eq!(both, [Appended::Stored(41), Appended::Repeated]);
}

#[test]
fn the_file_of_keys_does_not_grow_for_ever() {
    let (_folder, path) = place();
    let limits = Limits {
        keys: 50,
        segment: 4000,
        ..Limits::default()
    };
    let (spool, _) = Spool::open(&path, 0, limits).unwrap();
    let mut longest = 0;
    for round in 0..100_u64 {
        let outcomes: Vec<_> = (0..60)
            .map(|it| begin(&spool, keyed(b"", u128::from(round * 60 + it), 0)))
            .collect();
        wait(&outcomes);
        spool.trim((round + 1) * 60).unwrap();
        longest = longest.max(fs::metadata(path.join("keys")).map_or(0, |it| it.len()));
    }
    assert!(longest < 90_000, "{longest}");
    assert_eq!(spool.forgotten_keys_until(), Some(0));
    assert_eq!(append(&spool, keyed(b"", 6000 - 1, 0)), Appended::Repeated);
}

/// Deletes what is counted until there is room for an entry, and appends it. Another one is on the disk a moment before it is
/// among those that can be deleted.
fn append_with_room(spool: &Spool, mut entry: NewEntry, counted: u64) -> Appended {
    let ends = std::time::Instant::now() + LONG;
    loop {
        spool.trim(counted).unwrap();
        let (done, outcome) = channel();
        match spool.append(entry, Box::new(move |it| done.send(it).unwrap())) {
            Ok(()) => return outcome.recv_timeout(LONG).unwrap().unwrap(),
            Err(refused) => entry = refused.entry,
        }
        assert!(std::time::Instant::now() < ends, "there is no room");
        std::thread::yield_now();
    }
}

#[test]
fn a_full_spool_gives_the_entry_back_until_entries_are_counted() {
    let (_folder, path) = place();
    let limits = Limits {
        bytes: 4000,
        segment: 1000,
        ..Limits::default()
    };
    let (spool, _) = Spool::open(&path, 0, limits).unwrap();
    let mut stored = 0;
    let refused = loop {
        let (done, outcome) = channel();
        match spool.append(entry(&[1; 300]), Box::new(move |it| done.send(it).unwrap())) {
            Ok(()) => assert_eq!(
                outcome.recv_timeout(LONG).unwrap().unwrap(),
                Appended::Stored(stored)
            ),
            Err(refused) => break refused,
        }
        stored += 1;
        assert!(stored < 100);
    };
    assert_eq!(
        (refused.why, &refused.entry),
        (Refusal::NoRoom, &entry(&[1; 300]))
    );
    assert!((2000..4000).contains(&spool.bytes()), "{}", spool.bytes());
    spool.wait_for_room(&refused.entry, NONE);
    std::thread::scope(|scope| {
        scope.spawn(|| spool.wait_for_room(&entry(&[1; 300]), LONG));
        spool.trim(stored).unwrap();
    });
    let again = append_with_room(&spool, refused.entry, stored);
    assert_eq!(again, Appended::Stored(stored));
    // One that is larger than the limit is taken when there is nothing else.
    let large = append_with_room(&spool, entry(&[2; 9000]), stored + 1);
    assert_eq!(large, Appended::Stored(stored + 1));
}

#[test]
fn only_whole_segments_of_counted_entries_are_deleted() {
    let (_folder, path) = place();
    let (spool, _) = open(&path);
    for it in 0..40 {
        append(&spool, entry(&[it; 50]));
    }
    let before = segments(&path).len();
    assert_eq!(spool.trim(0).unwrap(), 0);
    let gone = spool.trim(20).unwrap();
    assert!(gone > 2);
    assert_eq!(segments(&path).len(), before - gone);
    let all = read_all(&spool, 20);
    assert!(
        bytes_of(&all)
            .iter()
            .zip(20_u8..40)
            .all(|(bytes, it)| **bytes == [it; 50])
    );
    let last = segments(&path).pop().unwrap();
    spool.trim(40).unwrap();
    assert_eq!(segments(&path), [last], "the one that is written stays");
    drop(spool);
    let (spool, _) = Spool::open(&path, 40, small()).unwrap();
    assert_eq!(append(&spool, entry(b"x")), Appended::Stored(40));
}

#[test]
fn numbers_never_go_back_when_files_are_lost() {
    let (_folder, path) = place();
    let (spool, _) = open(&path);
    append(&spool, entry(b"a"));
    drop(spool);
    fs::remove_dir_all(&path).unwrap();
    let (spool, opened) = Spool::open(&path, 7, small()).unwrap();
    assert_eq!((opened.first, opened.next), (7, 7));
    assert_eq!(append(&spool, entry(b"b")), Appended::Stored(7));
    drop(spool);
    // What the state does not know of comes back as a gap.
    let (spool, _) = Spool::open(&path, 3, small()).unwrap();
    let all = read_all(&spool, 3);
    assert!(
        matches!(all[0], Next::Gap { from: 3, to: 7, .. }),
        "{all:?}"
    );
    assert_eq!(bytes_of(&all[1..]), [b"b"]);
}

#[test]
fn a_spool_is_for_its_owner_and_one_process_alone() {
    let (folder, path) = place();
    let (spool, _) = open(&path);
    append(&spool, entry(b"a"));
    for path in [path.parent().unwrap(), &path] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
    assert_eq!(
        fs::metadata(&segments(&path)[0])
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let error = Spool::open(&path, 0, small()).unwrap_err();
    assert!(matches!(error, SpoolError::Busy { .. }), "{error}");
    let _reader = spool.reader(0);
    drop(spool);
    open(&path);

    let segment = segments(&path).remove(0);
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&segment, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &segment).unwrap();
    let error = Spool::open(&path, 0, small()).unwrap_err();
    assert!(error.to_string().contains("is a symbolic link"), "{error}");

    let open_to_all = folder.path().join("open");
    fs::create_dir(&open_to_all).unwrap();
    fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o777)).unwrap();
    let error = Spool::open(&open_to_all, 0, small()).unwrap_err();
    assert!(matches!(error, SpoolError::Open { .. }), "{error}");
    std::os::unix::fs::symlink(&path, folder.path().join("link")).unwrap();
    let error = Spool::open(&folder.path().join("link"), 0, small()).unwrap_err();
    assert!(error.to_string().contains("is a symbolic link"), "{error}");
}

#[test]
fn an_entry_that_cannot_be_written_comes_back_and_later_ones_are_taken() {
    let (folder, path) = place();
    let (spool, _) = open(&path);
    append(&spool, entry(&[0; 500]));
    let away = folder.path().join("away");
    fs::rename(&path, &away).unwrap();
    // The segment is full, and the next one cannot be begun.
    let failed = begin(&spool, entry(b"a"))
        .recv_timeout(LONG)
        .unwrap()
        .unwrap_err();
    assert_eq!(failed.entry, entry(b"a"));
    assert!(failed.error.may_pass(), "{}", failed.error);
    fs::rename(&away, &path).unwrap();
    assert_eq!(append(&spool, failed.entry), Appended::Stored(1));
    assert_eq!(bytes_of(&read_all(&spool, 1)), [b"a"]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// What becomes of bytes that were not on the disk when the power went.
#[derive(Debug, Clone)]
enum Tear {
    Cut(prop::sample::Index),
    Zero(prop::sample::Index, prop::sample::Index),
    Flip(prop::sample::Index, u8),
}

impl Tear {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Tear::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Tear::Zero(from, to) => {
                let [a, b] = [from, to].map(|it| it.index(bytes.len()));
                bytes[a.min(b)..=a.max(b)].fill(0);
            }
            Tear::Flip(at, with) => {
                let at = at.index(bytes.len());
                bytes[at] ^= with;
            }
        }
    }
}

/// Where the entries begin that were written together with the last one. All before was on the disk when they were.
fn begin_of_last_batch(segment: &[u8]) -> usize {
    let mark = [0x1e, b'm', b'r', 0xf5];
    let frame = segment.windows(4).rposition(|it| it == mark);
    frame.map_or(0, |at| {
        let synced = segment[at + 20..].first_chunk().unwrap();
        u32::from_le_bytes(*synced) as usize
    })
}

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<(u8, usize, Option<u8>)>),
    Trim(prop::sample::Index),
    OpenAgain,
    /// The power goes while these are written.
    Crash(Vec<(u8, usize, Option<u8>)>, Vec<Tear>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let entries =
        || prop::collection::vec((0..3_u8, 0..300_usize, prop::option::of(any::<u8>())), 1..8);
    let index = any::<prop::sample::Index>;
    let tear = prop_oneof![
        index().prop_map(Tear::Cut),
        (index(), index()).prop_map(|(from, to)| Tear::Zero(from, to)),
        (index(), 1..=255_u8).prop_map(|(at, with)| Tear::Flip(at, with)),
    ];
    let step = prop_oneof![
        3 => entries().prop_map(Step::Append),
        1 => index().prop_map(Step::Trim),
        1 => Just(Step::OpenAgain),
        2 => (entries(), prop::collection::vec(tear, 1..3)).prop_map(|(entries, tears)| Step::Crash(entries, tears)),
    ];
    prop::collection::vec(step, 1..10)
}

/// A spool and what must be in it.
struct Checked {
    folder: TempDir,
    path: PathBuf,
    lives: u32,
    spool: Option<Spool>,
    counted: u64,
    stored: BTreeMap<u64, NewEntry>,
    keys: BTreeMap<u128, u64>,
    made: u8,
}

impl Checked {
    fn new() -> Checked {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool 0");
        let spool = Some(open(&path).0);
        Checked {
            folder,
            path,
            lives: 0,
            spool,
            counted: 0,
            stored: BTreeMap::new(),
            keys: BTreeMap::new(),
            made: 0,
        }
    }

    fn spool(&self) -> &Spool {
        self.spool.as_ref().unwrap()
    }

    fn make(&mut self, (context, len, key): (u8, usize, Option<u8>)) -> NewEntry {
        self.made = self.made.wrapping_add(1);
        NewEntry {
            context: Arc::from([context; 5]),
            arrival: 0,
            key: key.map(u128::from),
            bytes: vec![self.made; len],
        }
    }

    fn append(&mut self, entries: Vec<(u8, usize, Option<u8>)>) {
        let entries: Vec<_> = entries.into_iter().map(|it| self.make(it)).collect();
        let outcomes: Vec<_> = entries
            .iter()
            .map(|it| begin(self.spool(), it.clone()))
            .collect();
        for (entry, outcome) in entries.into_iter().zip(outcomes) {
            let was_taken = entry.key.is_some_and(|key| self.keys.contains_key(&key));
            match outcome.recv_timeout(LONG).unwrap().unwrap() {
                Appended::Repeated => assert!(was_taken),
                Appended::Stored(number) => {
                    assert!(!was_taken);
                    self.store(number, entry);
                }
            }
        }
    }

    fn store(&mut self, number: u64, entry: NewEntry) {
        if let Some(key) = entry.key {
            self.keys.insert(key, number);
        }
        assert_eq!(
            self.stored.insert(number, entry),
            None,
            "numbers are given once"
        );
    }

    /// Reads all there is. After a crash, entries may be there that nobody was told of.
    fn check(&mut self, is_after_crash: bool) {
        let all = read_all(self.spool(), self.counted);
        let mut expected = self.counted;
        for next in all {
            let Next::Entry(found) = next else {
                panic!("{next:?}")
            };
            assert_eq!(found.number, expected);
            expected += 1;
            let entry = NewEntry {
                context: found.context,
                arrival: found.arrival,
                key: found.key,
                bytes: found.bytes,
            };
            if let Some(stored) = self.stored.get(&found.number) {
                assert_eq!(&entry, stored);
            } else {
                assert!(is_after_crash);
                self.store(found.number, entry);
            }
        }
        let end = self
            .stored
            .last_key_value()
            .map_or(0, |(number, _)| number + 1);
        assert_eq!(
            expected.max(self.counted),
            end,
            "all that was promised is there"
        );
    }

    fn open_again(&mut self) {
        self.spool = None;
        let (spool, opened) = Spool::open(&self.path, self.counted, small()).unwrap();
        assert_eq!((opened.cut, opened.damaged), (0, 0));
        self.spool = Some(spool);
    }

    fn crash(&mut self, unsynced: Vec<(u8, usize, Option<u8>)>, tears: &[Tear]) {
        let entries = unsynced.into_iter().map(|it| self.make_unsynced(it));
        let outcomes: Vec<_> = entries.map(|it| begin(self.spool(), it)).collect();
        wait(&outcomes);
        self.lives += 1;
        let copied = self.folder.path().join(format!("spool {}", self.lives));
        copy(&self.path, &copied);
        let last = segments(&copied).pop().unwrap();
        let mut bytes = fs::read(&last).unwrap();
        let mut torn = bytes.split_off(begin_of_last_batch(&bytes));
        for tear in tears {
            tear.apply(&mut torn);
        }
        bytes.append(&mut torn);
        fs::write(&last, &bytes).unwrap();
        self.spool = None;
        self.path = copied;
        self.spool = Some(Spool::open(&self.path, self.counted, small()).unwrap().0);
    }

    fn make_unsynced(&self, (context, len, key): (u8, usize, Option<u8>)) -> NewEntry {
        NewEntry {
            context: Arc::from([context; 5]),
            arrival: 0,
            key: key.map(u128::from),
            bytes: vec![self.made ^ 0x80; len],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]
    #[test]
    fn what_was_promised_is_read_whatever_a_power_cut_leaves(steps in steps()) {
        let mut checked = Checked::new();
        for step in steps {
            let mut is_after_crash = false;
            match step {
                Step::Append(entries) => checked.append(entries),
                Step::Trim(at) => {
                    let next = checked.spool().next();
                    checked.counted = checked.counted.max(at.index(usize::try_from(next).unwrap() + 1) as u64);
                    checked.spool().trim(checked.counted).unwrap();
                }
                Step::OpenAgain => checked.open_again(),
                Step::Crash(entries, tears) => {
                    checked.crash(entries, &tears);
                    is_after_crash = true;
                }
            }
            checked.check(is_after_crash);
        }
    }

    #[test]
    fn damage_is_a_gap_and_never_silent(
        lens in prop::collection::vec(0..200_usize, 1..30),
        which: prop::sample::Index,
        tear in prop_oneof![
            any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(from, to)| Tear::Zero(from, to)),
            (any::<prop::sample::Index>(), 1..=255_u8).prop_map(|(at, with)| Tear::Flip(at, with)),
        ],
    ) {
        let (_folder, path) = place();
        let (spool, _) = open(&path);
        let entries: Vec<NewEntry> = lens.iter().enumerate().map(|(at, len)| entry(&vec![u8::try_from(at).unwrap(); *len])).collect();
        for entry in &entries {
            append(&spool, entry.clone());
        }
        let mut len_at_end = 0;
        let damaged = which.get(&segments(&path)).clone();
        let is_last = segments(&path).last() == Some(&damaged);
        if is_last {
            len_at_end = fs::metadata(&damaged).unwrap().len();
        }
        drop(spool);
        let mut bytes = fs::read(&damaged).unwrap();
        // Not the frame that notes that the spool was closed.
        let mut rest = if is_last { bytes.split_off(usize::try_from(len_at_end).unwrap()) } else { Vec::new() };
        let sound = bytes.clone();
        tear.apply(&mut bytes);
        let is_damaged = bytes != sound;
        bytes.append(&mut rest);
        fs::write(&damaged, &bytes).unwrap();

        let (spool, opened) = open(&path);
        prop_assert_eq!((opened.damaged > 0, opened.cut), (is_damaged, 0));
        prop_assert_eq!(opened.next, entries.len() as u64);
        let mut expected = 0;
        for next in read_all(&spool, 0) {
            match next {
                Next::Entry(found) => {
                    prop_assert_eq!(found.number, expected);
                    prop_assert_eq!(&found.bytes, &entries[usize::try_from(expected).unwrap()].bytes);
                    expected += 1;
                }
                Next::Gap { from, to, .. } => {
                    prop_assert_eq!(from, expected);
                    prop_assert!(to > from && is_damaged);
                    expected = to;
                }
                other => panic!("{other:?}"),
            }
        }
        prop_assert_eq!(expected, entries.len() as u64);
        prop_assert_eq!(append(&spool, entry(b"more")), Appended::Stored(expected));
    }
}
