use std::collections::BTreeMap;
use std::time::Duration;

use moodring_store::state::{Commit, GroupRow, PaneRow, State, StateReader};
use moodring_window::{Cell, Class, Sample, Score, Timestamp, View, roll_up};
use proptest::prelude::*;

use super::{HistoryError, Owner, SeriesChoice, WindowQuery, WindowRow, windows};
use crate::encoding::encode_cell;
use crate::rules::{SeriesKind, SeriesRules};

const MINUTE: Duration = Duration::from_mins(1);
/// Panes of a minute; older ones are rolled up to five.
const FACTOR: i64 = 5;
const MAX_TAGS: usize = 10;

fn rules(slide_ms: u64) -> SeriesRules {
    SeriesRules {
        kind: SeriesKind {
            slide_ms,
            align: None,
            group_by: vec!["all".to_owned(), "tag".to_owned()],
            track: Vec::new(),
            models: vec!["vader".to_owned()],
            clean: Vec::new(),
            lang: Vec::new(),
            fields: [const { None }; 3],
        },
        window_ms: 120_000,
        corrections_ms: 0,
        max_tags: MAX_TAGS,
    }
}

fn cell(scores: &[i32]) -> Cell {
    let mut cell = Cell::default();
    for (at, &score) in (0..).zip(scores) {
        let score = f64::from(score) / 1000.0;
        let sample = Sample {
            score: Score::from_f64(score).unwrap(),
            time: Timestamp::from_micros(at),
            id: None,
            text_hash: 0,
            text: None,
        };
        cell.aggregate.add(&sample, Class::of(score), &[], MAX_TAGS);
    }
    cell
}

/// A state with the panes of one group, of which those before `rolled` are rolled up.
struct Saved {
    folder: tempfile::TempDir,
    state: State,
}

fn save(cells: &BTreeMap<i64, Cell>, rolled: i64, watermark: i64) -> Saved {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let rules = rules(60_000);
    let (fingerprint, json) = (rules.fingerprint().unwrap(), rules.to_json().unwrap());
    let (mut state, _) = State::open(&path, &fingerprint, &json, 0).unwrap();
    let pane = |factor, (pane, cell): (i64, Cell)| PaneRow {
        factor,
        pane,
        group: 3,
        cell: encode_cell(&cell).unwrap(),
    };
    let old = cells
        .range(..rolled)
        .map(|(pane, cell)| (*pane, cell.clone()));
    let wide = roll_up(old, FACTOR, MAX_TAGS).into_iter();
    let young = cells.range(rolled..).map(|(at, cell)| (*at, cell.clone()));
    let commit = Commit {
        watermark: Some(watermark * 60_000_000),
        groups: vec![GroupRow {
            id: 3,
            dimension: 1,
            value: Some("rust".to_owned()),
        }],
        panes: wide
            .map(|it| pane(FACTOR, it))
            .chain(young.map(|it| pane(1, it)))
            .collect(),
        ..Commit::default()
    };
    state.commit(&commit).unwrap();
    Saved { folder, state }
}

