//! What arguments mean.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use moodring_codec::Compression;
use moodring_feed::{Expanded, FeedError, Origin, Skipped, expand};
use moodring_record::Format;
use tempfile::TempDir;

fn folder_with(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"a post\n").unwrap();
    }
    folder
}

fn expand_in(
    folder: &TempDir,
    args: &[&str],
    format: Option<Format>,
) -> Result<Expanded, FeedError> {
    let args: Vec<OsString> = args
        .iter()
        .map(|arg| match *arg {
            "-" => "-".into(),
            arg => folder.path().join(arg).into(),
        })
        .collect();
    expand(&args, format)
}

/// The names of the inputs, from the folder on.
fn names(folder: &TempDir, expanded: &Expanded) -> Vec<String> {
    let prefix = format!("{}/", folder.path().display());
    expanded
        .inputs
        .iter()
        .map(|input| input.name.replace(&prefix, ""))
        .collect()
}

#[test]
fn arguments_keep_their_order() {
    let folder = folder_with(&["b.csv", "a.jsonl.gz"]);
    let expanded = expand_in(&folder, &["b.csv", "-", "a.jsonl.gz"], None).unwrap();
    assert_eq!(names(&folder, &expanded), ["b.csv", "-", "a.jsonl.gz"]);

    let [csv, stdin, gz] = &expanded.inputs[..] else {
        panic!("three inputs");
    };
    assert_eq!((csv.format, csv.size), (Some(Format::Csv), Some(7)));
    assert_eq!((stdin.format, &stdin.origin), (None, &Origin::Stdin));
    assert_eq!(
        (gz.format, gz.compression),
        (Some(Format::Jsonl), Compression::Gzip)
    );
}

#[test]
fn a_folder_gives_its_files_by_path_and_tells_what_it_skips() {
    let folder = folder_with(&[
        "z.txt",
        "b/2.csv",
        "b/1.csv.zst",
        "a.jsonl",
        "README.md",
        "b/x.jsonl.part",
        "c.tsv/in.tsv",
    ]);
    let expanded = expand_in(&folder, &[""], None).unwrap();
    assert_eq!(
        names(&folder, &expanded),
        ["a.jsonl", "b/1.csv.zst", "b/2.csv", "c.tsv/in.tsv", "z.txt"]
    );
    let skipped = [
        ("README.md", Skipped::UnknownExtension),
        ("b/x.jsonl.part", Skipped::SideFile),
    ];
    let skipped = skipped.map(|(file, why)| (folder.path().join(file), why));
    assert_eq!(expanded.skipped, skipped);
    assert_eq!(expanded.found.len(), 5);
}

#[test]
fn a_folder_follows_links_but_not_in_circles() {
    let folder = folder_with(&["real/a.txt"]);
    symlink("real", folder.path().join("linked")).unwrap();
    let expanded = expand_in(&folder, &[""], None).unwrap();
    assert_eq!(names(&folder, &expanded), ["linked/a.txt", "real/a.txt"]);

    symlink("..", folder.path().join("real/up")).unwrap();
    let error = expand_in(&folder, &[""], None).unwrap_err();
    assert!(matches!(error, FeedError::Unlistable { .. }), "{error}");
}

#[test]
fn a_glob_gives_the_files_it_matches() {
    let folder = folder_with(&[
        "2024-02.csv",
        "2024-01.csv",
        "2023-01.csv",
        "2024.md",
        "deep/er/2024-03.csv",
    ]);
    let told = |pattern: &str| names(&folder, &expand_in(&folder, &[pattern], None).unwrap());
    assert_eq!(told("2024-*.csv"), ["2024-01.csv", "2024-02.csv"]);
    assert_eq!(told("202[34]-01.*"), ["2023-01.csv", "2024-01.csv"]);
    assert_eq!(
        told("**/2024-{02,03}.csv"),
        ["2024-02.csv", "deep/er/2024-03.csv"]
    );
    assert_eq!(told("d*/e?/*.csv"), ["deep/er/2024-03.csv"]);
    assert_eq!(told("2024*"), ["2024-01.csv", "2024-02.csv"]);
}

