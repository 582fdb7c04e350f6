//! The job of a live run, without a pool.

use std::borrow::Cow;

use moodring_pool::ShardId;
use moodring_pool::black_box::Recorder;
use moodring_record::{FieldNames, Format, Layout, Quoting};
use moodring_window::{Class, Timestamp};

use super::*;
use crate::message::{GroupBy, RowRules, TextRules};
use crate::model::Model;

fn setup() -> LiveSetup {
    LiveSetup {
        models: vec![Model::read("vader", false).unwrap()],
        texts: TextRules::default(),
        rows: RowRules {
            group_by: vec![GroupBy::Source, GroupBy::Tag],
            time_zone: "UTC".to_owned(),
            keeps_texts: true,
            sources: vec!["push".to_owned(), "file".to_owned()],
        },
        rendering: None,
    }
}

fn layout() -> Layout {
    let names = FieldNames {
        text: "text".to_owned(),
        id: Some("id".to_owned()),
        time: Some("time".to_owned()),
        ..FieldNames::default()
    };
    Layout::detect(Format::Jsonl, Quoting::Auto, &names, &[], b"", true).unwrap()
}

const ARRIVAL: i64 = 1_800_000_000_000_000;

fn segment(source: u32, is_live: bool, bytes: &str) -> LiveSegment<'_> {
    LiveSegment {
        source,
        is_live,
        arrival: Timestamp::from_micros(ARRIVAL),
        offset: 1000,
        layout: 0,
        bytes: bytes.as_bytes(),
        framing_errors: Cow::Borrowed(&[]),
    }
}

/// The encoded report of a block of these segments.
fn report(setup: LiveSetup, segments: Vec<LiveSegment<'_>>) -> Vec<u8> {
    report_of(setup, layout(), segments, |work| work)
}

fn report_of(
    setup: LiveSetup,
    layout: Layout,
    segments: Vec<LiveSegment<'_>>,
    part: impl Fn(Work<'_>) -> Work<'_>,
) -> Vec<u8> {
    let mut job = LiveJob::<NoObserver>::set_up(setup).unwrap();
    let task = LiveTask {
        layouts: vec![Cow::Owned(layout)],
        segments,
    };
    let task = wire::encode(&task).unwrap();
    let recorder = Recorder::new();
    let work = part(Work::whole(ShardId(0), &task, &recorder));
    let mut report = Vec::new();
    job.prepare(&work, &mut report).unwrap();
    report
}

#[test]
fn segments_of_all_sources_become_rows_in_their_order() {
    let report = report(
        setup(),
        vec![
            segment(
                1,
                true,
                "{\"text\":\"great #A #a\",\"id\":7}\n{\"text\":\"a table\",\"id\":\"\"}\n",
            ),
            segment(
                0,
                true,
                "{\"text\":\"awful\",\"time\":\"2027-01-15T08:00:59.5Z\"}\n",
            ),
        ],
    );
    let report: LiveReport<'_> = wire::decode(&report).unwrap();
    let rows = &report.rows;
    assert_eq!(rows.keys, [(0, "file"), (1, "a"), (1, ""), (0, "push")]);
    assert_eq!(rows.tags, ["a"]);
    assert_eq!(rows.refs, [0, 1, 0, 0, 2, 3, 2]);
    let ids: Vec<_> = rows.rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, [Some("7"), None, None]);
    let texts: Vec<_> = rows.rows.iter().map(|row| row.text).collect();
    assert_eq!(texts, ["great #A #a", "", "awful"]);
    let classes: Vec<_> = rows.rows.iter().map(|row| row.class).collect();
    assert_eq!(classes, [Class::Positive, Class::Neutral, Class::Negative]);
    let times: Vec<_> = rows.rows.iter().map(|row| row.time.as_micros()).collect();
    assert_eq!(times, [ARRIVAL, ARRIVAL, ARRIVAL + 59_500_000]);
    assert_eq!(rows.rows[0].score.millionths(), 624_900);
    let counts: Vec<_> = report.segments.iter().map(|counts| counts.rows).collect();
    assert_eq!(counts, [2, 1]);
}

