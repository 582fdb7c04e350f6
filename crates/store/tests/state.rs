//! States from outside: what is committed is found again, and what is no state is refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use moodring_store::state::{
    AlertRow, Attempt, Beginning, Commit, Delivery, FileRow, GapRow, GroupRow, PaneRow, Restored,
    SeriesId, SourceRow, State, StateError, StateReader, Which,
};
use proptest::prelude::*;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn open(path: &Path) -> (State, Restored) {
    State::open(path, "rules 1", "{}", 0).unwrap()
}

fn pane(pane: i64, group: u32, cell: &[u8]) -> PaneRow {
    PaneRow {
        factor: 1,
        pane,
        group,
        cell: cell.to_vec(),
    }
}

fn source(name: &str, position: &[u8]) -> SourceRow {
    SourceRow {
        name: name.to_owned(),
        position: Some(position.to_vec()),
        books: b"books".to_vec(),
        greatest: Some(7),
        status: r#"{"state":"live"}"#.to_owned(),
    }
}

fn group(id: u32, dimension: u16, value: Option<&str>) -> GroupRow {
    GroupRow {
        id,
        dimension,
        value: value.map(str::to_owned),
    }
}

/// A commit with something of everything.
fn full() -> Commit {
    Commit {
        watermark: Some(60),
        sources: vec![source("file:a", b"at 5")],
        groups: vec![group(0, 0, Some("rust")), group(1, 1, None)],
        panes: vec![
            pane(0, 0, b"cell a"),
            pane(0, 1, b"cell b"),
            pane(3, 0, b"cell c"),
        ],
        ids: vec![("file:a".to_owned(), vec![3, 1, u64::MAX])],
        files: vec![FileRow {
            role: "late".to_owned(),
            path: b"late \xff.jsonl".to_vec(),
            len: 12,
        }],
        alerts: vec![AlertRow {
            at: 60,
            rule: "mean < 0".to_owned(),
            body: "{}".to_owned(),
            is_due: true,
        }],
        alert_states: vec![("mean < 0".to_owned(), b"raised".to_vec())],
        gaps: vec![GapRow {
            source: "file:a".to_owned(),
            from: 1,
            to: 2,
            why: "lost".to_owned(),
        }],
    }
}

fn panes_of(state: &State, series: SeriesId, from: i64) -> Vec<PaneRow> {
    let mut panes = Vec::new();
    state
        .panes(series, 1, &(from..i64::MAX), |pane| panes.push(pane))
        .unwrap();
    panes
}

#[test]
fn what_is_committed_is_there_after_opening_again() {
    let (_folder, path) = place();
    let (mut state, restored) = open(&path);
    assert_eq!(restored.beginning, Beginning::New);
    assert_eq!(restored.series.watermark, None);
    let commit = full();
    state.commit(&commit).unwrap();
    let id = state.id().to_owned();
    drop(state);

    let (state, restored) = open(&path);
    assert_eq!(state.id(), id);
    assert_eq!(restored.beginning, Beginning::Continued);
    assert_eq!(restored.series.watermark, Some(60));
    assert_eq!(restored.sources, commit.sources);
    assert_eq!(restored.groups, commit.groups);
    assert_eq!(restored.ids, commit.ids);
    assert_eq!(restored.files, commit.files);
    assert_eq!(restored.alert_states, commit.alert_states);
    assert_eq!(panes_of(&state, state.series(), i64::MIN), commit.panes);
    assert_eq!(panes_of(&state, state.series(), 1), commit.panes[2..]);
}

#[test]
fn a_state_is_for_its_owner_alone() {
    let (_folder, path) = place();
    let (mut state, _) = open(&path);
    state.commit(&full()).unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let path = format!("{}{suffix}", path.display());
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{path}"
        );
    }
}

