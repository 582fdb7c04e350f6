//! The fold against a naive model: random sources, times, quiet, outages, corrections and restarts under a virtual clock.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use moodring_window::{
    Activity, Books, Cell, Class, Dimension, Fold, Grid, GroupId, GroupKey, Groups, Outcome,
    PaneIndex, Patience, Row, Rules, Sample, Scope, Score, SourceId, Tag, Timestamp, View,
    Watermarks, Window, WindowState, levels, roll_up,
};
use proptest::prelude::*;

const SLIDE: Duration = Duration::from_secs(10);
const CORRECTIONS: Duration = Duration::from_mins(1);
const MAX_TAGS: usize = 4;
const START: i64 = 1_800_000_000;

#[derive(Debug, Clone)]
enum Step {
    /// A post of a source, written this many seconds before or after the present.
    Post {
        source: u32,
        offset: i64,
        score: i32,
        id: Option<u64>,
        groups: Vec<u8>,
        tags: Vec<u8>,
    },
    /// Real time passes.
    Pass(u64),
    /// A source does something else.
    Become(u32, Activity),
    /// The process ends and another one starts with what was saved.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let post = (
        0..3_u32,
        prop_oneof![8 => -15..3_i64, 2 => -70..0_i64, 1 => -400..-60_i64],
        -1_000_000..=1_000_000_i32,
        prop::option::of(0..40_u64),
        prop::collection::hash_set(0..4_u8, 0..3),
        prop::collection::hash_set(0..8_u8, 0..3),
    );
    let post = post.prop_map(|(source, offset, score, id, groups, tags)| Step::Post {
        source,
        offset,
        score,
        id,
        groups: groups.into_iter().collect(),
        tags: tags.into_iter().collect(),
    });
    let activity = prop_oneof![
        Just(Activity::CatchingUp),
        Just(Activity::Live { pending: false }),
        Just(Activity::Live { pending: true }),
    ];
    let step = prop_oneof![
        20 => post,
        8 => (0..15_u64).prop_map(Step::Pass),
        1 => (100..400_u64).prop_map(Step::Pass),
        3 => (0..3_u32, activity).prop_map(|(source, activity)| Step::Become(source, activity)),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..150)
}

/// A post that was folded, and the watermark when it was.
#[derive(Debug, Clone)]
struct Folded {
    sample: Sample,
    groups: Vec<String>,
    watermark: Option<Timestamp>,
}

/// A stream under test, with all that the model remembers of it.
struct World {
    fold: Fold,
    now: Duration,
    folded: Vec<Folded>,
    seen: HashSet<(u32, u64)>,
    books: BTreeMap<u32, Books>,
    /// What has been saved, as text.
    cells: BTreeMap<(PaneIndex, String), String>,
    ids: BTreeMap<Scope, Vec<u64>>,
}

fn grid() -> Grid {
    Grid::utc(SLIDE).unwrap()
}

