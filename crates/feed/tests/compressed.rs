//! Compressed sources as other programs make them: several members or frames, padding, frames that hold no data.

mod compress;

use std::fs;
use std::process::Command;

use moodring_feed::{Feed, FeedError, FeedOptions, ShardContent, expand};
use moodring_record::{FieldNames, Format, ReadOptions};
use proptest::prelude::*;

use compress::{gzip, zstd};

/// A frame that decoders pass over (RFC 8878, 3.1.2): a magic number from 0x184D2A50 to 0x184D2A5F, a length, and that many bytes.
fn skippable(kind: u8, len: usize) -> Vec<u8> {
    let magic = (0x184D_2A50 + u32::from(kind)).to_le_bytes();
    let length = u32::try_from(len).unwrap().to_le_bytes();
    [&magic[..], &length, &vec![b'x'; len]].concat()
}

fn feed_of(path: &std::path::Path, format: Option<Format>) -> Feed {
    let options = FeedOptions {
        shard_size: 1 << 20,
        block_size: 1 << 20,
        reading: ReadOptions::default(),
        fields: FieldNames {
            text: "text".into(),
            ..FieldNames::default()
        },
        added: Vec::new(),
        replace: false,
        columns: None,
        all_fields: false,
    };
    Feed::new(expand(&[path.into()], format).unwrap().inputs, options)
}

fn all_bytes(feed: &mut Feed) -> Result<Vec<u8>, FeedError> {
    let mut all = Vec::new();
    while let Some(shard) = feed.next_shard()? {
        match shard.content {
            ShardContent::Block { bytes, .. } => all.extend(bytes),
            ShardContent::Range { .. } => panic!("a compressed file was cut"),
        }
    }
    Ok(all)
}

/// What a file of this name and content holds.
fn read(name: &str, bytes: &[u8]) -> Result<Vec<u8>, FeedError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    all_bytes(&mut feed_of(&path, None))
}

/// What a pipe of text holds, of which nobody said how it is compressed.
fn read_pipe(bytes: Vec<u8>) -> Result<Vec<u8>, FeedError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, bytes)
    });
    let all = all_bytes(&mut feed_of(&path, Some(Format::Text)));
    let _ = writer.join().unwrap();
    all
}

#[test]
fn zeros_after_a_gzip_member_are_padding() {
    let (one, two) = (gzip(b"one\n"), gzip(b"two\n"));
    for zeros in [1, 7, 511, 300_000] {
        let padding = vec![0; zeros];
        let padded = [&one[..], &two, &padding].concat();
        assert_eq!(read("a.txt.gz", &padded).unwrap(), b"one\ntwo\n", "{zeros}");
        let between = [&one[..], &padding, &two].concat();
        assert_eq!(
            read("a.txt.gz", &between).unwrap(),
            b"one\ntwo\n",
            "{zeros}"
        );
    }
}

#[test]
fn anything_else_after_a_gzip_member_is_an_error() {
    let member = gzip(b"one\n");
    for rest in [&b"\n"[..], b"garbage", b"\0\0x", b"\x1f", b"\x1f\x8b\x08"] {
        let error = read("a.txt.gz", &[&member, rest].concat()).unwrap_err();
        assert!(!error.is_usage());
        let is_loud = matches!(
            error,
            FeedError::Corrupt { .. } | FeedError::Truncated { .. }
        );
        assert!(is_loud, "{rest:?}: {error}");
    }
    let error = read("a.txt.gz", &[&member[..], b"garbage"].concat()).unwrap_err();
    assert!(error.to_string().contains("no gzip member"), "{error}");
    assert!(
        read("a.txt.gz", &[0; 64]).is_err(),
        "padding alone is no gzip data"
    );
}

#[test]
fn zstd_frames_that_hold_no_data_are_passed_over() {
    let (one, two) = (zstd(b"one\n"), zstd(b"two\n"));
    let whole = [
        skippable(0, 0),
        skippable(15, 300_000),
        one,
        skippable(7, 9),
        zstd(b""),
        two,
        skippable(3, 1),
    ]
    .concat();
    assert_eq!(read("a.txt.zst", &whole).unwrap(), b"one\ntwo\n");
    assert_eq!(read_pipe(whole).unwrap(), b"one\ntwo\n");
    assert_eq!(read("a.txt.zst", &skippable(1, 5)).unwrap(), b"");
}

#[test]
fn a_zstd_stream_that_ends_within_a_frame_is_cut_short() {
    let head = skippable(4, 20);
    let whole = [&head[..], &zstd(&b"what a day\n".repeat(1000))].concat();
    for len in [6, 15, head.len() + 3, head.len() + 20, whole.len() - 1] {
        let error = read("a.txt.zst", &whole[..len]).unwrap_err();
        assert!(
            matches!(error, FeedError::Truncated { .. }),
            "{len}: {error}"
        );
    }
}

proptest! {
    #[test]
    fn members_and_frames_are_read_whatever_stands_between_them(
        pieces in prop::collection::vec(("[a-z\n]{0,40}", 0_usize..5), 1..6),
    ) {
        let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let gz: Vec<u8> = pieces.iter().flat_map(|(text, gap)| [gzip(text.as_bytes()), vec![0; *gap]].concat()).collect();
        prop_assert_eq!(read("a.txt.gz", &gz).unwrap(), whole.as_bytes());
        let zst: Vec<u8> = pieces.iter().flat_map(|(text, gap)| [skippable(2, *gap), zstd(text.as_bytes())].concat()).collect();
        prop_assert_eq!(read("a.txt.zst", &zst).unwrap(), whole.as_bytes());
    }
}