#[test]
fn other_rules_begin_another_series_and_positions_and_ids_continue() {
    let (_folder, path) = place();
    let (mut state, first) = open(&path);
    state.commit(&full()).unwrap();
    drop(state);

    let (state, restored) = State::open(&path, "rules 2", r#"{"slide":1}"#, 99).unwrap();
    let Beginning::After(before) = restored.beginning else {
        panic!("{:?}", restored.beginning)
    };
    assert_eq!(
        (before.id, before.watermark, before.is_closed),
        (first.series.id, Some(60), true)
    );
    assert_ne!(restored.series.id, before.id);
    assert_eq!(
        (restored.series.began, restored.series.watermark),
        (99, None)
    );
    assert_eq!(restored.sources, full().sources);
    assert_eq!(restored.ids, full().ids);
    assert_eq!((restored.groups.len(), restored.alert_states.len()), (0, 0));
    assert_eq!(
        panes_of(&state, before.id, 0),
        full().panes,
        "nothing of it is lost"
    );
    assert!(panes_of(&state, restored.series.id, 0).is_empty());
    drop(state);

    let (_, restored) = open(&path);
    assert!(
        matches!(restored.beginning, Beginning::After(_)),
        "rules that return begin a third one"
    );
    assert_eq!(restored.series.id.0, 3);
}

#[test]
fn a_second_run_is_refused_and_told_which_process_has_the_state() {
    let (folder, path) = place();
    let (state, _) = open(&path);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link] {
        let error = State::open(name, "rules 1", "{}", 0).unwrap_err();
        assert!(matches!(error, StateError::Busy { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains(&format!("(process {})", std::process::id())),
            "{error}"
        );
    }
    drop(state);
    open(&path);
    let other = folder.path().join("other");
    fs::hard_link(&path, &other).unwrap();
    let error = State::open(&other, "rules 1", "{}", 0).unwrap_err();
    assert!(
        matches!(error, StateError::Linked { names: 2, .. }),
        "{error}"
    );
}

#[test]
fn what_is_no_state_is_refused_and_stays_as_it_is() {
    let (_folder, path) = place();
    let refused = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        let error = State::open(&path, "rules 1", "{}", 0).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), content, "{error}");
        let told = StateReader::open(&path).unwrap_err();
        assert_eq!(told.to_string(), error.to_string());
        error
    };
    assert!(matches!(
        refused(b"id,text\n1,hello\n"),
        StateError::Foreign { .. }
    ));

    let sqlite = rusqlite::Connection::open_in_memory().unwrap();
    sqlite
        .execute_batch("CREATE TABLE person (name TEXT)")
        .unwrap();
    let (_other_folder, other) = place();
    sqlite
        .execute("VACUUM INTO ?1", [other.to_str().unwrap()])
        .unwrap();
    assert!(matches!(
        refused(&fs::read(&other).unwrap()),
        StateError::Foreign { .. }
    ));

    sqlite
        .execute_batch("PRAGMA application_id = 0x6d6f6f64; PRAGMA user_version = 1000")
        .unwrap();
    fs::remove_file(&other).unwrap();
    sqlite
        .execute("VACUUM INTO ?1", [other.to_str().unwrap()])
        .unwrap();
    let error = refused(&fs::read(&other).unwrap());
    assert!(
        matches!(error, StateError::Newer { found: 1000, .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_state_is_refused_and_stays_as_it_is() {
    let (_folder, path) = place();
    let (mut state, _) = open(&path);
    for second in 0..50 {
        let panes = (0..20)
            .map(|group| pane(second, group, &[7; 300]))
            .collect();
        state
            .commit(&Commit {
                panes,
                ..Commit::default()
            })
            .unwrap();
    }
    drop(state);
    let sound = fs::read(&path).unwrap();
    let mut cut = sound.clone();
    cut.truncate(sound.len() / 2);
    let mut blank = sound.clone();
    let middle = blank.len() / 8192 * 4096;
    blank[middle..middle + 4096].fill(0xa5);
    for damaged in [cut, blank] {
        fs::write(&path, &damaged).unwrap();
        let error = State::open(&path, "rules 1", "{}", 0).unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{error}");
        assert!(fs::read(&path).unwrap() == damaged, "{error}");
    }
}

#[test]
fn a_log_without_its_state_is_not_poured_into_a_new_one() {
    let (folder, path) = place();
    fs::write(folder.path().join("state.db-wal"), b"frames").unwrap();
    let error = State::open(&path, "rules 1", "{}", 0).unwrap_err();
    assert!(matches!(error, StateError::Orphan { .. }), "{error}");
    assert!(!path.exists());
}

#[test]
fn names_that_are_no_files_are_refused() {
    let (folder, path) = place();
    let failed = |path: &Path| {
        State::open(path, "rules 1", "{}", 0)
            .unwrap_err()
            .to_string()
    };
    assert!(failed(folder.path()).contains("is a folder"));
    assert!(failed(Path::new("/dev/null")).contains("is a device"));
    assert!(failed(&path.join("below")).contains("there is no folder"));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    assert!(failed(&link).contains("leads nowhere"));
    assert!(matches!(
        StateReader::open(&path),
        Err(StateError::Missing { .. })
    ));
    fs::write(&path, b"").unwrap();
    open(&path);
    assert!(
        StateReader::open(&path).is_ok(),
        "an empty file becomes a state"
    );
}

#[test]
fn a_state_that_is_moved_away_is_noticed_at_the_next_commit() {
    let (folder, path) = place();
    let (mut state, _) = open(&path);
    fs::rename(&path, folder.path().join("moved")).unwrap();
    let error = state.commit(&full()).unwrap_err();
    assert!(matches!(error, StateError::Replaced { .. }), "{error}");
}

#[test]
fn a_reader_beside_a_writer_sees_one_commit() {
    let (_folder, path) = place();
    let (mut state, restored) = open(&path);
    state.commit(&full()).unwrap();
    let reader = StateReader::open(&path).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let more = Commit {
        watermark: Some(90),
        panes: vec![pane(9, 0, b"new")],
        ..Commit::default()
    };
    state.commit(&more).unwrap();

    let series = restored.series.id;
    let panes = |snapshot: &moodring_store::state::Snapshot<'_>, which| {
        let mut panes = Vec::new();
        snapshot
            .panes(series, 1, &(0..100), which, |pane| panes.push(pane))
            .unwrap();
        panes
    };
    assert_eq!(panes(&snapshot, Which::All), full().panes);
    assert_eq!(snapshot.all_series().unwrap()[0].watermark, Some(60));
    assert_eq!(snapshot.sources().unwrap(), full().sources);
    assert_eq!(snapshot.groups(series).unwrap(), full().groups);
    assert_eq!(panes(&snapshot, Which::Dimension(1)), full().panes[1..2]);
    assert_eq!(
        panes(&snapshot, Which::Group(0)),
        [pane(0, 0, b"cell a"), pane(3, 0, b"cell c")]
    );
    let alerts = snapshot.alerts(&(0..100), 10).unwrap();
    assert_eq!(alerts[0].alert, full().alerts[0]);
    let gaps = snapshot.gaps().unwrap();
    assert_eq!((&gaps[0].gap, gaps[0].count), (&full().gaps[0], 1));
    assert_eq!(snapshot.files().unwrap(), full().files);
    let extent = snapshot.extents(series).unwrap()[0];
    assert_eq!((extent.factor, extent.first, extent.last), (1, 0, 3));
    drop(snapshot);
    assert_eq!(panes(&reader.snapshot().unwrap(), Which::All).len(), 4);
}

#[test]
fn an_alert_is_due_until_it_is_delivered_or_given_up() {
    let (_folder, path) = place();
    let (mut state, _) = open(&path);
    let mut commit = full();
    commit.alerts.push(AlertRow {
        at: 61,
        is_due: false,
        ..commit.alerts[0].clone()
    });
    commit.alerts.push(AlertRow {
        at: 62,
        ..commit.alerts[0].clone()
    });
    state.commit(&commit).unwrap();

    let due = |state: &State, now| {
        state
            .due_alerts(now, 10)
            .unwrap()
            .iter()
            .map(|it| it.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(&state, 0), [1, 3]);
    state
        .attempted(
            1,
            Attempt::Retry {
                next: 50,
                why: "refused",
            },
        )
        .unwrap();
    assert_eq!(due(&state, 49), [3]);
    assert_eq!(due(&state, 50), [3, 1]);
    let expected = Delivery::Due {
        attempts: 1,
        next: 50,
        why: Some("refused".to_owned()),
    };
    assert_eq!(state.due_alerts(50, 10).unwrap()[1].delivery, expected);
    state.attempted(1, Attempt::Delivered).unwrap();
    state
        .attempted(3, Attempt::GivenUp { why: "gone" })
        .unwrap();
    assert!(due(&state, i64::MAX).is_empty());

    let reader = StateReader::open(&path).unwrap();
    let alerts = reader.snapshot().unwrap().alerts(&(0..100), 10).unwrap();
    let deliveries: Vec<_> = alerts.into_iter().map(|it| it.delivery).collect();
    assert_eq!(
        deliveries,
        [
            Delivery::Delivered,
            Delivery::None,
            Delivery::GivenUp {
                why: "gone".to_owned()
            }
        ]
    );
}

#[test]
fn panes_are_rolled_up_whole_or_not_at_all() {
    let (_folder, path) = place();
    let (mut state, restored) = open(&path);
    let series = restored.series.id;
    let panes = (0..12).map(|it| pane(it, 0, b"narrow")).collect();
    state
        .commit(&Commit {
            panes,
            ..Commit::default()
        })
        .unwrap();
    let wide = |pane| PaneRow {
        factor: 6,
        pane,
        group: 0,
        cell: b"wide".to_vec(),
    };

    state.replace_panes(series, 1, &(0..6), &[wide(0)]).unwrap();
    let error = state
        .replace_panes(series, 1, &(6..12), &[wide(1), wide(0)])
        .unwrap_err();
    assert!(matches!(error, StateError::PaneTaken { .. }), "{error}");
    let extents = state.extents(series).unwrap();
    let extents: Vec<_> = extents
        .iter()
        .map(|it| (it.factor, it.first, it.last))
        .collect();
    assert_eq!(extents, [(1, 6, 11), (6, 0, 0)]);

    assert_eq!(
        state.trim_panes(series, 1, 9, 2).unwrap(),
        2,
        "no more than was asked for"
    );
    assert_eq!(state.trim_panes(series, 1, 9, 2).unwrap(), 1);
    assert_eq!(panes_of(&state, series, 0).len(), 3);
}

#[test]
fn a_closed_series_goes_with_its_last_pane() {
    let (_folder, path) = place();
    let (mut state, first) = open(&path);
    state.commit(&full()).unwrap();
    drop(state);
    let (mut state, _) = State::open(&path, "rules 2", "{}", 0).unwrap();
    assert_eq!(state.trim_series().unwrap(), 0);
    state.trim_panes(first.series.id, 1, i64::MAX, 100).unwrap();
    assert_eq!(state.trim_series().unwrap(), 1);
    assert_eq!(
        state.all_series().unwrap().len(),
        1,
        "the present one stays"
    );
    assert_eq!(state.trim_events(61, 100).unwrap(), 2, "an alert and a gap");
}

#[test]
fn what_was_erased_is_in_none_of_the_files() {
    let (folder, path) = place();
    let (mut state, restored) = open(&path);
    let series = restored.series.id;
    let secret = b"what nobody should find any more";
    let panes = (0..200).map(|it| pane(it, 0, secret)).collect();
    state
        .commit(&Commit {
            panes,
            ..Commit::default()
        })
        .unwrap();
    let new: Vec<PaneRow> = (0..200).map(|it| pane(it, 0, b"-")).collect();
    state.replace_panes(series, 1, &(0..200), &new).unwrap();
    assert!(state.purge_log().unwrap());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|it| it == secret));
    }
    assert_eq!(panes_of(&state, series, 0), new);
}

