//! However inputs are stored and cut, their shards hold the records of the whole, once and in order.

mod compress;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use flate2::write::GzEncoder;
use moodring_feed::{
    Feed, FeedError, FeedOptions, Input, Origin, Position, Shard, ShardContent, SourceId, expand,
};
use moodring_record::{FieldNames, Format, FramingError, Layout, ReadOptions, Reader, SplitMode};
use proptest::prelude::*;

use compress::{gzip, zstd};

const BOM: &[u8] = b"\xef\xbb\xbf";

fn options(shard_size: u64, block_size: u64) -> FeedOptions {
    FeedOptions {
        shard_size,
        block_size,
        reading: ReadOptions::default(),
        fields: FieldNames {
            text: "text".into(),
            ..FieldNames::default()
        },
        added: Vec::new(),
        replace: false,
        columns: None,
        all_fields: false,
    }
}

/// Where a record begins in its source, and its bytes.
type Record = (u64, Vec<u8>);

fn records(layout: &Layout, offset: u64, bytes: &[u8]) -> Vec<Record> {
    records_with(layout, offset, bytes, &[])
}

fn records_with(
    layout: &Layout,
    offset: u64,
    bytes: &[u8],
    framing_errors: &[FramingError],
) -> Vec<Record> {
    let mut reader = Reader::of_shard(layout, bytes, offset, framing_errors);
    let mut records = Vec::new();
    while let Some(record) = reader.next_record() {
        let (location, raw) = match &record {
            Ok(post) => (post.location(), post.raw()),
            Err(malformed) => (malformed.location, malformed.raw),
        };
        records.push((offset + location.offset, raw.to_vec()));
    }
    records
}

/// The records of a range, read as a worker reads them: those that start in it, and the last one to its end.
fn read_range(
    input: &Input,
    layout: &Layout,
    (start, end): (u64, u64),
    framing_errors: &[FramingError],
) -> Vec<Record> {
    let Origin::File(path) = &input.origin else {
        panic!("a range of {}", input.name);
    };
    let whole = fs::read(path).unwrap();
    let line_start = |at: usize| match memchr::memchr(b'\n', &whole[at - 1..]) {
        Some(newline) => at + newline,
        None => whole.len(),
    };
    let (mut start, mut end) = (
        usize::try_from(start).unwrap(),
        usize::try_from(end).unwrap(),
    );
    if layout.split_mode() == SplitMode::Lines {
        if start as u64 > layout.body_start() {
            start = line_start(start);
        }
        end = line_start(end).max(start);
    }
    records_with(layout, start as u64, &whole[start..end], framing_errors)
}

fn shards(feed: &mut Feed) -> Vec<Shard> {
    std::iter::from_fn(|| feed.next_shard().unwrap()).collect()
}

fn records_of_shards(feed: &mut Feed) -> Vec<Record> {
    let mut all = Vec::new();
    for shard in shards(feed) {
        let layout = feed.layout(shard.source).unwrap();
        all.extend(match &shard.content {
            ShardContent::Range { start, end } => read_range(
                &feed.inputs()[shard.source.0 as usize],
                layout,
                (*start, *end),
                &shard.framing_errors,
            ),
            ShardContent::Block { offset, bytes } => {
                records_with(layout, *offset, bytes, &shard.framing_errors)
            }
        });
    }
    all
}

/// How a source is stored: the extension that says so, and the bytes, made of two members or frames.
fn stored(whole: &[u8], how: &str, middle: usize) -> Vec<u8> {
    let (one, two) = whole.split_at(middle);
    match how {
        "gz" => [gzip(one), gzip(two)].concat(),
        "zst" => [zstd(one), zstd(two)].concat(),
        _ => whole.to_vec(),
    }
}

/// Longer than the smallest even range.
fn long(words: &'static str) -> impl Strategy<Value = String> {
    (300_usize..600).prop_map(|times| words.repeat(times))
}

fn quoted() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[ a-z,\r\n\"]{0,40}", 1 => long("what\na day\n")]
        .prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")))
}

