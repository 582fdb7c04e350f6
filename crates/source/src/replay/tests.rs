//! Recordings that are played.

use std::fs;
use std::time::Duration;

use moodring_record::Format;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::testing::{Recorder, style};

struct Show {
    folder: TempDir,
    recorder: Recorder,
    options: Options,
    limits: Limits,
}

impl Show {
    fn new(format: Format, content: &str) -> Show {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts");
        fs::write(&path, content).unwrap();
        Show {
            options: Options {
                path,
                name: "posts".to_owned(),
                compression: Compression::None,
                style: style(format),
                zone: TimeZone::UTC,
                speed: Speed::Max,
                in_file_order: false,
                scratch: folder.path().to_owned(),
            },
            folder,
            recorder: Recorder::default(),
            limits: Limits::default(),
        }
    }

    /// Plays from the last position that was delivered.
    fn play(&self) -> Halt {
        let source = ReplaySource {
            options: self.options.clone(),
            clock: Box::new(self.recorder.clone()),
            limits: self.limits,
        };
        let from = self
            .recorder
            .lock()
            .segments
            .last()
            .and_then(|last| last.position.clone());
        source
            .play(from.as_ref(), &self.recorder)
            .unwrap_or_else(|halt| halt)
    }

    fn rewrite(&self, content: &str) {
        fs::write(self.folder.path().join("posts"), content).unwrap();
    }
}

fn post(second: u32, text: &str) -> String {
    format!(
        "{{\"text\":\"{text}\",\"time\":{}}}\n",
        1_700_000_000 + second
    )
}

#[test]
fn posts_are_played_in_the_order_of_their_times() {
    let show = Show::new(
        Format::Jsonl,
        &[post(2, "c"), post(1, "a"), post(2, "d"), post(1, "b")].concat(),
    );
    assert_eq!(show.play(), Halt::Ended);
    let texts: Vec<_> = show
        .recorder
        .records()
        .iter()
        .map(|record| record[9..10].to_owned())
        .collect();
    assert_eq!(texts, ["a", "b", "c", "d"]);
}

#[test]
fn posts_are_played_in_the_order_of_the_file_where_that_is_asked_for() {
    let content = [post(2, "c"), post(1, "a")].concat();
    let mut show = Show::new(Format::Jsonl, &content);
    show.options.in_file_order = true;
    assert_eq!(show.play(), Halt::Ended);
    assert_eq!(show.recorder.records(), content.lines().collect::<Vec<_>>());
}

#[test]
fn a_recording_is_played_at_a_multiple_of_its_own_pace() {
    let mut show = Show::new(
        Format::Jsonl,
        &[post(0, "a"), post(0, "b"), post(120, "c"), post(60, "d")].concat(),
    );
    show.options.speed = Speed::Times(60.0);
    assert_eq!(show.play(), Halt::Ended);
    let recorded = show.recorder.lock();
    assert_eq!(recorded.waited, Duration::from_secs(2));
    let records: Vec<_> = recorded
        .segments
        .iter()
        .map(|segment| segment.records)
        .collect();
    assert_eq!(records, [2, 1, 1]);
    let since = |segment: usize| {
        recorded.segments[segment]
            .arrival
            .since(recorded.segments[0].arrival)
    };
    assert_eq!(
        (since(1), since(2)),
        (Duration::from_secs(1), Duration::from_secs(2))
    );
}

#[test]
fn a_recording_that_has_changed_is_not_played_on() {
    let show = Show::new(Format::Jsonl, &post(1, "a"));
    assert_eq!(show.play(), Halt::Ended);
    show.rewrite(&[post(1, "a"), post(2, "b")].concat());
    let halt = show.play();
    assert!(
        matches!(&halt, Halt::Stopped(why) if why.contains("not as it was")),
        "{halt:?}"
    );
    assert_eq!(show.recorder.records().len(), 1);
}

#[test]
fn other_options_do_not_play_on_from_a_position() {
    let mut show = Show::new(Format::Jsonl, &post(1, "a"));
    assert_eq!(show.play(), Halt::Ended);
    show.options.in_file_order = true;
    let halt = show.play();
    assert!(
        matches!(&halt, Halt::Stopped(why) if why.contains("options")),
        "{halt:?}"
    );
}

#[test]
fn a_reject_keeps_its_place_in_the_file() {
    let lines = [
        post(3, "c"),
        "{broken\n".to_owned(),
        post(1, "a"),
        "{\"text\":\"when\"}\n".to_owned(),
        post(2, "b"),
    ];
    let content = lines.concat();
    let show = Show::new(Format::Jsonl, &content);
    assert_eq!(show.play(), Halt::Ended);
    let recorded = show.recorder.lock();
    let mut found = 0;
    for segment in &recorded.segments {
        for reject in ["{broken", "when"] {
            let Some(at) = memchr::memmem::find(&segment.bytes, reject.as_bytes()) else {
                continue;
            };
            let place = usize::try_from(segment.offset).unwrap() + at;
            assert_eq!(&content[place..place + reject.len()], reject);
            found += 1;
        }
    }
    assert_eq!(found, 2);
}

#[test]
fn a_last_line_without_an_end_may_be_played_first() {
    let show = Show::new(Format::Csv, "text,time\nb,2000-01-02\na,2000-01-01");
    assert_eq!(show.play(), Halt::Ended);
    assert_eq!(show.recorder.records(), ["a,2000-01-01", "b,2000-01-02"]);
}

#[test]
fn a_record_beyond_the_limit_is_played_as_one_reject() {
    let long = "x".repeat(200);
    let mut show = Show::new(
        Format::Jsonl,
        &[post(2, "b"), post(1, &long), post(1, "a")].concat(),
    );
    show.options.style.reading.max_record = 100;
    assert_eq!(show.play(), Halt::Ended);
    let recorded = show.recorder.lock();
    let errors: Vec<_> = recorded
        .segments
        .iter()
        .flat_map(|segment| &segment.framing_errors)
        .collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].offset, post(2, "b").len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_replay_that_is_stopped_anywhere_plays_each_record_once_in_a_stable_order(
        posts in prop::collection::vec((0_u32..6, 0_u32..5, 0_usize..2000), 1..60),
        memory in 200_usize..5000,
        stops in prop::collection::vec(1_usize..4, 0..5),
        speed in prop_oneof![Just(Speed::Max), Just(Speed::Times(1.0))],
    ) {
        let mut last = 0;
        let mut expected = Vec::new();
        let mut content = String::new();
        for (number, (second, kind, len)) in posts.into_iter().enumerate() {
            let text = format!("{number} {}", "x".repeat(len));
            let record = match kind {
                0 => format!("{{\"text\":\"{text}\"}}\n"),
                1 => format!("{{broken {text}\n"),
                _ => { last = 1 + second; post(second, &text) }
            };
            content += &record;
            expected.push((last, record.trim_end_matches('\n').to_owned()));
        }
        expected.sort_by_key(|(second, _)| *second);
        let expected: Vec<_> = expected.into_iter().map(|(_, record)| record).collect();

        let mut show = Show::new(Format::Jsonl, &content);
        show.limits = Limits { memory, fan_in: 3 };
        show.options.speed = speed;
        for stop in stops {
            show.recorder.change(|recorded| recorded.closes_after = Some(stop));
            show.play();
        }
        show.recorder.change(|recorded| recorded.closes_after = None);
        prop_assert_eq!(show.play(), Halt::Ended);
        prop_assert_eq!(show.recorder.records(), expected);
    }
}
