//! Globs, for names that need not be UTF-8.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

const GLOB_CHARACTERS: &[u8] = b"*?[{";

/// Whether an argument can be a glob.
pub(crate) fn is_glob(arg: &OsStr) -> bool {
    first_glob_character(arg).is_some()
}

fn first_glob_character(arg: &OsStr) -> Option<usize> {
    let mut bytes = arg.as_bytes().iter();
    bytes.position(|byte| GLOB_CHARACTERS.contains(byte))
}

/// Splits a glob into the folder that contains all matches, and the rest, which matches paths relative to that folder.
pub(crate) fn split_glob(arg: &OsStr) -> (&Path, &OsStr) {
    let bytes = arg.as_bytes();
    let literal = first_glob_character(arg).unwrap_or(bytes.len());
    let slash = bytes[..literal].iter().rposition(|&byte| byte == b'/');
    let (folder, rest) = bytes.split_at(slash.map_or(0, |slash| slash + 1));
    (
        Path::new(OsStr::from_bytes(folder)),
        OsStr::from_bytes(rest),
    )
}

/// A glob without the folder that contains all its matches.
pub(crate) struct Pattern {
    text: String,
    whole: GlobMatcher,
    /// A matcher for each leading part of a path, up to the first `**`.
    folders: Vec<GlobMatcher>,
    /// Whether deeper folders can match, too.
    is_open: bool,
    /// Whether the glob is not UTF-8, so that names are compared in [another spelling](spelled).
    is_odd: bool,
}

impl Pattern {
    pub(crate) fn new(glob: &OsStr) -> Result<Pattern, globset::Error> {
        let text = spelled(glob).into_owned();
        let parts: Vec<&str> = text.split('/').collect();
        let closed = parts.iter().take_while(|part| !part.contains("**"));
        let closed = closed.count().min(parts.len() - 1);
        let folders = (1..=closed).map(|count| matcher(&parts[..count].join("/")));
        // If a brace or bracket contains a slash, the parts are not valid globs.
        let folders: Result<Vec<_>, _> = folders.collect();
        Ok(Pattern {
            whole: matcher(&text)?,
            is_open: folders.is_err() || text.contains("**"),
            folders: folders.unwrap_or_default(),
            is_odd: glob.to_str().is_none(),
            text,
        })
    }

    /// Returns the maximum depth of a match: the number of slashes in the glob, or no limit with `**`.
    pub(crate) fn max_depth(&self) -> usize {
        if self.text.contains("**") {
            usize::MAX
        } else {
            1 + self.text.matches('/').count()
        }
    }

    pub(crate) fn is_match(&self, path: &Path) -> bool {
        self.matches(&self.whole, path)
    }

    /// Whether a file in this folder can match.
    pub(crate) fn may_match_in(&self, folder: &Path) -> bool {
        match folder.components().count().checked_sub(1) {
            None => true,
            Some(at) => match self.folders.get(at) {
                Some(matcher) => self.matches(matcher, folder),
                None => self.is_open,
            },
        }
    }

    /// Whether the glob visits the path. As in a shell, `*` does not match hidden names.
    pub(crate) fn sees(&self, path: &Path) -> bool {
        let asks = self.text.starts_with('.') || self.text.contains("/.");
        let mut parts = path.components();
        asks || !parts.any(|part| part.as_os_str().as_bytes().starts_with(b"."))
    }

    /// Whether an error at this path concerns a possible match.
    pub(crate) fn is_about(&self, path: &Path, error: &walkdir::Error) -> bool {
        let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        // A dangling link is not a folder.
        let may_be_folder = !error.io_error().is_some_and(is_missing);
        self.sees(path) && (self.is_match(path) || may_be_folder && self.may_match_in(path))
    }

    fn matches(&self, matcher: &GlobMatcher, path: &Path) -> bool {
        if self.is_odd {
            matcher.is_match(&*spelled(path.as_os_str()))
        } else {
            matcher.is_match(path)
        }
    }
}

fn matcher(glob: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(glob).literal_separator(true).build()?;
    Ok(glob.compile_matcher())
}

/// Returns a name as text. Each byte that is not UTF-8 becomes one of 128 private-use characters.
fn spelled(name: &OsStr) -> Cow<'_, str> {
    if let Some(text) = name.to_str() {
        return Cow::Borrowed(text);
    }
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        let invalid = chunk.invalid().iter();
        text.extend(invalid.filter_map(|&byte| char::from_u32(0xf700 + u32::from(byte))));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(glob: &str) -> Pattern {
        Pattern::new(OsStr::new(glob)).unwrap()
    }

    #[test]
    fn folders_without_a_match_are_known() {
        let may = |glob: &str, folder: &str| pattern(glob).may_match_in(Path::new(folder));
        assert!(may("*.csv", "") && !may("*.csv", "a"));
        assert!(may("2024-*/*.csv", "2024-01") && !may("2024-*/*.csv", "private"));
        assert!(!may("2024-*/*.csv", "2024-01/deep"));
        assert!(may("2024-*/**/x.csv", "2024-01/deep/er") && !may("a/**/x.csv", "b"));
        assert!(may("**/*.csv", "private"));
        assert!(may("{a/b,c}/*.csv", "a"));
    }

    #[test]
    fn what_is_hidden_has_to_be_asked_for() {
        let sees = |glob: &str, path: &str| pattern(glob).sees(Path::new(path));
        assert!(sees("**/*.csv", "a/b.csv") && !sees("**/*.csv", ".git/b.csv"));
        assert!(!sees("*", ".a.csv") && sees(".*", ".a.csv") && sees("*/.a.csv", "b/.a.csv"));
    }

    #[test]
    fn a_glob_need_not_be_utf8() {
        let pattern = Pattern::new(OsStr::from_bytes(b"caf\xe9*.csv")).unwrap();
        let matches = |name: &[u8]| pattern.is_match(Path::new(OsStr::from_bytes(name)));
        assert!(matches(b"caf\xe9.csv") && matches(b"caf\xe9-\xff.csv"));
        assert!(!matches(b"caf\xe8.csv") && !matches("caf\u{e9}.csv".as_bytes()));
    }
}