#[test]
fn a_state_shrinks_when_old_panes_go() {
    let (_folder, path) = place();
    let (mut state, restored) = open(&path);
    let panes = (0..2000).map(|it| pane(it, 0, &[1; 500])).collect();
    state
        .commit(&Commit {
            panes,
            ..Commit::default()
        })
        .unwrap();
    state.purge_log().unwrap();
    let before = fs::metadata(&path).unwrap().len();
    state
        .trim_panes(restored.series.id, 1, 1900, 10_000)
        .unwrap();
    let left = state.shrink(50).unwrap();
    assert!(left > 0, "in bounded steps");
    while state.shrink(50).unwrap() > 0 {}
    state.purge_log().unwrap();
    let after = fs::metadata(&path).unwrap().len();
    assert!(after < before / 5, "{before} bytes, then {after}");
}

#[test]
fn the_last_ids_are_kept_in_a_bounded_file() {
    let (_folder, path) = place();
    let (mut state, _) = open(&path);
    state.keep_ids(100_000);
    let mut sizes = Vec::new();
    for round in 0..60_u64 {
        let ids = (0..20_000).map(|it| round * 20_000 + it).collect();
        state
            .commit(&Commit {
                ids: vec![("a".to_owned(), ids)],
                ..Commit::default()
            })
            .unwrap();
        sizes.push(fs::metadata(&path).unwrap().len());
    }
    drop(state);
    let (_, restored) = open(&path);
    let ids = &restored.ids[0].1;
    assert!((100_000..120_000).contains(&ids.len()), "{}", ids.len());
    assert!(
        ids.iter()
            .copied()
            .eq(1_200_000 - ids.len() as u64..1_200_000)
    );
    let (early, late) = (sizes[20], sizes[59]);
    assert!(late <= early + early / 2, "{sizes:?}");
}