#[test]
fn a_file_with_the_name_of_a_glob_is_that_file() {
    let folder = folder_with(&["[1].txt", "1.txt"]);
    let expanded = expand_in(&folder, &["[1].txt"], None).unwrap();
    assert_eq!(names(&folder, &expanded), ["[1].txt"]);
}

#[test]
fn a_format_given_holds_for_any_name() {
    let folder = folder_with(&["posts", "part-1.gz", "posts.csv"]);
    let expanded = expand_in(
        &folder,
        &["posts", "*.gz", "posts.csv", "-"],
        Some(Format::Text),
    )
    .unwrap();
    assert!(
        expanded
            .inputs
            .iter()
            .all(|input| input.format == Some(Format::Text))
    );
    assert_eq!(expanded.inputs[1].compression, Compression::Gzip);
}

#[test]
fn a_name_that_is_not_utf8_is_found() {
    let folder = folder_with(&[]);
    let path = folder
        .path()
        .join(OsString::from_vec(b"caf\xe9.txt".to_vec()));
    fs::write(&path, b"a post\n").unwrap();
    let expanded = expand(&[path.clone().into()], None).unwrap();
    assert_eq!(expanded.inputs[0].origin, Origin::File(path.clone()));
    assert!(expanded.inputs[0].name.ends_with(r"caf\xE9.txt"));
    for pattern in [&b"caf\xe9*"[..], b"*", b"caf?.t*"] {
        let glob = folder.path().join(OsString::from_vec(pattern.to_vec()));
        let expanded = expand(&[glob.into()], None).unwrap();
        assert_eq!(expanded.inputs[0].origin, Origin::File(path.clone()));
    }
}

#[test]
fn what_is_hidden_is_not_looked_at_unless_it_is_asked_for() {
    let folder = folder_with(&[
        "a.csv",
        ".b.csv",
        ".git/c.csv",
        "d/.cache/e.csv",
        "d/f.csv",
        "d/.#f.csv",
    ]);
    let told = |arg: &str| names(&folder, &expand_in(&folder, &[arg], None).unwrap());
    assert_eq!(told(""), ["a.csv", "d/f.csv"]);
    assert_eq!(told("**/*.csv"), ["a.csv", "d/f.csv"]);
    assert_eq!(told(".git"), [".git/c.csv"]);
    assert_eq!(told(".*.csv"), [".b.csv"]);
    assert_eq!(told("d/.cache/*.csv"), ["d/.cache/e.csv"]);
    assert_eq!(told(".b.csv"), [".b.csv"]);
    assert!(expand_in(&folder, &[""], None).unwrap().skipped.is_empty());
}

