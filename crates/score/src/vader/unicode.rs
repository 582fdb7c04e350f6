//! Python's `str` methods, for all of Unicode.
//!
//! VADER uses `str.split`, `str.lower` and `str.isupper`. Rust's standard library has the same methods, from the same
//! tables of the Unicode Consortium but of a later edition, and with a few definitions of its own. This module holds
//! the differences to `CPython` 3.11, which knows Unicode 14. A test compares every code point with what Python said,
//! so that a compiler with newer tables cannot change a score unseen.

use smallvec::SmallVec;

/// A lower-cased token. Most fit in place.
pub(super) type Lowered = SmallVec<[u8; 64]>;

/// Characters that the standard library takes for letters with case and `CPython` 3.11 does not: nearly all were added
/// to Unicode after its edition 14.
const UNCASED: [(char, char); 14] = [
    ('\u{10fc}', '\u{10fc}'),
    ('\u{1c89}', '\u{1c8a}'),
    ('\u{a7cb}', '\u{a7cf}'),
    ('\u{a7d2}', '\u{a7d2}'),
    ('\u{a7d4}', '\u{a7d4}'),
    ('\u{a7da}', '\u{a7dc}'),
    ('\u{a7f1}', '\u{a7f4}'),
    ('\u{ab69}', '\u{ab69}'),
    ('\u{10d50}', '\u{10d65}'),
    ('\u{10d70}', '\u{10d85}'),
    ('\u{16ea0}', '\u{16eb8}'),
    ('\u{16ebb}', '\u{16ed3}'),
    ('\u{1df25}', '\u{1df2a}'),
    ('\u{1e030}', '\u{1e06d}'),
];

fn is_uncased(c: char) -> bool {
    c >= UNCASED[0].0
        && UNCASED
            .iter()
            .any(|&(first, last)| (first..=last).contains(&c))
}

/// A letter that is upper case at its front only, such as `ǅ`, or that was lower case in Unicode 14 (`ʕ`): a word with
/// one is not in capitals.
fn is_title_or_formerly_lower(c: char) -> bool {
    matches!(c, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{295}'
        | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}'
        | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

/// Returns whether `str.split()` cuts here: at Unicode's `White_Space` and at the four separators of ASCII, 1C to 1F.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `str.isupper()`: at least one capital, and no letter that is lower or title case.
pub(super) fn is_upper(token: &str) -> bool {
    let mut capitals = false;
    for c in token.chars() {
        if c.is_ascii() {
            if c.is_ascii_lowercase() {
                return false;
            }
            capitals |= c.is_ascii_uppercase();
        } else if is_title_or_formerly_lower(c) {
            return false;
        } else if !is_uncased(c) {
            if c.is_lowercase() {
                return false;
            }
            capitals |= c.is_uppercase();
        }
    }
    capitals
}

/// `str.lower()`, as UTF-8: one character may become two (`İ` is `i` with a dot above it), and a capital sigma at the
/// end of a word becomes `ς`.
pub(super) fn lower(token: &str) -> Lowered {
    if token.is_ascii() {
        let mut lowered = Lowered::from_slice(token.as_bytes());
        lowered.make_ascii_lowercase();
        return lowered;
    }
    // Where a word ends, for sigma, takes properties that the standard library keeps to itself.
    if token.contains('Σ') {
        return Lowered::from_slice(token.to_lowercase().as_bytes());
    }
    let mut lowered = Lowered::new();
    let mut bytes = [0; 4];
    for c in token.chars() {
        if c.is_ascii() {
            lowered.extend_from_slice(c.to_ascii_lowercase().encode_utf8(&mut bytes).as_bytes());
        } else if is_uncased(c) {
            lowered.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
        } else {
            for small in c.to_lowercase() {
                lowered.extend_from_slice(small.encode_utf8(&mut bytes).as_bytes());
            }
        }
    }
    lowered
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::ops::RangeInclusive;

    use super::*;

    /// The ranges of one kind in what Python said, with what to do to a character in them.
    fn ranges(kind: &str) -> impl Iterator<Item = (RangeInclusive<u32>, &'static str)> {
        let rows = include_str!("../../tests/golden/vader_unicode.tsv").lines();
        rows.filter_map(move |row| {
            let mut columns = row.strip_prefix(kind)?.strip_prefix('\t')?.split('\t');
            let mut code = || u32::from_str_radix(columns.next().unwrap(), 16).unwrap();
            let range = code()..=code();
            Some((range, columns.next().unwrap_or_default()))
        })
    }

    fn by_python(kind: &str) -> HashSet<char> {
        ranges(kind)
            .flat_map(|(range, _)| range)
            .filter_map(char::from_u32)
            .collect()
    }

    #[test]
    fn every_character_is_what_it_is_to_python() {
        let (capital, small, space) =
            (by_python("capital"), by_python("small"), by_python("space"));
        let mut lowered: HashMap<char, String> = HashMap::new();
        for (range, change) in ranges("lower") {
            for code in range {
                let small = match change.parse::<i32>() {
                    Ok(offset) if !change.contains('+') => vec![code.strict_add_signed(offset)],
                    _ => change
                        .split('+')
                        .map(|code| u32::from_str_radix(code, 16).unwrap())
                        .collect(),
                };
                let small = small.into_iter().filter_map(char::from_u32).collect();
                lowered.extend(char::from_u32(code).map(|c| (c, small)));
            }
        }
        for c in '\0'..=char::MAX {
            let token = String::from(c);
            assert_eq!(is_upper(&token), capital.contains(&c), "{c:?} is a capital");
            assert_eq!(
                !is_upper(&format!("A{c}")),
                small.contains(&c),
                "{c:?} is small"
            );
            assert_eq!(is_space(c), space.contains(&c), "{c:?} is a space");
            let expected = lowered.get(&c).unwrap_or(&token);
            assert_eq!(
                lower(&token).as_slice(),
                expected.as_bytes(),
                "{c:?} in lower case"
            );
        }
    }

    #[test]
    fn capitals_are_those_of_python() {
        assert!(
            is_upper("GOOD")
                && is_upper("GOOD2!")
                && is_upper("ÉTÉ")
                && is_upper("Ⅻ")
                && is_upper("𝐀")
        );
        assert!(
            !is_upper("Good")
                && !is_upper("123")
                && !is_upper("")
                && !is_upper("ßA")
                && !is_upper("ǅ")
        );
    }

    #[test]
    fn lower_case_is_that_of_python() {
        for (token, lowered) in [
            ("GOOD", "good"),
            ("İ", "i\u{307}"),
            ("\u{212a}IND", "kind"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            assert_eq!(lower(token).as_slice(), lowered.as_bytes());
        }
    }
}