fn line(format: Format) -> BoxedStrategy<Vec<u8>> {
    let text = prop_oneof![
        8 => "[ a-zé\"',\t]{0,40}",
        1 => long("what a day "),
    ];
    match format {
        Format::Jsonl => text
            .prop_map(|text| format!("{{\"text\":\"{}\"}}", text.replace('"', "\\\"")))
            .boxed(),
        Format::Csv => prop_oneof![
            8 => ("[a-z]{0,5}", quoted()).prop_map(|(id, text)| format!("{id},{text}")),
            // Ragged, quoted in the wrong places, never closed: even what is malformed begins and ends somewhere.
            1 => "[ab,\" \n]{0,12}",
        ]
        .boxed(),
        Format::Tsv => text
            .prop_map(|text| format!("7\t{}", text.replace(['\t', '"'], " ")))
            .boxed(),
        Format::Text => text.boxed(),
    }
    .prop_map(String::into_bytes)
    .boxed()
}

/// A source in a format: with or without BOM, blank lines, CRLF and a last newline.
fn source() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let formats = [Format::Jsonl, Format::Csv, Format::Tsv, Format::Text];
    prop::sample::select(formats.to_vec()).prop_flat_map(|format| {
        let lines =
            prop::collection::vec(prop_oneof![8 => line(format), 1 => Just(Vec::new())], 0..20);
        let newline = prop::sample::select(&["\n", "\r\n"][..]);
        (lines, newline, any::<bool>(), any::<bool>()).prop_map(
            move |(mut lines, newline, bom, ended)| {
                match format {
                    Format::Csv => lines.insert(0, b"id,text".to_vec()),
                    Format::Tsv => lines.insert(0, b"id\ttext".to_vec()),
                    Format::Jsonl | Format::Text => {}
                }
                let mut whole = if bom { BOM.to_vec() } else { Vec::new() };
                whole.extend(lines.join(newline.as_bytes()));
                if ended {
                    whole.extend_from_slice(newline.as_bytes());
                }
                (format, whole)
            },
        )
    })
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![1_u64..5, 1_u64..10_000, Just(1 << 40), Just(u64::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn shards_hold_the_records_of_the_whole(
        (format, whole) in source(),
        how in prop::sample::select(&["", "gz", "zst"][..]),
        middle in any::<prop::sample::Index>(),
        (shard_size, block_size) in (size(), size()),
        checked in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("posts.{format}.{how}").trim_end_matches('.'));
        let bytes = stored(&whole, how, middle.index(whole.len() + 1));
        fs::write(&path, &bytes).unwrap();

        let inputs = expand(&[path.into()], None).unwrap().inputs;
        let options = options(shard_size, block_size);
        let layout = Layout::detect(format, options.reading, &options.fields, &[], &whole, true).unwrap();
        let mut feed = Feed::new(inputs, options);
        if checked {
            feed.check().unwrap();
        }

        let body = usize::try_from(layout.body_start()).unwrap();
        prop_assert_eq!(records_of_shards(&mut feed), records(&layout, body as u64, &whole[body..]));
    }

    #[test]
    fn a_file_is_used_up_to_its_last_byte((format, whole) in source(), shard_size in size(), gz in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let (how, bytes) = if gz { (".gz", gzip(&whole)) } else { ("", whole) };
        let path = folder.path().join(format!("posts.{format}{how}"));
        fs::write(&path, &bytes).unwrap();

        let mut feed = Feed::new(expand(&[path.into()], None).unwrap().inputs, options(shard_size, shard_size));
        let shards = shards(&mut feed);
        let stored: u64 = shards.iter().map(|shard| shard.stored).sum();
        prop_assert!(shards.is_empty() || stored == bytes.len() as u64);
    }
}

fn feed_of(path: &Path, shard_size: u64, block_size: u64) -> Feed {
    let inputs = expand(&[path.into()], None).unwrap().inputs;
    Feed::new(inputs, options(shard_size, block_size))
}

