//! The names that rotated files get, and which of them are newer than which.
//!
//! Two customs are known: numbers, as in `posts.jsonl.1`, and names with a time, such as `posts.jsonl-20261124` or
//! `posts-2026-11-24.jsonl`, which sort as they are. Most programs give the number 1 to the newest file, and some to the
//! oldest, so of numbered files the one that was written to last is the newest.

/// What a name says of its place among the rotated files of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suffix<'n> {
    text: &'n str,
    is_compressed: bool,
}

/// A file that was rotated after another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Newer<'n> {
    /// Its name.
    pub(crate) name: &'n str,
    /// Whether it has been compressed since, so that it is not to be read as it is.
    pub(crate) is_compressed: bool,
}

/// The extensions that rotation adds to what it compresses.
const COMPRESSED: [&str; 4] = [".gz", ".zst", ".bz2", ".xz"];

/// A file in the folder of the one that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate<'n> {
    /// Its name.
    pub(crate) name: &'n str,
    /// When it was last written to: seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
}

/// Whether a file of this name may be a rotated one of `base`.
pub(crate) fn is_rotated(base: &str, name: &str) -> bool {
    suffix_of(base, name).is_some()
}

/// Of these files, the rotated ones of `base` that are newer than `old`, the oldest of them first.
pub(crate) fn newer<'n>(base: &str, old: Candidate<'_>, files: &[Candidate<'n>]) -> Vec<Newer<'n>> {
    let Some(old_suffix) = suffix_of(base, old.name) else {
        return Vec::new();
    };
    let others = files
        .iter()
        .filter_map(|file| Some((suffix_of(base, file.name)?, *file)));
    let mut found: Vec<_> = others
        .filter_map(|(suffix, file)| {
            let modified = (file.modified, old.modified);
            let rank = rank(&suffix, &old_suffix, modified)?;
            Some((rank, suffix.is_compressed, file.name))
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, is_compressed, name)| Newer {
            name,
            is_compressed,
        })
        .collect()
}

/// A key that sorts the files that are newer than `old` by age; `None` for others.
fn rank<'n>(
    suffix: &Suffix<'n>,
    old: &Suffix<'_>,
    (modified, old_modified): ((i64, i64), (i64, i64)),
) -> Option<((i64, i64), u64, &'n str)> {
    match (number(suffix.text), number(old.text)) {
        (Some(number), Some(old)) => {
            // Within the resolution of the clock, by the custom of most.
            let is_newer = modified > old_modified || (modified == old_modified && number < old);
            is_newer.then_some((modified, u64::MAX - number, ""))
        }
        (None, None) => {
            let is_alike = suffix.text.len() == old.text.len();
            (is_alike && suffix.text > old.text).then_some(((0, 0), 0, suffix.text))
        }
        _ => None,
    }
}

/// The number of a `.1`. What has more digits is rather a day.
fn number(suffix: &str) -> Option<u64> {
    let digits = suffix.strip_prefix('.')?;
    (digits.len() <= 5).then(|| digits.parse().ok())?
}

/// What a name has more than `base`, at its end or before its extension.
fn suffix_of<'n>(base: &str, name: &'n str) -> Option<Suffix<'n>> {
    let compressed = COMPRESSED.iter().find_map(|end| name.strip_suffix(end));
    let is_compressed = compressed.is_some();
    let plain = compressed.unwrap_or(name);
    let (stem, extension) = match base.rfind('.') {
        Some(dot) if dot > 0 => base.split_at(dot),
        _ => (base, ""),
    };
    let behind = plain.strip_prefix(base);
    let between = || plain.strip_prefix(stem)?.strip_suffix(extension);
    let text = behind.or_else(between)?;
    let tells_age = text.bytes().any(|byte| byte.is_ascii_digit());
    (text.starts_with(['.', '-', '_']) && tells_age).then_some(Suffix {
        text,
        is_compressed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str, second: i64) -> Candidate<'_> {
        Candidate {
            name,
            modified: (second, 0),
        }
    }

    /// Files that were all written to at the same time.
    fn files<'n>(names: &[&'n str]) -> Vec<Candidate<'n>> {
        names.iter().map(|name| at(name, 0)).collect()
    }

    fn newer_names(base: &str, old: &str, names: &[&str]) -> Vec<String> {
        let files = files(names);
        let found = newer(base, at(old, 0), &files);
        found.iter().map(|newer| newer.name.to_owned()).collect()
    }

    #[test]
    fn lower_numbers_are_newer() {
        let names = [
            "a.jsonl",
            "a.jsonl.1",
            "a.jsonl.10",
            "a.jsonl.2",
            "a.jsonl.3",
            "b.jsonl.1",
            "a.jsonl.x",
        ];
        assert_eq!(
            newer_names("a.jsonl", "a.jsonl.3", &names),
            ["a.jsonl.2", "a.jsonl.1"]
        );
        assert_eq!(
            newer_names("a.jsonl", "a.jsonl.10", &names),
            ["a.jsonl.3", "a.jsonl.2", "a.jsonl.1"]
        );
        assert!(newer_names("a.jsonl", "a.jsonl.1", &names).is_empty());
    }

    #[test]
    fn of_numbered_files_the_one_written_to_last_is_the_newest() {
        let names = |old, files: &[Candidate<'static>]| -> Vec<&str> {
            let found = newer("a", old, files);
            found.iter().map(|newer| newer.name).collect()
        };
        let ascending = [at("a.1", 1), at("a.2", 2), at("a.3", 3), at("a.4", 4)];
        assert_eq!(names(at("a.2", 2), &ascending), ["a.3", "a.4"]);
        assert!(names(at("a.4", 4), &ascending).is_empty());
        let shifted = [at("a.1", 4), at("a.2", 3), at("a.3", 2), at("a.4", 1)];
        assert_eq!(names(at("a.3", 2), &shifted), ["a.2", "a.1"]);
    }

    #[test]
    fn later_times_are_newer() {
        let names = [
            "a.jsonl-20261124",
            "a.jsonl-20261122",
            "a.jsonl-20261123",
            "a.jsonl-x",
        ];
        assert_eq!(
            newer_names("a.jsonl", "a.jsonl-20261122", &names),
            ["a.jsonl-20261123", "a.jsonl-20261124"]
        );
        let names = [
            "a-2026-11-24.jsonl",
            "a-2026-11-23.jsonl",
            "ab-2026-11-24.jsonl",
        ];
        assert_eq!(
            newer_names("a.jsonl", "a-2026-11-23.jsonl", &names),
            ["a-2026-11-24.jsonl"]
        );
    }

    #[test]
    fn compressed_ones_are_told_apart() {
        let names = ["a.jsonl.1", "a.jsonl.2.gz"];
        assert_eq!(
            newer("a.jsonl", at("a.jsonl.3.gz", 0), &files(&names)),
            [
                Newer {
                    name: "a.jsonl.2.gz",
                    is_compressed: true
                },
                Newer {
                    name: "a.jsonl.1",
                    is_compressed: false
                },
            ]
        );
    }

    #[test]
    fn other_files_are_no_rotated_ones() {
        for name in [
            "a.jsonl",
            "a.jsonlx",
            "b.jsonl.1",
            "a",
            "abc.jsonl",
            "a.jsonl.tmp",
            "a.jsonl1",
        ] {
            assert!(!is_rotated("a.jsonl", name), "{name}");
        }
        assert!(is_rotated("a.jsonl", "a.jsonl.1"));
        assert!(is_rotated("posts", "posts.1"));
        assert!(is_rotated(".posts", ".posts-1"));
    }
}
