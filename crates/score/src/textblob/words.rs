//! From tokens to the words that are assessed: joins emoticons that the tokenizer split.
//!
//! Cutting punctuation off splits emoticons: `:-)` is three tokens. TextBlob writes the tokens of each sentence in a
//! row with spaces between them, then takes the spaces out of everything that looks like an emoticon or the irony mark
//! `(!)`. It looks for an emoticon anywhere, so long as a space follows; so `max D` becomes `maxD`, and a post may put
//! its face on two lines.
//!
//! The sentences matter for nothing else, and this module never makes them: it looks ahead only where a token ends as
//! an emoticon may start, and then for as long as the sentence lasts.

use super::emoticons::{self, FOLLOWERS, is_emoticon};
use super::lexicon;
use super::tokens::{Token, Tokens};

/// A word to be assessed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    /// A token as it stands.
    Plain(Token),
    /// The irony mark `(!)`, from `start` to `end`.
    Irony { start: usize, end: usize },
    /// Tokens joined into one word.
    Joined(Joined),
}

/// A word made of several tokens, whose spelling therefore stands nowhere in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joined {
    pub(super) start: usize,
    pub(super) end: usize,
    spelling: [u8; Self::CAPACITY],
    len: usize,
}

impl Joined {
    /// One more than what the lexicon can know: of a longer word the end is lost, and nobody asks for it.
    const CAPACITY: usize = lexicon::LONGEST + 1;

    fn of(text: &[u8], token: Token) -> Self {
        let mut joined = Self {
            start: token.start,
            end: token.end,
            spelling: [0; Self::CAPACITY],
            len: 0,
        };
        joined.push(text, token);
        joined
    }

    fn push(&mut self, text: &[u8], token: Token) {
        let kept = token.len().min(Self::CAPACITY - self.len);
        self.spelling[self.len..self.len + kept]
            .copy_from_slice(&text[token.start..token.start + kept]);
        self.len += kept;
        self.end = token.end;
    }

    /// The word without its spaces, or the first twenty bytes of it.
    pub(super) fn spelling(&self) -> &[u8] {
        &self.spelling[..self.len]
    }
}

/// The words of a text.
#[derive(Debug)]
pub(super) struct Words<'t> {
    text: &'t [u8],
    tokens: Tokens<'t>,
}

impl<'t> Words<'t> {
    #[inline]
    pub(super) fn from(text: &'t str, at: usize) -> Self {
        Self {
            text: text.as_bytes(),
            tokens: Tokens::from(text, at),
        }
    }

    /// Where the next word starts, or the whitespace before it.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.tokens.at()
    }

    /// Whether all of the chunk is taken that the last word ended in.
    #[inline]
    pub(super) fn chunk_is_over(&self) -> bool {
        self.tokens.chunk_is_over()
    }

    /// Returns the next word, or `None` at the end of the text.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Word> {
        let token = self.tokens.next()?;
        if stands_alone(self.text, token.end) {
            Some(Word::Plain(token))
        } else {
            Some(self.join(token))
        }
    }

    /// The word that starts with this token.
    #[inline(never)]
    fn join(&mut self, token: Token) -> Word {
        if let Some(end) = self.irony(token) {
            return Word::Irony {
                start: token.start,
                end,
            };
        }
        let more = self.tokens_to_join(token);
        if more == 0 {
            return Word::Plain(token);
        }
        let mut joined = Joined::of(self.text, token);
        for _ in 0..more {
            if let Some(token) = self.tokens.next_in_lookahead() {
                joined.push(self.text, token);
            }
        }
        Word::Joined(joined)
    }

    /// Where the irony mark ends that starts with this token; it is taken then. Neither `!` nor `)` ever starts a
    /// sentence, so a mark lies in one whatever stands between its parts.
    fn irony(&mut self, token: Token) -> Option<usize> {
        let mut ahead = self.tokens;
        if !self.is(token, b"(") || !self.is(ahead.next_in_lookahead()?, b"!") {
            return None;
        }
        let last = ahead.next_in_lookahead()?;
        if !self.is(last, b")") {
            return None;
        }
        self.tokens = ahead;
        Some(last.end)
    }

    fn is(&self, token: Token, spelling: &[u8]) -> bool {
        &self.text[token.start..token.end] == spelling
    }

    /// How many of the tokens after this one are the rest of an emoticon that starts in it.
    fn tokens_to_join(&self, token: Token) -> usize {
        let mut window = Window::of(&self.text[token.start..token.end]);
        let mut ahead = Words {
            text: self.text,
            tokens: self.tokens,
        };
        let mut sentence_is_over = false;
        while let Some(next) = ahead.tokens.next_in_lookahead() {
            let spelling = &self.text[next.start..next.end];
            sentence_is_over |= next.after_break;
            let starts_another = sentence_is_over && spelling != b")" && !ends_a_sentence(spelling);
            if starts_another || ahead.irony(next).is_some() || !window.push(spelling) {
                break;
            }
            sentence_is_over |= ends_a_sentence(spelling);
        }
        window.tokens_to_join()
    }
}