#[test]
fn an_empty_source_has_no_shards() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.jsonl", "a.csv", "a.tsv", "a.txt", "a.csv.zst"] {
        let path = folder.path().join(name);
        fs::write(&path, b"").unwrap();
        let mut feed = feed_of(&path, 1, 1);
        feed.check().unwrap();
        assert_eq!(shards(&mut feed), [], "{name}");
    }
    let path = folder.path().join("member.txt.gz");
    fs::write(&path, gzip(b"")).unwrap();
    assert_eq!(shards(&mut feed_of(&path, 1, 1)), []);
}

#[test]
fn sources_follow_one_another_and_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.txt"), b"one").unwrap();
    fs::write(folder.path().join("2.txt.gz"), gzip(b"two\n")).unwrap();
    fs::write(folder.path().join("3.jsonl"), b"").unwrap();
    fs::write(folder.path().join("4.txt"), b"four\n").unwrap();

    let told = shards(&mut feed_of(folder.path(), 1 << 20, 1 << 20));
    let sources: Vec<_> = told.iter().map(|shard| shard.source.0).collect();
    assert_eq!(sources, [0, 1, 3]);
}

#[test]
fn even_ranges_leave_the_file_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse.txt");
    let file = File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    file.write_at(b"a post\n", 0).unwrap();

    let mut feed = feed_of(&path, 1 << 38, 1);
    let starts: Vec<_> = shards(&mut feed)
        .into_iter()
        .map(|shard| shard.content)
        .collect();
    assert_eq!(starts.len(), 4);
    assert_eq!(
        starts[3],
        ShardContent::Range {
            start: 3 << 38,
            end: 4 << 38
        }
    );
}

#[test]
fn tiny_shards_hold_a_line_each_instead_of_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts.txt");
    fs::write(&path, b"one\ntwo\nthree").unwrap();
    assert_eq!(shards(&mut feed_of(&path, 1, 1)).len(), 3);
}

#[test]
fn a_line_longer_than_many_blocks_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts.txt.zst");
    let long = "long ".repeat(1_000_000);
    fs::write(&path, zstd(format!("short\n{long}\nshort\n").as_bytes())).unwrap();

    let sizes: Vec<_> = shards(&mut feed_of(&path, 1, 4096))
        .into_iter()
        .map(|shard| match shard.content {
            ShardContent::Block { bytes, .. } => bytes.len(),
            ShardContent::Range { .. } => 0,
        })
        .collect();
    assert_eq!(sizes, [6 + long.len() + 1, 6]);
}

#[test]
fn damaged_data_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let whole = "what a day\n".repeat(100_000);
    for (name, bytes) in [
        ("a.txt.gz", gzip(whole.as_bytes())),
        ("a.txt.zst", zstd(whole.as_bytes())),
    ] {
        let path = folder.path().join(name);

        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = drain(&mut feed_of(&path, 1 << 20, 1 << 16)).unwrap_err();
        assert!(matches!(error, FeedError::Truncated { .. }), "{error}");
        assert!(!error.is_usage());

        let mut broken = bytes.clone();
        let middle = broken.len() / 2;
        broken[middle..middle + 20].fill(0xff);
        fs::write(&path, &broken).unwrap();
        let error = drain(&mut feed_of(&path, 1 << 20, 1 << 16)).unwrap_err();
        assert!(matches!(error, FeedError::Corrupt { .. }), "{error}");

        fs::write(&path, b"plain text, whatever its name says").unwrap();
        let error = drain(&mut feed_of(&path, 1 << 20, 1 << 16)).unwrap_err();
        assert!(
            matches!(error, FeedError::Corrupt { offset: 0, .. }),
            "{error}"
        );
    }
}

fn drain(feed: &mut Feed) -> Result<(), FeedError> {
    while feed.next_shard()?.is_some() {}
    Ok(())
}