#[test]
fn a_time_that_cannot_be_is_clamped_or_rejected() {
    let records = "{\"text\":\"good\",\"time\":\"2027-01-15T08:01:01Z\"}\n{\"text\":\"good\",\"time\":\"soon\"}\n{\"text\":\"good\"}\n";
    let report = report(
        setup(),
        vec![segment(0, true, records), segment(1, false, records)],
    );
    let report: LiveReport<'_> = wire::decode(&report).unwrap();
    let times: Vec<_> = report
        .rows
        .rows
        .iter()
        .map(|row| row.time.as_micros())
        .collect();
    assert_eq!(times, [ARRIVAL, ARRIVAL, ARRIVAL + 61_000_000]);
    let [live, recorded] = &report.segments[..] else {
        panic!("two segments");
    };
    assert_eq!((live.clamped, recorded.clamped), (1, 0));
    let reasons = |counts: &LiveCounts| -> Vec<_> {
        let rejects = counts.rejects.iter();
        rejects
            .map(|reject| (reject.offset, reject.reason.clone()))
            .collect()
    };
    let unreadable = (
        1046,
        "the time field: `soon` is no time; write RFC 3339 (2026-11-24T09:00:00Z), seconds since 1970, or Twitter's format".to_owned(),
    );
    let missing = (1076, "the time field is missing or empty".to_owned());
    assert_eq!(reasons(live), std::slice::from_ref(&unreadable));
    assert_eq!(reasons(recorded), [unreadable, missing]);
}

#[test]
fn a_quarantined_record_is_left_out_of_the_middle_of_a_block() {
    let segments = || {
        vec![
            segment(0, true, "{\"text\":\"a\"}\nno JSON\n"),
            segment(
                1,
                true,
                "{\"text\":\"b\"}\n\n{\"text\":\"c\"}\n{\"text\":\"d\"}\n",
            ),
            segment(0, true, "{\"text\":\"e\"}\n"),
        ]
    };
    // Items are numbered over the whole block, and an empty line is none.
    let report = report_of(setup(), layout(), segments(), |work| work.without(&[3]));
    let report: LiveReport<'_> = wire::decode(&report).unwrap();
    let counts: Vec<_> = report.segments.iter().map(|counts| counts.rows).collect();
    assert_eq!(counts, [1, 2, 1]);
    assert_eq!(report.segments[0].rejects.len(), 1);
    let [poison] = &report.segments[1].quarantined[..] else {
        panic!("one record is quarantined");
    };
    assert_eq!(
        (&*poison.raw, poison.offset),
        (&b"{\"text\":\"c\"}"[..], 1014)
    );

    for (item, expected) in [(0, [1, 0, 0]), (3, [0, 1, 0]), (5, [0, 0, 1]), (6, [0; 3])] {
        let report = report_of(setup(), layout(), segments(), |work| work.only(item));
        let report: LiveReport<'_> = wire::decode(&report).unwrap();
        let counts: Vec<_> = report.segments.iter().map(|counts| counts.rows).collect();
        assert_eq!(counts, expected, "{item}");
    }
}

#[test]
fn a_post_counts_once_in_each_of_its_groups() {
    let group_by = ["track", "lang", "field:place.tags", "field:n", "all"];
    let mut setup = setup();
    setup.rows.group_by = group_by.map(|name| name.parse().unwrap()).into();
    setup.texts.track = ["rust", "Fine Day"].map(str::to_owned).into();
    let names = FieldNames {
        text: "text".to_owned(),
        lang: Some("langs".to_owned()),
        extra: setup.rows.fields(),
        ..FieldNames::default()
    };
    let layout = Layout::detect(Format::Jsonl, Quoting::Auto, &names, &[], b"", true).unwrap();
    let records = concat!(
        "{\"text\":\"a fine day for #Rust\",\"langs\":[\"und\",\"en-GB\"],\"place\":{\"tags\":[\"x\",2,\"x\",null]},\"n\":1.50}\n",
        "{\"text\":\"Das ist wirklich nicht schlecht, rust\",\"place\":{\"tags\":[]},\"n\":null}\n",
        "{\"text\":\"nothing of that\",\"langs\":\"en\"}\n",
    );
    let report = report_of(setup, layout, vec![segment(0, true, records)], |work| work);
    let report: LiveReport<'_> = wire::decode(&report).unwrap();
    assert_eq!(report.segments[0].filtered, 1);
    let rows = &report.rows;
    let mut refs = rows.refs.iter();
    let groups = rows.rows.iter().map(|row| {
        let refs: Vec<_> = refs
            .by_ref()
            .take(usize::from(row.groups + row.tags))
            .collect();
        let groups = &refs[..usize::from(row.groups)];
        groups
            .iter()
            .map(|&&at| rows.keys[at as usize])
            .collect::<Vec<_>>()
    });
    let mut groups: Vec<_> = groups.collect();
    // The tag of the first row.
    assert_eq!(rows.tags, ["rust"]);
    let second = groups.pop().unwrap();
    assert_eq!(
        groups,
        [[
            (0, "rust"),
            (0, "Fine Day"),
            (1, "en"),
            (2, "x"),
            (2, "2"),
            (3, "1.50"),
            (4, "")
        ]]
    );
    assert_eq!(second, [(0, "rust"), (1, "de"), (2, ""), (3, ""), (4, "")]);
}

