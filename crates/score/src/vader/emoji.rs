//! The words that stand for an emoji: VADER reads `😂` as "face with tears of joy".

use std::sync::LazyLock;

/// Emoji in pages of 256 characters, as most pages have none.
struct Emoji {
    /// For each page of Unicode, which of `pages` it is; 0 is the empty page.
    page_of: Box<[u8]>,
    /// For each character of a page, which of `descriptions` is its own; 0 is none.
    pages: Vec<[u16; 256]>,
    descriptions: Vec<&'static str>,
}

static EMOJI: LazyLock<Emoji> = LazyLock::new(Emoji::new);

impl Emoji {
    fn new() -> Self {
        let mut emoji = Self {
            page_of: vec![0; 1 + (char::MAX as usize >> 8)].into_boxed_slice(),
            pages: vec![[0; 256]],
            descriptions: vec![""],
        };
        for line in include_str!("../../data/vader/emoji.tsv").lines() {
            let (key, description) = line
                .split_once('\t')
                .expect("a row of a built-in list has two columns");
            let c = key.chars().next().expect("an emoji is a character");
            emoji.insert(c, description);
        }
        emoji
    }

    fn insert(&mut self, c: char, description: &'static str) {
        let page = &mut self.page_of[c as usize >> 8];
        if *page == 0 {
            *page = u8::try_from(self.pages.len()).expect("emoji are on few pages");
            self.pages.push([0; 256]);
        }
        self.pages[usize::from(*page)][c as usize & 0xff] =
            u16::try_from(self.descriptions.len()).expect("emoji are few");
        self.descriptions.push(description);
    }
}

/// The words for `c`, if it is an emoji that VADER knows.
///
/// The reference has sequences in its list too (flags, skin tones, families) but looks characters up one at a time, so
/// that only single ones count: `👍🏽` is "thumbs up" and then "medium skin tone".
pub(super) fn description(c: char) -> Option<&'static str> {
    let emoji = &*EMOJI;
    let page = &emoji.pages[usize::from(emoji.page_of[c as usize >> 8])];
    match page[c as usize & 0xff] {
        0 => None,
        index => Some(emoji.descriptions[usize::from(index)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_have_words_and_letters_have_none() {
        assert_eq!(description('😂'), Some("face with tears of joy"));
        assert_eq!(description('©'), Some("copyright"));
        assert_eq!(description('\u{fe0f}'), None);
        assert_eq!(description('e'), None);
        assert_eq!(description(char::MAX), None);
    }
}
