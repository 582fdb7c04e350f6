//! What a worker of a live run spends on a post: `cargo run --release -p moodring-job --example live_bench POSTS.jsonl`.
//!
//! Each line adds a part to the one before it. The last one is all that a worker does to a block, with decoding the task and
//! encoding the report.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use moodring_job::{
    GroupBy, LiveJob, LiveSegment, LiveSetup, LiveTask, Model, RowRules, Setup, TextRules,
};
use moodring_pool::black_box::Recorder;
use moodring_pool::{Job, ShardId, Work, wire};
use moodring_record::{FieldNames, Format, Layout, Quoting, Reader};
use moodring_text::{Cleaner, Steps};
use moodring_window::Timestamp;

/// The limits of a block, as a live run cuts it.
const MAX_BYTES: usize = 256 << 10;
const MAX_POSTS: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("which file of posts")?;
    let posts = std::fs::read(path)?;
    let names = FieldNames {
        text: "text".to_owned(),
        id: Some("id".to_owned()),
        ..FieldNames::default()
    };
    let layout = Layout::detect(Format::Jsonl, Quoting::Auto, &names, &[], b"", true)?;
    let blocks = blocks(&posts);
    let count = parse(&layout, &blocks, |_| {});
    println!("{count} posts in {} blocks", blocks.len());

    let best = |mut work: Box<dyn FnMut() + '_>| {
        let took = (0..5).map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        });
        took.min().unwrap_or(Duration::ZERO)
    };
    let show = |part: &str, took: Duration| {
        let nanos = took.as_nanos() / u128::from(count.max(1));
        println!("{part:<24} {nanos:>6} ns a post");
    };
    show(
        "parse",
        best(Box::new(|| {
            parse(&layout, &blocks, |text| {
                black_box(text);
            });
        })),
    );
    let cleaner = Cleaner::new(Steps::ALL);
    show(
        "parse, clean",
        best(Box::new(|| {
            parse(&layout, &blocks, |text| {
                let readable = cleaner.readable(text);
                black_box(cleaner.neutral(&readable));
            });
        })),
    );
    for (name, clean, group_by) in [
        ("all, not cleaned", Steps::NONE, vec![GroupBy::All]),
        ("all, cleaned", Steps::ALL, vec![GroupBy::All]),
        (
            "all, by tag, cleaned",
            Steps::ALL,
            vec![GroupBy::All, GroupBy::Tag],
        ),
    ] {
        let setup = setup(clean, group_by)?;
        let mut job = LiveJob::<moodring_job::NoObserver>::start(&setup)?;
        let tasks = tasks(&layout, &blocks)?;
        let recorder = Recorder::new();
        let mut report = Vec::new();
        show(
            name,
            best(Box::new(|| {
                for task in &tasks {
                    report.clear();
                    let work = Work::whole(ShardId(0), task, &recorder);
                    if let Err(error) = job.prepare(&work, &mut report) {
                        println!("{error}");
                    }
                }
            })),
        );
    }
    Ok(())
}

/// Cuts posts into blocks of whole lines.
fn blocks(posts: &[u8]) -> Vec<&[u8]> {
    let (mut blocks, mut start, mut at, mut lines) = (Vec::new(), 0, 0, 0);
    for line in posts.split_inclusive(|&byte| byte == b'\n') {
        if lines == MAX_POSTS || at + line.len() - start > MAX_BYTES {
            blocks.push(&posts[start..at]);
            (start, lines) = (at, 0);
        }
        at += line.len();
        lines += 1;
    }
    blocks.push(&posts[start..]);
    blocks
}

/// Parses all posts, and returns how many there are.
fn parse(layout: &Layout, blocks: &[&[u8]], mut each: impl FnMut(&str)) -> u64 {
    let mut count = 0;
    for block in blocks {
        let mut reader = Reader::new(layout, block);
        while let Some(record) = reader.next_record() {
            if let Ok(post) = record {
                each(post.text());
                count += 1;
            }
        }
    }
    count
}

fn setup(clean: Steps, group_by: Vec<GroupBy>) -> Result<Vec<u8>, Box<dyn Error>> {
    let setup = Setup::Live(LiveSetup {
        models: vec![Model::read("vader", false)?],
        texts: TextRules {
            clean,
            ..TextRules::default()
        },
        rows: RowRules {
            group_by,
            time_zone: "UTC".to_owned(),
            keeps_texts: true,
            sources: vec!["file".to_owned()],
        },
        rendering: None,
    });
    Ok(wire::encode(&setup)?)
}

fn tasks(layout: &Layout, blocks: &[&[u8]]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let task = |bytes: &&[u8]| {
        let segment = LiveSegment {
            source: 0,
            is_live: true,
            arrival: Timestamp::from_micros(1_800_000_000_000_000),
            offset: 0,
            layout: 0,
            bytes,
            framing_errors: Cow::Borrowed(&[]),
        };
        Ok(wire::encode(&LiveTask {
            layouts: vec![Cow::Borrowed(layout)],
            segments: vec![segment],
        })?)
    };
    blocks.iter().map(task).collect()
}
