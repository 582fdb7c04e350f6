//! What people type.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use moodring_fuzz::Fuzz;
use moodring_record::{Delimiter, FieldNames, Format, Quoting, ReadOptions};
use moodring_window::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::replay::Speed;

fn parse(typed: &str) -> Result<Spec, String> {
    Spec::parse(OsStr::new(typed)).map_err(|error| error.to_string())
}

fn error(typed: &str) -> String {
    match parse(typed) {
        Err(error) => error,
        Ok(spec) => panic!("{typed}: {spec:?}"),
    }
}

fn defaults() -> Defaults {
    Defaults {
        format: None,
        reading: ReadOptions::default(),
        fields: FieldNames {
            text: "text".to_owned(),
            id: Some("id".to_owned()),
            ..FieldNames::default()
        },
        time_zone: TimeZone::UTC,
        scratch: PathBuf::from("/tmp"),
    }
}

#[test]
fn each_kind_is_understood() {
    let place = |typed| parse(typed).unwrap().place().clone();
    let file = |follow| Place::File {
        path: "a/b.csv".into(),
        follow,
    };
    assert_eq!(place("stdin:"), Place::Stdin);
    assert_eq!(place("file:a/b.csv"), file(true));
    assert_eq!(place("file:a/b.csv?follow=no"), file(false));
    assert_eq!(
        place("replay:x.csv?speed=60"),
        Place::Replay {
            path: "x.csv".into(),
            speed: Speed::Times(60.0),
            in_file_order: false
        }
    );
    assert_eq!(
        place("replay:x.csv?speed=max&order=file"),
        Place::Replay {
            path: "x.csv".into(),
            speed: Speed::Max,
            in_file_order: true
        }
    );
    assert_eq!(
        place("demo:?rate=7&seed=9"),
        Place::Demo { rate: 7, seed: 9 }
    );
    let Place::Push(push) = place("push:[::1]:80?token-file=t&allow-host=a,b&max-body=2M") else {
        panic!()
    };
    assert_eq!(push.address.to_string(), "[::1]:80");
    assert_eq!(push.token_file.as_deref(), Some(Path::new("t")));
    assert_eq!(push.names, ["a", "b"]);
    assert_eq!(push.max_body, 2 << 20);
    let Place::Push(push) = place("push:") else {
        panic!()
    };
    assert_eq!(push.address.to_string(), "127.0.0.1:8089");
}

#[test]
fn examples_of_the_kinds_are_understood() {
    for kind in KINDS {
        let spec = parse(kind.example).unwrap();
        assert!(spec.name().starts_with(kind.name), "{}", spec.name());
    }
}

#[test]
fn a_source_is_called_by_its_kind_and_address_unless_it_has_a_name() {
    let name = |typed| parse(typed).unwrap().name().to_owned();
    assert_eq!(name("file:a.csv?follow=no"), "file:a.csv");
    assert_eq!(name("demo:?rate=5"), "demo:");
    assert_eq!(name("file:a.csv?name=mine"), "mine");
    assert_eq!(name("push:?name=a%26b"), "a&b");
}