#[test]
fn texts_are_cleaned_for_the_models_and_shown_as_they_are() {
    let mut setup = setup();
    setup.texts.clean = moodring_text::Steps::ALL;
    setup.rows.group_by = vec![GroupBy::Tag];
    let mut models = Scorers::build(&setup.models).unwrap();
    let expected = models.score_first("great #Fun").unwrap();
    let records = "{\"text\":\"@hate gr<b>eat</b> &#35;Fun http://bad.com/#worst\"}\n";
    let report = report(setup, vec![segment(0, true, records)]);
    let report: LiveReport<'_> = wire::decode(&report).unwrap();
    assert_eq!(report.rows.tags, ["fun"]);
    let row = &report.rows.rows[0];
    assert_eq!(
        row.text,
        "@hate gr<b>eat</b> &#35;Fun http://bad.com/#worst"
    );
    let expected = moodring_window::Score::from_f64(expected);
    assert_eq!(Some(row.score), expected);
}

#[test]
fn scores_and_records_are_those_of_a_batch() {
    use moodring_codec::Compression;
    use moodring_record::{OutputStyle, ReadOptions};

    use crate::message::{Delivered, Report, ScoreSetup, Task, TaskContent};
    use crate::score_job::ScoreJob;

    let posts = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../samples/posts.jsonl"
    ));
    let style = OutputStyle::new(Format::Jsonl, ReadOptions::default(), []);
    let setup = LiveSetup {
        models: ["vader", "textblob"]
            .map(|name| Model::read(name, false).unwrap())
            .into(),
        rendering: Some(Rendering {
            prefix: "my_".to_owned(),
            style,
        }),
        ..setup()
    };
    let batch = ScoreSetup {
        models: setup.models.clone(),
        prefix: "my_".to_owned(),
        output: style,
        texts: setup.texts.clone(),
        rows: Some(setup.rows.clone()),
        compression: Compression::None,
        part: None,
    };
    let mut segment = segment(1, false, "");
    segment.bytes = posts;
    let live = report(setup, vec![segment]);
    let live: LiveReport<'_> = wire::decode(&live).unwrap();

    let task = Task {
        index: 0,
        source: 1,
        layout: layout(),
        stored: 0,
        content: TaskContent::Block {
            offset: 1000,
            bytes: posts,
        },
        framing_errors: Cow::Borrowed(&[]),
        skipped: 0,
    };
    let task = wire::encode(&task).unwrap();
    let recorder = Recorder::new();
    let mut scored = Vec::new();
    let work = Work::whole(ShardId(0), &task, &recorder);
    let mut job = ScoreJob::<NoObserver>::set_up(batch).unwrap();
    job.prepare(&work, &mut scored).unwrap();
    let scored: Report<'_> = wire::decode(&scored).unwrap();
    assert!(scored.records > 100);
    assert_eq!(scored.rows.as_ref(), Some(&live.rows));
    assert_eq!(scored.rejects, live.segments[0].rejects);
    let Delivered::Inline(output) = scored.output else {
        panic!("the records come with the report");
    };
    assert_eq!(output, live.rendered);
    assert_eq!(live.ends.len(), live.rows.rows.len());
    let ends = live.ends.iter().map(|&end| output[end as usize - 1]);
    assert!(ends.clone().all(|byte| byte == b'\n') && ends.count() as u64 == scored.records);
}