#[test]
fn a_file_that_shrinks_while_records_are_sought_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts.txt");
    fs::write(&path, "what a day\n".repeat(100_000)).unwrap();
    let mut feed = feed_of(&path, 1, 1);
    feed.next_shard().unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(300_000)
        .unwrap();
    let error = drain(&mut feed).unwrap_err();
    assert!(matches!(error, FeedError::Shrunk { .. }), "{error}");
}

#[test]
fn a_pipe_is_told_by_its_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let post = b"\n {\"text\":\"what a day\"}\n";
    for bytes in [post.to_vec(), gzip(post), zstd(post)] {
        let mut feed = pipe(&path, bytes);
        feed.check().unwrap();
        assert_eq!(feed.inputs()[0].format, Some(Format::Jsonl));
        let shards = shards(&mut feed);
        assert_eq!(
            shards[0].content,
            ShardContent::Block {
                offset: 0,
                bytes: post.to_vec()
            }
        );
    }
}

#[test]
fn a_pipe_without_objects_needs_a_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let error = pipe(&path, b"what a day\n".to_vec()).check().unwrap_err();
    assert!(matches!(error, FeedError::UnknownContent { .. }));
    assert!(error.is_usage());
}

#[test]
fn a_pipe_of_lines_is_not_waited_for_before_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    make_pipe(&path);
    let inputs = expand(&[path.clone().into()], Some(Format::Text))
        .unwrap()
        .inputs;
    let mut feed = Feed::new(inputs, options(1, 1));
    feed.check().unwrap();
    assert!(feed.layout(SourceId(0)).is_some());

    let writer = std::thread::spawn(move || fs::write(path, [BOM, b"a post"].concat()));
    let expected = ShardContent::Block {
        offset: 3,
        bytes: b"a post".to_vec(),
    };
    assert_eq!(shards(&mut feed)[0].content, expected);
    assert_eq!(feed.layout(SourceId(0)).unwrap().body_start(), 3);
    writer.join().unwrap().unwrap();
}

fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

/// A feed of a named pipe into which a thread writes `bytes`.
fn pipe(path: &Path, bytes: Vec<u8>) -> Feed {
    let _ = fs::remove_file(path);
    make_pipe(path);
    let feed = feed_of(path, 1 << 20, 1 << 20);
    let path = path.to_owned();
    std::thread::spawn(move || fs::write(path, bytes));
    feed
}

#[test]
fn a_feed_goes_on_behind_any_shard() {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "id,text\n".to_owned();
    let mut lines = String::new();
    for n in 0..900 {
        writeln!(csv, "{n},\"row\n{n}\"").unwrap();
        writeln!(lines, "{{\"text\":\"post {n}\"}}").unwrap();
    }
    fs::write(folder.path().join("a.csv"), &csv).unwrap();
    fs::write(folder.path().join("b.jsonl"), &lines).unwrap();
    for (name, content) in [("c.jsonl.gz", &lines), ("d.csv.gz", &csv)] {
        let file = File::create(folder.path().join(name)).unwrap();
        let mut gzip = GzEncoder::new(file, flate2::Compression::fast());
        gzip.write_all(content.as_bytes()).unwrap();
        gzip.finish().unwrap();
    }
    let feed = || {
        let inputs = expand(&[folder.path().into()], None).unwrap().inputs;
        let mut feed = Feed::new(inputs, options(5_000, 3_000));
        feed.check().unwrap();
        feed
    };
    let pieces = |shards: &[Shard]| -> Vec<_> {
        let piece = |shard: &Shard| (shard.source, shard.content.clone());
        shards.iter().map(piece).collect()
    };
    let all = shards(&mut feed());
    assert!(all.len() > 10);
    for done in 1..=all.len() {
        let last = &all[done - 1];
        let offset = last.skipped
            + match &last.content {
                ShardContent::Range { end, .. } => *end,
                ShardContent::Block { offset, bytes } => offset + bytes.len() as u64,
            };
        let mut rest = feed();
        rest.resume(Position {
            source: last.source,
            offset,
        });
        assert_eq!(
            pieces(&shards(&mut rest)),
            pieces(&all[done..]),
            "after {done}"
        );
    }
}