#[test]
fn options_say_what_the_defaults_do_not() {
    let typed = "file:a?format=csv&text-field=body&time-field=at&quoting=none&delimiter=;&max-record=4K\
                 &time-zone=Europe/Berlin&lang-field=l&dedupe=k";
    let spec = parse(typed).unwrap();
    let settings = spec.settings(&defaults());
    assert_eq!(settings.format, Some(Format::Csv));
    assert_eq!(settings.fields.text, "body");
    assert_eq!(settings.fields.time.as_deref(), Some("at"));
    assert_eq!(settings.fields.id.as_deref(), Some("id"));
    assert_eq!(settings.reading.quoting, Quoting::None);
    assert_eq!(settings.reading.delimiter.map(Delimiter::byte), Some(b';'));
    assert_eq!(settings.reading.max_record, 4096);
    assert_eq!(settings.time_zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!((spec.lang_field(), spec.dedupe()), (Some("l"), Some("k")));
}

#[test]
fn a_path_may_hold_anything_but_a_question_mark() {
    let path = |typed: &[u8]| match Spec::parse(OsStr::from_bytes(typed))
        .unwrap()
        .place()
        .clone()
    {
        Place::File { path, .. } => path,
        other => panic!("{other:?}"),
    };
    let bytes = |path: PathBuf| path.as_os_str().as_bytes().to_owned();
    assert_eq!(
        bytes(path(b"file:/a b/100%/%20/c&d=e:f\xff?follow=no")),
        b"/a b/100%/%20/c&d=e:f\xff"
    );
    assert_eq!(bytes(path(b"file:what%3f%3F.csv")), b"what??.csv");
    assert_eq!(bytes(path(b"file:a%253F")), b"a%3F");
}

proptest! {
    #[test]
    fn any_path_can_be_written(path in prop::collection::vec(1_u8..=255, 1..30)) {
        let mut typed = b"file:".to_vec();
        for (at, byte) in path.iter().enumerate() {
            match byte {
                b'?' => typed.extend(b"%3F"),
                b'%' if path[at..].starts_with(b"%25") || path[at..].starts_with(b"%3") => typed.extend(b"%25"),
                byte => typed.push(*byte),
            }
        }
        let spec = Spec::parse(OsStr::from_bytes(&typed)).unwrap();
        let Place::File { path: found, .. } = spec.place() else { panic!() };
        prop_assert_eq!(found.as_os_str().as_bytes(), &path[..]);
    }
}

#[test]
fn a_mistake_is_answered_with_what_there_is() {
    for (typed, parts) in [
        (
            "posts.jsonl",
            &["names no kind", "\"file:posts.jsonl\"", "demo:"][..],
        ),
        ("/a:b", &["names no kind"]),
        (
            "files:a",
            &[
                "no kind of source \"files:\"",
                "did you mean \"file\"?",
                "stdin:",
            ],
        ),
        ("file:", &["\"file:\" needs a path"]),
        (
            "file:a?folow=no",
            &[
                "no option \"folow\"",
                "did you mean \"follow\"?",
                "text-field",
            ],
        ),
        (
            "demo:?text-field=a",
            &["\"demo:\" takes no option \"text-field\""],
        ),
        ("file:a?speed=1", &["\"file:\" takes no option \"speed\""]),
        ("file:a?follow=maybe", &["follow=\"maybe\"", "yes or no"]),
        ("file:a?follow=", &["follow=\"\"", "follow=yes|no"]),
        ("file:a?follow", &["follow=yes|no"]),
        (
            "file:a?follow=no&follow=no",
            &["follow= of \"file:\" is given twice"],
        ),
        (
            "file:a?format=xml",
            &["format=\"xml\"", "jsonl, csv, tsv, text"],
        ),
        (
            "file:a?time-zone=Mars",
            &["time-zone=\"Mars\"", "Europe/Berlin"],
        ),
        ("file:a?max-record=1G", &["max-record=\"1G\"", "256M"]),
        ("file:a?compression=rar", &["gzip or zstd"]),
        (
            "file:a?name=a%0ab",
            &["name=\"a\\x0Ab\"", "no control characters"],
        ),
        ("file:a?name=%ff", &["name=", "not UTF-8"]),
        ("replay:a?speed=0", &["speed=\"0\"", "above 0"]),
        ("replay:a?speed=nan", &["speed=\"nan\""]),
        ("replay:a?order=up", &["time or file"]),
        ("demo:x", &["\"demo:x\"", "nothing but options"]),
        ("stdin:x", &["\"stdin:x\""]),
        ("demo:?rate=0", &["from 1 to 100000"]),
        ("demo:?rate=100001", &["from 1 to 100000"]),
        (
            "push:localhost:1",
            &["\"push:localhost:1\"", "127.0.0.1:8089"],
        ),
        ("push:?format=csv", &["takes no option \"format\""]),
        ("push:?max-body=17M", &["16M"]),
    ] {
        let error = error(typed);
        for part in parts {
            assert!(error.contains(part), "{typed}: {error}");
        }
    }
}

#[test]
fn nothing_that_is_typed_makes_it_panic() {
    let corpus: Vec<_> = KINDS.iter().map(|kind| kind.example).collect();
    let options = KINDS.iter().flat_map(KindInfo::options);
    let mut dictionary: Vec<_> = options.map(|option| format!("&{}=", option.name)).collect();
    dictionary.extend(["%", "%3F", "%0a", "?", ":"].map(str::to_owned));
    let fuzz = Fuzz::new(&corpus, &dictionary);
    fuzz.run(|typed| match Spec::parse(OsStr::from_bytes(typed)) {
        Ok(spec) => {
            assert!(!spec.name().contains(char::is_control), "{:?}", spec.name());
            vec![u64::from(matches!(spec.place(), Place::File { .. }))]
        }
        Err(error) => {
            let error = error.to_string();
            assert!(!error.contains('\n'), "{error}");
            vec![error.len() as u64 / 16]
        }
    });
}
