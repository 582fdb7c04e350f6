//! How fast one core reads the records of a file, writes them with constant scores, and finds where to cut it.
//!
//! `cargo run --release -p moodring-record --example record_bench -- FILE FORMAT [OUTPUT-FORMAT]`

use std::hint::black_box;
use std::time::{Duration, Instant};

use moodring_record::{
    Boundary, FieldNames, Format, Framer, FramingError, HEAD_LEN, Layout, ModelColumns, Quoting,
    Reader, Renderer, ScoreColumn,
};

/// The best of so many runs counts: the others were disturbed.
const RUNS: usize = 9;
/// A small file is repeated to about this size, so that a run takes long enough to be timed.
const SIZE: usize = 64 << 20;
/// The shard size of the runs.
const SHARD: usize = 1 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args
        .next()
        .ok_or("usage: record_bench FILE FORMAT [OUTPUT-FORMAT]")?;
    let format: Format = args.next().ok_or("name the format of the file")?.parse()?;
    let output: Format = args.next().map_or(Ok(format), |name| name.parse())?;

    let source = std::fs::read(path)?;
    let models = [vader()];
    let names = FieldNames {
        text: "text".into(),
        ..FieldNames::default()
    };
    let head = &source[..source.len().min(HEAD_LEN)];
    let layout = Layout::detect(
        format,
        Quoting::Auto,
        &names,
        &moodring_record::added_names(output, &models),
        head,
        head.len() == source.len(),
    )?;
    let record = &source[usize::try_from(layout.body_start())?..];
    let body = record.repeat(SIZE.div_ceil(record.len().max(1)));
    println!("{:?}, {} bytes", layout.split_mode(), body.len());

    let cut = best(|| {
        let mut count = 0;
        cut(&layout, &body, |shard| {
            black_box(shard.framing_errors);
            count += 1;
        });
        count
    });
    report("cut", cut, &body);
    let mut shards = Vec::new();
    self::cut(&layout, &body, |shard| shards.push(shard));
    let read = best(|| shards.iter().map(|shard| read(&layout, shard)).sum());
    report("read", read, &body);
    let renderer = Renderer::new(output, &layout, &models);
    let mut out = Vec::new();
    let write = best(|| {
        shards
            .iter()
            .map(|shard| write(&layout, &renderer, shard, &mut out))
            .sum()
    });
    report("read and write", write, &body);
    Ok(())
}

fn vader() -> ModelColumns {
    let column = |name: &str, decimals| ScoreColumn {
        name: name.into(),
        decimals: Some(decimals),
    };
    ModelColumns {
        model: "vader".into(),
        prefix: String::new(),
        scores: vec![
            column("neg", 3),
            column("neu", 3),
            column("pos", 3),
            column("compound", 4),
        ],
    }
}

/// What a worker gets.
struct Shard<'b> {
    bytes: &'b [u8],
    offset: u64,
    framing_errors: Vec<FramingError>,
}

/// Cuts a body, and gives its shards to `each`.
fn cut<'b>(layout: &Layout, mut body: &'b [u8], mut each: impl FnMut(Shard<'b>)) {
    let mut framer = Framer::new(layout, 0);
    let mut offset = 0;
    while let Boundary::End(end @ 1..) = framer.next(body, true, SHARD) {
        let (bytes, rest) = body.split_at(end);
        framer.discard(end);
        each(Shard {
            bytes,
            offset,
            framing_errors: framer.take_errors(),
        });
        offset += end as u64;
        body = rest;
    }
}

fn reader<'a>(layout: &'a Layout, shard: &'a Shard<'_>) -> Reader<'a> {
    Reader::of_shard(layout, shard.bytes, shard.offset, &shard.framing_errors)
}

fn read(layout: &Layout, shard: &Shard<'_>) -> usize {
    let mut reader = reader(layout, shard);
    let mut records = 0;
    while let Some(record) = reader.next_record() {
        if let Ok(post) = record {
            black_box(post.text());
        }
        records += 1;
    }
    records
}

fn write(layout: &Layout, renderer: &Renderer, shard: &Shard<'_>, out: &mut Vec<u8>) -> usize {
    let mut reader = reader(layout, shard);
    let mut records = 0;
    out.clear();
    while let Some(record) = reader.next_record() {
        if let Ok(post) = record {
            renderer.write(
                out,
                &post,
                black_box(&[0.0, 0.323, 0.677, 0.6369]),
                "positive",
            );
        }
        records += 1;
    }
    black_box(&out);
    records
}

/// The count that `run` returns, and its shortest time.
fn best(mut run: impl FnMut() -> usize) -> (usize, Duration) {
    let mut shortest = Duration::MAX;
    let mut count = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        count = run();
        shortest = shortest.min(start.elapsed());
    }
    (count, shortest)
}

#[expect(clippy::cast_precision_loss, reason = "numbers for people")]
fn report(what: &str, (count, time): (usize, Duration), body: &[u8]) {
    let seconds = time.as_secs_f64();
    println!(
        "{what:>14}: {count} in {:.1} ms, {:.0} a second, {:.1} ns each, {:.0} MB/s",
        seconds * 1e3,
        count as f64 / seconds,
        seconds * 1e9 / count as f64,
        body.len() as f64 / 1e6 / seconds,
    );
}