#[test]
fn gaps_beyond_the_limit_become_one() {
    let (_folder, path) = place();
    let (mut state, _) = open(&path);
    let gap = |at| GapRow {
        source: "a".to_owned(),
        from: at,
        to: at + 1,
        why: format!("gap {at}"),
    };
    state
        .commit(&Commit {
            gaps: (0..1500).map(gap).collect(),
            ..Commit::default()
        })
        .unwrap();
    let reader = StateReader::open(&path).unwrap();
    let gaps = reader.snapshot().unwrap().gaps().unwrap();
    assert_eq!(gaps.len(), 1000);
    assert_eq!(
        (gaps[0].gap.from, gaps[0].gap.to, gaps[0].count),
        (0, 501, 501)
    );
    assert_eq!(gaps.iter().map(|it| it.count).sum::<u64>(), 1500);
}

/// Copies the files of a state as a run that is killed would leave them.
fn copy_of_killed(path: &Path, folder: &Path, suffixes: &[&str]) -> PathBuf {
    let copy = folder.join("killed.db");
    for suffix in suffixes {
        let [from, to] = [path, &copy].map(|it| format!("{}{suffix}", it.display()));
        fs::copy(from, to).unwrap();
    }
    copy
}

/// Does something as a user who may read the folder and the files in it, and write neither.
fn without_permission_to_write<T: Send>(folder: &Path, work: impl FnOnce() -> T + Send) -> T {
    for entry in fs::read_dir(folder).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
    let done = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if rustix::process::geteuid().is_root() {
                // Of this thread alone.
                rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65534)).unwrap();
            }
            work()
        });
        thread.join().unwrap()
    });
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    done
}