impl Saved {
    fn ask(&self, query: &WindowQuery) -> Result<Vec<WindowRow>, HistoryError> {
        let reader = StateReader::open(self.state.path())?;
        let mut rows = Vec::new();
        windows(&reader.snapshot()?, query, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }
}

fn tags() -> WindowQuery {
    WindowQuery {
        group_by: Some("tag".to_owned()),
        ..WindowQuery::default()
    }
}

fn minutes(minutes: i64) -> Timestamp {
    Timestamp::from_micros(minutes * 60_000_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn rolled_up_panes_give_the_windows_that_the_narrow_ones_gave(
        scores in prop::collection::btree_map(-30..40_i64, prop::collection::vec(-900..900_i32, 1..4), 0..30),
        rolled in -4..6_i64,
        watermark in -30..45_i64,
        times in 1..4_u32,
        from in prop::option::of(-30..30_i64),
        to in prop::option::of(-30..30_i64),
    ) {
        let cells: BTreeMap<_, _> = scores.iter().map(|(pane, scores)| (*pane, cell(scores))).collect();
        let saved = save(&cells, rolled * FACTOR, watermark);
        let length = i64::from(times) * FACTOR;
        let query = WindowQuery {
            window: Some(MINUTE * times * 5),
            slide: Some(MINUTE * 5),
            from: from.map(minutes),
            to: to.map(minutes),
            ..tags()
        };
        let view = View::new(length, FACTOR).unwrap();
        let rules = rules(60_000);
        let grid = rules.grid().unwrap();
        let key = moodring_window::GroupKey::Value("rust".into());
        let owner = Owner { series: Some(1), group_by: "tag", group: &key };
        let all = view.windows(cells.iter().map(|(pane, cell)| (*pane, cell)), Some(watermark - 1), MAX_TAGS);
        let is_asked = |first: i64| {
            from.is_none_or(|from| from <= first) && to.is_none_or(|to| first < to)
        };
        let expected: Vec<_> = all
            .iter()
            .filter(|window| is_asked(window.first))
            .filter_map(|window| WindowRow::new(&owner, &grid, window))
            .collect();
        prop_assert_eq!(saved.ask(&query).unwrap(), expected);
    }
}

#[test]
fn windows_finer_than_what_is_left_are_refused_and_the_width_is_named() {
    let cells = (0..20).map(|pane| (pane, cell(&[500]))).collect();
    let saved = save(&cells, 10, 20);
    let ask = |from: Option<i64>, window: Option<Duration>| {
        saved.ask(&WindowQuery {
            from: from.map(minutes),
            window,
            ..tags()
        })
    };
    let refused = ask(Some(3), None).unwrap_err().to_string();
    assert!(refused.contains("panes of 5m"), "{refused}");
    assert!(refused.contains("--from 1970-01-01T00:10:00Z"), "{refused}");
    assert!(ask(None, Some(MINUTE)).is_err());
    assert_eq!(ask(Some(10), Some(MINUTE)).unwrap().len(), 10);
    assert_eq!(ask(None, Some(MINUTE * 10)).unwrap().len(), 2);
    // Without a word about time, what can be shown is shown.
    let shown = ask(None, None).unwrap();
    assert_eq!(shown.first().map(|row| row.start), Some(minutes(10)));
}

#[test]
fn open_windows_of_a_series_that_another_followed_are_final_and_partial() {
    let cells = (0..4).map(|pane| (pane, cell(&[500]))).collect();
    let saved = save(&cells, 0, 2);
    let path = saved.state.path().to_owned();
    let Saved { folder, state } = saved;
    drop(state);
    let other = rules(30_000);
    let (fingerprint, json) = (other.fingerprint().unwrap(), other.to_json().unwrap());
    let (state, _) = State::open(&path, &fingerprint, &json, 0).unwrap();
    let saved = Saved { folder, state };
    assert!(saved.folder.path().exists());
    assert_eq!(
        saved.ask(&tags()).unwrap(),
        [],
        "the newest series is empty"
    );
    let query = WindowQuery {
        series: SeriesChoice::One(1),
        window: Some(MINUTE),
        ..tags()
    };
    let rows = saved.ask(&query).unwrap();
    let partial: Vec<_> = rows.iter().map(|row| row.partial).collect();
    assert_eq!(partial, [false, false, true, true]);
    assert!(
        rows.iter()
            .all(|row| row.state == moodring_window::WindowState::Final)
    );
}

#[test]
fn what_there_is_not_is_named_with_what_there_is() {
    let saved = save(&BTreeMap::new(), 0, 2);
    let told = |query: WindowQuery| saved.ask(&query).unwrap_err().to_string();
    let other = WindowQuery {
        group_by: Some("lang".to_owned()),
        ..WindowQuery::default()
    };
    assert_eq!(
        told(other),
        "series 1 is not grouped by `lang`, but by `all`, `tag`"
    );
    let seventh = WindowQuery {
        series: SeriesChoice::One(7),
        ..WindowQuery::default()
    };
    assert_eq!(told(seventh), "there is no series 7; there are 1");
    let odd = WindowQuery {
        window: Some(Duration::from_secs(90)),
        ..tags()
    };
    let told = told(odd);
    assert!(
        told.contains("window of 90s is not a multiple of 1m"),
        "{told}"
    );
}