fn present(now: Duration) -> i64 {
    START * 1_000_000 + i64::try_from(now.as_micros()).unwrap()
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            fold: new_fold(None),
            now: Duration::ZERO,
            folded: Vec::new(),
            seen: HashSet::new(),
            books: BTreeMap::new(),
            cells: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        for source in 0..3 {
            let (id, scope) = (SourceId(source), Scope(source));
            world
                .fold
                .add_source(id, scope, Books::default(), None, Duration::ZERO);
        }
        world
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Post {
                source,
                offset,
                score,
                id,
                groups,
                tags,
            } => {
                let sample = Sample {
                    score: Score::from_f64(f64::from(*score) / 1e6).unwrap(),
                    time: Timestamp::from_micros(present(self.now) + offset * 1_000_000),
                    id: *id,
                    text_hash: 0,
                    text: None,
                };
                self.post(*source, &sample, groups, tags);
            }
            Step::Pass(seconds) => {
                self.now += Duration::from_secs(*seconds);
                let before = self.fold.watermarks().current();
                assert!(self.fold.advance(self.now) >= before, "it went back");
            }
            Step::Become(source, activity) => {
                let marks = self.fold.watermarks_mut();
                marks.set_activity(SourceId(*source), *activity, self.now);
                self.fold.advance(self.now);
            }
            Step::Restart => self.restart(),
        }
    }

    fn post(&mut self, source: u32, sample: &Sample, groups: &[u8], tags: &[u8]) {
        let watermark = self.fold.watermarks().current();
        let names: Vec<String> = groups.iter().map(u8::to_string).collect();
        let ids: Vec<_> = names
            .iter()
            .map(|name| self.fold.groups().group(Dimension(0), name))
            .collect();
        let tags: Vec<_> = tags.iter().map(|tag| Tag::new(&tag.to_string())).collect();
        let row = Row {
            source: SourceId(source),
            sample,
            text: "",
            class: Class::of(f64::from(sample.score.millionths()) / 1e6),
            groups: &ids,
            tags: &tags,
        };
        let outcome = self.fold.fold(&row, self.now);
        assert_eq!(outcome, self.expected(source, sample, watermark));
        self.books.entry(source).or_default().count(outcome);
        if matches!(outcome, Outcome::OnTime | Outcome::Corrected) {
            self.folded.push(Folded {
                sample: sample.clone(),
                groups: names,
                watermark,
            });
        }
    }

    fn expected(&mut self, source: u32, sample: &Sample, watermark: Option<Timestamp>) -> Outcome {
        if let Some(id) = sample.id
            && !self.seen.insert((source, id))
        {
            return Outcome::Duplicate;
        }
        let width = 10_000_000;
        let end = (sample.time.as_micros().div_euclid(width) + 1) * width;
        match watermark.map(Timestamp::as_micros) {
            Some(mark) if mark >= end + 60_000_000 => Outcome::Late,
            Some(mark) if mark >= end => Outcome::Corrected,
            _ => Outcome::OnTime,
        }
    }

    fn save(&mut self) {
        for (pane, group) in self.fold.take_dirty() {
            let name = name(&mut self.fold, group);
            let cell = self.fold.cell(pane, group).unwrap();
            let text = serde_json::to_string(cell).unwrap();
            self.cells.insert((pane, name), text);
        }
        for (scope, ids) in self.fold.take_new_ids() {
            self.ids.entry(scope).or_default().extend(ids);
        }
    }

    fn restart(&mut self) {
        self.save();
        self.fold.drop_expired();
        let mut fold = new_fold(self.fold.watermarks().current());
        self.now += Duration::from_secs(1);
        for source in 0..3 {
            let id = SourceId(source);
            let greatest = self.fold.watermarks().greatest(id);
            let books = self.fold.books(id).unwrap();
            fold.add_source(id, Scope(source), books, greatest, self.now);
        }
        for (scope, ids) in &self.ids {
            fold.restore_ids(*scope, ids);
        }
        for ((pane, name), text) in &self.cells {
            let group = fold.groups().group(Dimension(0), name);
            if self
                .fold
                .cells(self.fold.clone().groups().group(Dimension(0), name))
                .any(|(it, _)| it == *pane)
            {
                fold.restore_cell(*pane, group, serde_json::from_str(text).unwrap());
            }
        }
        self.fold = fold;
    }

    /// All that was ever saved of a group, in the order of time.
    fn saved(&self, group: &str) -> Vec<(PaneIndex, Cell)> {
        let cells = self.cells.iter().filter(|((_, name), _)| name == group);
        cells
            .map(|((pane, _), text)| (*pane, serde_json::from_str(text).unwrap()))
            .collect()
    }
}

fn new_fold(watermark: Option<Timestamp>) -> Fold {
    let rules = Rules {
        grid: grid(),
        length: 3,
        corrections: CORRECTIONS,
        max_tags: MAX_TAGS,
        max_ids: 1000,
    };
    let watermarks = Watermarks::new(Patience::default(), watermark);
    Fold::new(rules, Groups::new(100), watermarks)
}

fn name(fold: &mut Fold, group: GroupId) -> String {
    match fold.groups().name(group) {
        Some((_, GroupKey::Value(name))) => Arc::clone(name).to_string(),
        other => panic!("{other:?}"),
    }
}