#[test]
fn what_a_killed_run_committed_is_there_for_readers_and_the_next_run() {
    let (folder, path) = place();
    let (mut state, _) = open(&path);
    state.commit(&full()).unwrap();
    let copy = copy_of_killed(&path, folder.path(), &["", "-wal"]);
    let reader = StateReader::open(&copy).unwrap();
    assert_eq!(
        reader.snapshot().unwrap().sources().unwrap(),
        full().sources
    );
    let (state, restored) = open(&copy);
    assert_eq!(restored.sources, full().sources);
    assert_eq!(panes_of(&state, state.series(), 0), full().panes);
}

#[test]
fn a_state_can_be_read_in_a_folder_that_cannot_be_written() {
    let (folder, path) = place();
    let (mut state, _) = open(&path);
    state.commit(&full()).unwrap();
    let sources = |path: &Path| StateReader::open(path).and_then(|it| it.snapshot()?.sources());

    let (killed_folder, _) = place();
    let killed = copy_of_killed(&path, killed_folder.path(), &["", "-wal", "-shm"]);
    let read = without_permission_to_write(killed_folder.path(), || sources(&killed));
    assert_eq!(
        read.unwrap(),
        full().sources,
        "left by a run that was killed"
    );

    fs::remove_file(killed_folder.path().join("killed.db-shm")).unwrap();
    let error = without_permission_to_write(killed_folder.path(), || sources(&killed)).unwrap_err();
    assert!(matches!(error, StateError::Unclosed { .. }), "{error}");

    drop(state);
    let read = without_permission_to_write(folder.path(), || sources(&path));
    assert_eq!(read.unwrap(), full().sources, "closed");
    let opened =
        without_permission_to_write(folder.path(), || State::open(&path, "rules 1", "{}", 0));
    let error = opened.unwrap_err();
    assert!(matches!(error, StateError::ReadOnly { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("make the file and its folder writable"),
        "{error}"
    );
}

/// What a state should hold, in plain collections.
#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    watermark: Option<i64>,
    sources: BTreeMap<String, SourceRow>,
    panes: BTreeMap<(i64, u32), Vec<u8>>,
    ids: BTreeMap<String, Vec<u64>>,
    files: BTreeMap<Vec<u8>, u64>,
}

impl Model {
    fn commit(&mut self, commit: &Commit) {
        self.watermark = self.watermark.max(commit.watermark);
        for source in &commit.sources {
            self.sources.insert(source.name.clone(), source.clone());
        }
        for pane in &commit.panes {
            self.panes
                .insert((pane.pane, pane.group), pane.cell.clone());
        }
        for (scope, ids) in &commit.ids {
            self.ids.entry(scope.clone()).or_default().extend(ids);
        }
        for file in &commit.files {
            self.files.insert(file.path.clone(), file.len);
        }
    }
}

const KEEP_IDS: usize = 3000;

fn commits() -> impl Strategy<Value = Commit> {
    let name = || prop::sample::select(vec!["a", "b", "c"]);
    (
        prop::option::of(-5..100_i64),
        prop::collection::vec((name(), prop::collection::vec(any::<u8>(), 0..9)), 0..3),
        prop::collection::vec(
            (
                -3..9_i64,
                0..4_u32,
                prop::collection::vec(any::<u8>(), 0..2000),
            ),
            0..9,
        ),
        prop::collection::vec((name(), 0..2000_usize), 0..3),
        prop::collection::vec((name(), any::<u64>()), 0..3),
    )
        .prop_map(|(watermark, sources, panes, ids, files)| Commit {
            watermark,
            sources: sources
                .into_iter()
                .map(|(name, position)| source(name, &position))
                .collect(),
            panes: panes
                .into_iter()
                .map(|(at, group, cell)| pane(at, group, &cell))
                .collect(),
            ids: ids
                .into_iter()
                .map(|(scope, n)| (scope.to_owned(), (0..n as u64).collect()))
                .collect(),
            files: files
                .into_iter()
                .map(|(path, len)| FileRow {
                    role: "out".to_owned(),
                    path: path.into(),
                    len,
                })
                .collect(),
            ..Commit::default()
        })
}

/// Opens the state and compares it with the model.
fn reopen(path: &Path, model: &Model) -> State {
    let (state, restored) = open(path);
    let panes = panes_of(&state, state.series(), i64::MIN);
    let found = Model {
        watermark: restored.series.watermark,
        sources: restored
            .sources
            .into_iter()
            .map(|it| (it.name.clone(), it))
            .collect(),
        panes: panes
            .into_iter()
            .map(|it| ((it.pane, it.group), it.cell))
            .collect(),
        ids: restored.ids.into_iter().collect(),
        files: restored
            .files
            .into_iter()
            .map(|it| (it.path, it.len))
            .collect(),
    };
    let mut expected = model.clone();
    expected.ids.retain(|_, ids| !ids.is_empty());
    for (scope, all) in &mut expected.ids {
        // More than are to be kept may be there, but they are the last ones.
        let kept = found.ids.get(scope).map_or(0, Vec::len);
        assert!(
            kept >= all.len().min(KEEP_IDS) && kept < KEEP_IDS + 3100,
            "{kept}"
        );
        all.drain(..all.len() - kept);
    }
    assert_eq!(found, expected);
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_state_holds_what_was_committed_whenever_it_is_opened_again(
        steps in prop::collection::vec((commits(), any::<bool>()), 1..12),
    ) {
        let (_folder, path) = place();
        let mut model = Model::default();
        let mut state = open(&path).0;
        for (commit, opens_again) in steps {
            state.keep_ids(KEEP_IDS);
            state.commit(&commit).unwrap();
            model.commit(&commit);
            if opens_again {
                drop(state);
                state = reopen(&path, &model);
            }
        }
        drop(state);
        reopen(&path, &model);
    }
}
