//! The words whose period belongs to them.

/// Whether a word that ends with a period keeps it: a listed one (`etc.`), letters each with a period (`U.S.`, `T.`),
/// or a capital and consonants (`Mr.`, `Sgt.`, but `Gen.` not). A `|` counts as a consonant, by a slip in TextBlob's
/// pattern.
///
/// Looks at the word from its end, so that cutting a chunk stays linear: each byte is seen once, or the cutting ends.
pub(super) fn is_abbreviation(word: &[u8]) -> bool {
    is_listed(word) || is_letters_with_periods(word) || is_capital_and_consonants(word)
}

/// TextBlob's list, case and all, less what the two rules below know anyway.
fn is_listed(word: &[u8]) -> bool {
    matches!(
        word,
        b"adj."
            | b"adv."
            | b"al."
            | b"cf."
            | b"comp."
            | b"conf."
            | b"def."
            | b"ed."
            | b"esp."
            | b"etc."
            | b"ex."
            | b"fig."
            | b"gen."
            | b"id."
            | b"int."
            | b"Med."
            | b"Mil."
            | b"orig."
            | b"pl."
            | b"pred."
            | b"pres."
            | b"ref."
            | b"vs."
    )
}

fn is_letters_with_periods(word: &[u8]) -> bool {
    word.rchunks(2)
        .all(|pair| matches!(pair, [letter, b'.'] if letter.is_ascii_alphabetic()))
}

fn is_capital_and_consonants(word: &[u8]) -> bool {
    let [capital, consonants @ .., b'.'] = word else {
        return false;
    };
    let is_consonant = |byte: &u8| {
        matches!(byte, b'a'..=b'z' | b'|')
            && !matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
    };
    !consonants.is_empty()
        && consonants.iter().rev().all(is_consonant)
        && capital.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_word_keeps_its_period_in_its_own_case() {
        assert!(is_abbreviation(b"def."));
        assert!(!is_abbreviation(b"Def."));
        assert!(is_abbreviation(b"Med."));
        assert!(!is_abbreviation(b"med."));
    }

    #[test]
    fn letters_with_periods_are_an_abbreviation() {
        assert!(is_abbreviation(b"T."));
        assert!(is_abbreviation(b"U.S."));
        assert!(is_abbreviation(b"e.g."));
        assert!(!is_abbreviation(b"U.S.."));
        assert!(!is_abbreviation(b"US.A."));
        assert!(!is_abbreviation(b".a."));
    }

    #[test]
    fn a_capital_and_consonants_are_an_abbreviation() {
        assert!(is_abbreviation(b"Sgt."));
        assert!(is_abbreviation(b"A|."));
        assert!(!is_abbreviation(b"Gen."));
        assert!(!is_abbreviation(b"SGT."));
    }
}