/// What a window should be, worked out from the posts one by one.
fn check_window(window: &Window, group: &str, folded: &[Folded], last_final: Option<PaneIndex>) {
    let (start, end) = (window.first * 10_000_000, (window.last + 1) * 10_000_000);
    let posts = folded.iter().filter(|post| {
        let time = post.sample.time.as_micros();
        start <= time && time < end && post.groups.iter().any(|it| it == group)
    });
    let posts: Vec<_> = posts.collect();
    let scores: Vec<i128> = posts
        .iter()
        .map(|post| i128::from(post.sample.score.millionths()))
        .collect();
    assert_eq!(window.aggregate.count(), scores.len() as u64);
    assert_eq!(window.aggregate.sum_millionths(), scores.iter().sum());
    let top = posts.iter().map(|post| post.sample.score).max();
    let positive = window.aggregate.extremes().positive().first();
    assert_eq!(
        positive.map(|sample| sample.score),
        top.filter(|score| *score > Score::ZERO)
    );
    let is_final = last_final.is_some_and(|last| window.last <= last);
    let after = posts
        .iter()
        .filter(|post| post.watermark.is_some_and(|mark| mark.as_micros() >= end));
    let revision = if is_final { after.count() as u64 } else { 0 };
    assert_eq!(window.revision, revision);
    let state = match (is_final, revision) {
        (false, _) => WindowState::Provisional,
        (true, 0) => WindowState::Final,
        (true, _) => WindowState::Corrected,
    };
    assert_eq!(window.state, state);
}

fn check(world: &mut World) {
    world.save();
    for (source, books) in &world.books {
        let counted = world.fold.books(SourceId(*source)).unwrap();
        assert_eq!(counted, *books);
        assert!(counted.balance());
    }
    let last_final = world.fold.last_final();
    for group in (0..4).map(|group: u8| group.to_string()) {
        let cells = world.saved(&group);
        for (length, slide) in [(1, 1), (6, 6), (6, 1), (6, 2)] {
            let view = View::new(length, slide).unwrap();
            let windows = view.windows(
                cells.iter().map(|(pane, cell)| (*pane, cell)),
                last_final,
                MAX_TAGS,
            );
            for window in &windows {
                assert_eq!(window.first.rem_euclid(slide), 0);
                assert_eq!(window.last - window.first + 1, length);
                check_window(window, &group, &world.folded, last_final);
            }
            let total: u64 = windows.iter().map(|it| it.aggregate.count()).sum();
            let of_group = |post: &&Folded| post.groups.contains(&group);
            let posts = i64::try_from(world.folded.iter().filter(of_group).count()).unwrap();
            assert_eq!(i64::try_from(total).unwrap(), posts * (length / slide));
        }
    }
}

/// Wide panes give the windows that narrow ones give, as long as these are made of whole wide panes.
fn check_rolled_up(world: &World) {
    let last_final = world.fold.last_final();
    let factor = levels(SLIDE, CORRECTIONS)[0].factor;
    for group in (0..4).map(|group: u8| group.to_string()) {
        let cells = world.saved(&group);
        let wide = roll_up(cells.clone(), factor, MAX_TAGS);
        let at_first: Vec<_> = wide
            .iter()
            .map(|(pane, cell)| (pane * factor, cell.clone().in_narrower_panes(factor)))
            .collect();
        let back = View::new(2 * factor, factor).unwrap().windows(
            at_first.iter().map(|(pane, cell)| (*pane, cell)),
            last_final,
            MAX_TAGS,
        );
        let wide_final = last_final.map(|last| (last + 1).div_euclid(factor) - 1);
        let [wide, narrow] = [
            View::new(2, 1).unwrap().windows(
                wide.iter().map(|(pane, cell)| (*pane, cell)),
                wide_final,
                MAX_TAGS,
            ),
            View::new(2 * factor, factor).unwrap().windows(
                cells.iter().map(|(pane, cell)| (*pane, cell)),
                last_final,
                MAX_TAGS,
            ),
        ];
        assert_eq!(back, narrow, "as cells at the first of their panes");
        assert_eq!(wide.len(), narrow.len());
        for (wide, narrow) in wide.iter().zip(&narrow) {
            assert_eq!(wide.first * factor, narrow.first);
            assert_eq!(wide.aggregate, narrow.aggregate);
            assert_eq!((wide.state, wide.revision), (narrow.state, narrow.revision));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_post_is_counted_once_and_every_window_closes(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            let dropped = world.fold.last_final();
            prop_assert!(dropped >= world.fold.take_final().map(|panes| *panes.end()));
        }
        check(&mut world);
        check_rolled_up(&world);
        for source in 0..3 {
            let marks = world.fold.watermarks_mut();
            marks.set_activity(SourceId(source), Activity::Ended, world.now);
        }
        world.fold.advance(world.now);
        let latest = world.folded.iter().filter(|post| !post.groups.is_empty()).map(|post| grid().pane_of(post.sample.time)).max();
        prop_assert!(world.fold.last_final() >= latest.map(|pane| pane + 2), "a window of three panes is open");
        check(&mut world);
        check_rolled_up(&world);
    }
}