#[test]
fn a_dangling_link_is_an_error_only_for_a_glob_that_matches_it() {
    let folder = folder_with(&["a.csv", "deep/b.csv"]);
    symlink("nowhere", folder.path().join("gone.csv")).unwrap();
    symlink("nowhere", folder.path().join("latest")).unwrap();
    symlink("nowhere", folder.path().join(".#a.csv")).unwrap();
    let expanded = expand_in(&folder, &[""], None).unwrap();
    assert_eq!(names(&folder, &expanded), ["a.csv", "deep/b.csv"]);
    let links = ["gone.csv", "latest"].map(|link| folder.path().join(link));
    assert_eq!(
        expanded.skipped,
        links.map(|link| (link, Skipped::DanglingLink))
    );
    let told = |arg: &str| expand_in(&folder, &[arg], None).map(|told| names(&folder, &told));
    assert_eq!(told("a*.csv").unwrap(), ["a.csv"]);
    assert_eq!(told("*/b.csv").unwrap(), ["deep/b.csv"]);
    let error = told("*.csv").unwrap_err();
    assert!(error.to_string().contains("gone.csv"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_listed_is_an_error_unless_no_match_can_lie_in_it() {
    // A folder that is its own ancestor stands for an unreadable one: those who run tests as root can read all.
    let folder = folder_with(&["2024/a.csv", "private/b.csv"]);
    symlink("..", folder.path().join("private/up")).unwrap();
    let told = |arg: &str| expand_in(&folder, &[arg], None).map(|told| names(&folder, &told));
    assert_eq!(told("2*/*.csv").unwrap(), ["2024/a.csv"]);
    assert_eq!(told("2024/**/*.csv").unwrap(), ["2024/a.csv"]);
    assert_eq!(told("*/*.csv").unwrap(), ["2024/a.csv", "private/b.csv"]);
    for arg in ["", "**/*.csv", "*/up/*.csv"] {
        let error = told(arg).unwrap_err();
        assert!(matches!(error, FeedError::Unlistable { .. }), "{error}");
    }
}

#[test]
fn what_cannot_be_used_is_told_with_what_to_do() {
    let folder = folder_with(&["notes.md", "empty/.keep"]);
    let told = |arg: &str| {
        let error = expand_in(&folder, &[arg], None).unwrap_err();
        assert!(error.is_usage());
        let prefix = format!("{}/", folder.path().display());
        error.to_string().replace(&prefix, "")
    };
    assert_eq!(
        told("posts.jsonl"),
        "there is no file or folder \"posts.jsonl\": check its name"
    );
    assert_eq!(
        told("*.jsonl"),
        "no file with a known extension matches \"*.jsonl\": check the pattern, or add --format"
    );
    assert_eq!(
        told("nowhere/*.jsonl"),
        "no file with a known extension matches \"nowhere/*.jsonl\": check the pattern, or add --format"
    );
    assert_eq!(
        told("notes.md"),
        "cannot tell the format of \"notes.md\" from its name: add --format jsonl, csv, tsv or text"
    );
    assert_eq!(
        told("empty"),
        "no file in the folder \"empty\" ends in .jsonl, .ndjson, .csv, .tsv or .txt (or these with .gz or .zst): \
         name the files and add --format"
    );
    assert!(told("posts[.csv").starts_with("cannot understand the pattern \"posts[.csv\""));
    assert!(told("notes.md/posts.csv").starts_with("cannot open \"notes.md/posts.csv\""));
}

#[test]
fn standard_input_can_be_named_once() {
    let error = expand(&["-".into(), "-".into()], None).unwrap_err();
    assert!(matches!(error, FeedError::StdinTwice));
}

#[test]
fn devices_are_read_like_pipes() {
    let expanded = expand(&["/dev/null".into()], None).unwrap();
    assert_eq!(expanded.inputs[0].size, None);
    assert_eq!(
        expanded.inputs[0].origin,
        Origin::File(Path::new("/dev/null").into())
    );
}

#[test]
fn a_folder_that_a_glob_matches_is_told_of_unless_what_is_in_it_matches_too() {
    let folder = folder_with(&["a.jsonl", "sub/b.jsonl", "sub/deep/c.jsonl", ".git/d.jsonl"]);
    let skipped = |glob: &str| {
        let glob = folder.path().join(glob);
        let expanded = expand(&[glob.into()], None).unwrap();
        let relative = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_owned();
        let folders = expanded.skipped.iter();
        let folders = folders.filter(|(_, why)| *why == Skipped::Folder);
        folders.map(|(path, _)| relative(path)).collect::<Vec<_>>()
    };
    assert_eq!(skipped("*"), [PathBuf::from("sub")]);
    assert_eq!(skipped("*/*"), [PathBuf::from("sub/deep")]);
    for glob in ["*.jsonl", "**/*", "s*/**/*.jsonl", "*/*.jsonl"] {
        assert!(skipped(glob).is_empty(), "{glob}");
    }
}