/// A quick look at the byte where the next token starts: whether the one that ends here is surely not to be joined to
/// it. What is not that simple (other whitespace, characters beyond ASCII, the `E` of `END-OF-SENTENCE`) is left to
/// [`Words::join`].
#[inline]
pub(super) fn stands_alone(text: &[u8], end: usize) -> bool {
    let followers = FOLLOWERS[usize::from(text[end - 1])];
    if followers == 0 {
        return true;
    }
    let behind = &text[end..];
    match behind.strip_prefix(b" ").unwrap_or(behind) {
        [] => true,
        [next @ b'!'..=b'~', ..] => *next != b'E' && followers >> next & 1 == 0,
        _ => false,
    }
}

/// Whether the token ends a sentence. Such tokens and `)` then still belong to it. (So do `”` and `’`, which no
/// emoticon holds.)
fn ends_a_sentence(token: &[u8]) -> bool {
    matches!(token, b"." | b"!" | b"?" | b"...")
}

/// The end of a token and the tokens after it, as far as an emoticon could reach, without the spaces.
struct Window {
    bytes: [u8; 2 * emoticons::LONGEST],
    len: usize,
    /// Where each token ends in `bytes`.
    ends: [usize; emoticons::LONGEST + 1],
    tokens: usize,
}

impl Window {
    fn of(token: &[u8]) -> Self {
        let mut window = Self {
            bytes: [0; 2 * emoticons::LONGEST],
            len: 0,
            ends: [0; emoticons::LONGEST + 1],
            tokens: 0,
        };
        window.add(&token[token.len().saturating_sub(emoticons::LONGEST)..]);
        window
    }

    fn add(&mut self, token: &[u8]) {
        self.bytes[self.len..self.len + token.len()].copy_from_slice(token);
        self.len += token.len();
        self.ends[self.tokens] = self.len;
        self.tokens += 1;
    }

    /// Adds the token if an emoticon could continue with it.
    fn push(&mut self, token: &[u8]) -> bool {
        let meets = FOLLOWERS[usize::from(self.bytes[self.len - 1])] >> (token[0] & 0x7f) & 1 == 1;
        let fits = self.len - self.ends[0] + token.len() < emoticons::LONGEST;
        if meets && fits {
            self.add(token);
        }
        meets && fits
    }

    /// How many tokens beyond the first the emoticon takes that starts first, the longest if there are two (`: c )`).
    /// An emoticon that ends within the first token takes none, and leaves no other.
    fn tokens_to_join(&self) -> usize {
        if self.tokens == 1 {
            return 0;
        }
        let ends = &self.ends[..self.tokens];
        let mut starts = 0..ends[0];
        let longest_at = |start: usize| {
            ends.iter()
                .rposition(|&end| is_emoticon(&self.bytes[start..end]))
        };
        starts.find_map(longest_at).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a text: irony marks and joined tokens in their spelling without spaces.
    fn words(text: &str) -> Vec<String> {
        let mut words = Words::from(text, 0);
        let spelling = |word| match word {
            Word::Plain(token) => text[token.start..token.end].to_owned(),
            Word::Irony { .. } => "(!)".to_owned(),
            Word::Joined(joined) => String::from_utf8_lossy(joined.spelling()).into_owned(),
        };
        std::iter::from_fn(|| words.next()).map(spelling).collect()
    }

    #[test]
    fn an_emoticon_is_one_word_again() {
        assert_eq!(words("so good :-)"), ["so", "good", ":-)"]);
        assert_eq!(words("good:)"), ["good", ":)"]);
        assert_eq!(words(": ' ( oh"), [":'(", "oh"]);
    }

    #[test]
    fn an_emoticon_may_start_within_a_word() {
        assert_eq!(words("max D"), ["maxD"]);
        assert_eq!(words("18 )"), ["18)"]);
        assert_eq!(words("max Do"), ["max", "Do"]);
    }

    #[test]
    fn the_longer_of_two_emoticons_is_taken() {
        assert_eq!(words(": c ) x"), [":c)", "x"]);
        assert_eq!(words(": c x"), [":c", "x"]);
    }

    #[test]
    fn an_emoticon_within_a_word_leaves_no_other() {
        assert_eq!(words("a:o .O"), ["a:o", ".O"]);
        assert_eq!(words("ao .O"), ["ao.O"]);
    }

    #[test]
    fn the_irony_mark_takes_the_bracket_of_an_emoticon() {
        assert_eq!(words("( ! )"), ["(!)"]);
        assert_eq!(words(":(!)"), [":", "(!)"]);
        assert_eq!(words("(!"), ["(", "!"]);
    }

    #[test]
    fn an_emoticon_does_not_reach_into_the_next_sentence() {
        assert_eq!(words("o. O"), ["o.O"]);
        assert_eq!(words("so . O"), ["so", ".", "O"]);
        assert_eq!(words("x\n\nD"), ["x", "D"]);
        assert_eq!(words(":\n\n)"), [":)"]);
    }

    #[test]
    fn of_a_long_joined_word_the_beginning_is_kept() {
        assert_eq!(words(&format!("{}x D", "a".repeat(40))), ["a".repeat(20)]);
    }
}
