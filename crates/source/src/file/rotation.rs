//! The names that rotated files get, and which of them are newer than which.
//!
//! Two customs are known: `posts.jsonl.1`, `posts.jsonl.2`, …, where 1 is the newest, and names with a time, such as
//! `posts.jsonl-20261124` or `posts-2026-11-24.jsonl`, which sort as they are.

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

/// Whether a file of this name may be a rotated one of `base`.
pub(crate) fn is_rotated(base: &str, name: &str) -> bool {
    suffix_of(base, name).is_some()
}

/// Of these names, those of rotated files of `base` that are newer than the one called `old`, the oldest of them first.
pub(crate) fn newer<'n>(base: &str, old: &str, names: &[&'n str]) -> Vec<Newer<'n>> {
    let Some(old) = suffix_of(base, old) else {
        return Vec::new();
    };
    let others = names
        .iter()
        .filter_map(|name| Some((suffix_of(base, name)?, *name)));
    let mut found: Vec<_> = others
        .filter_map(|(suffix, name)| Some((rank(&suffix, &old)?, suffix.is_compressed, name)))
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
fn rank<'n>(suffix: &Suffix<'n>, old: &Suffix<'_>) -> Option<(u64, &'n str)> {
    match (number(suffix.text), number(old.text)) {
        (Some(number), Some(old)) => (number < old).then_some((u64::MAX - number, "")),
        (None, None) => {
            let is_alike = suffix.text.len() == old.text.len();
            (is_alike && suffix.text > old.text).then_some((0, suffix.text))
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

    fn newer_names(base: &str, old: &str, names: &[&str]) -> Vec<String> {
        let found = newer(base, old, names);
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
            newer("a.jsonl", "a.jsonl.3.gz", &names),
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
