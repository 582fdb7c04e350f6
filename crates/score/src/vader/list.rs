//! Reads a user's list of words: TSV or CSV, one word per line.
//!
//! | word | value | kind |
//! |---|---|---|
//! | `grounded` | −1.5 | nothing, or `word`: the word's valence |
//! | `hella` | 0.293 | `booster`: what it adds to the valence of what follows; one to three words |
//! | `sans` | nothing | `negation` |
//! | `cold shoulder` | −2 | nothing, or `idiom`: the valence of two or three words together |
//!
//! Words are taken in lower case, as tokens are looked up in it. Empty lines and comments are skipped, and so is a
//! first line that names the columns. A comment is a line whose first column begins with `#`, a blank and more, or a
//! line with nothing but `#`; a `#` with a value in the next column is a word. The separator is a tab if the first
//! line has one, and a comma otherwise; quotes mean something only beside commas.
//!
//! A row whose third column is a number is one of vaderSentiment's own list (word, mean, standard deviation, ratings).
//! It is taken as that package takes it, capitals and blanks included, so that such a list gives the package's scores.

use thiserror::Error;

use super::builder::{BadWord, Kind, LexiconBuilder};

/// Why a list is not a lexicon.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum BadList {
    /// A line cannot be understood.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// It has no rows.
    #[error("the list is empty; write a word and its value on each line, such as `delayed,-1.8`")]
    Empty,
    /// It is to replace the built-in words, and gives no word a valence.
    #[error(
        "the list gives no single word a value, so every text would score 0; add words, or add the list to the \
         built-in words with --lexicon-extend"
    )]
    NoValence,
}

/// What is wrong with a line of a list.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("line {line}: {fault}")]
pub struct BadLine {
    /// Counted from 1.
    pub line: u64,
    /// What is wrong with it, with its value and what to do.
    pub fault: Fault,
}

/// What can be wrong with a line of a list.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is not UTF-8.
    #[error("it is not UTF-8; save the list in that encoding")]
    NotUtf8,
    /// There is a word and nothing else.
    #[error("`{0}` has no value; write the word, a {1}, and how pleasant it is, such as -1.5")]
    NoValue(String, &'static str),
    /// The second column is not a number.
    #[error("`{0}` is not a number; the second column says how pleasant the word is, such as -1.5")]
    BadValue(String),
    /// The third column is something else.
    #[error(
        "there is no kind of word `{0}`; the third column may be: word, booster, negation, idiom"
    )]
    BadKind(String),
    /// The word cannot be one of that kind.
    #[error(transparent)]
    BadWord(#[from] BadWord),
}

impl LexiconBuilder {
    /// The words of a list: TSV or CSV, a line for each with the word, its value and, unless it is an ordinary word,
    /// its kind (`booster`, `negation`, `idiom`). Several words without a kind are an idiom. See the README for the
    /// details.
    ///
    /// With `extend` they are added to the built-in ones, of which they replace those of the same spelling. Without it
    /// they are the only ones of their kind, and the only ones with a valence; kinds that the list has none of are
    /// built in.
    ///
    /// ```
    /// use moodring_score::vader::{LexiconBuilder, Vader};
    ///
    /// let words = LexiconBuilder::from_list(b"delayed\t-1.2\nhella\t0.293\tbooster\n", true)?;
    /// let vader = Vader::with_lexicon(words.build());
    /// let score = |text| vader.score(text).compound;
    /// assert!(score("hella delayed") < score("delayed") && score("delayed") < 0.0);
    /// # Ok::<(), moodring_score::vader::BadList>(())
    /// ```
    ///
    /// # Errors
    /// The first bad line; or that there are no words, or none with a valence in a list that replaces the built-in
    /// ones.
    pub fn from_list(list: &[u8], extend: bool) -> Result<Self, BadList> {
        let mut new = if extend {
            Self::built_in()
        } else {
            Self::new()
        };
        let given = read(&mut new, list)?;
        if !given.contains(&true) {
            return Err(BadList::Empty);
        }
        if !extend {
            if !given[Kind::Word as usize] {
                return Err(BadList::NoValence);
            }
            for kind in Kind::ALL {
                if kind != Kind::Word && !given[kind as usize] {
                    new.add_built_in(kind);
                }
            }
        }
        Ok(new)
    }
}

/// A row of a list.
struct Row<'a> {
    kind: Kind,
    word: &'a str,
    value: f64,
    /// The word is taken as it stands.
    verbatim: bool,
}

/// Which kinds of words a list has.
type Kinds = [bool; Kind::ALL.len()];

/// Adds the words of `list` to `lexicon`, and says which kinds there were.
fn read(lexicon: &mut LexiconBuilder, list: &[u8]) -> Result<Kinds, BadLine> {
    let list = list.strip_prefix(b"\xef\xbb\xbf").unwrap_or(list);
    let separator = separator(list);
    let mut kinds = Kinds::default();
    for (number, line) in (1..).zip(list.split(|&byte| byte == b'\n')) {
        let bad = |fault| BadLine {
            line: number,
            fault,
        };
        let line = str::from_utf8(line).map_err(|_| bad(Fault::NotUtf8))?;
        let columns = columns(line.trim_end_matches('\r'), separator);
        let columns = columns.each_ref().map(|column| column.trim());
        if is_comment(line, &columns) || (number == 1 && names_columns(&columns)) {
            continue;
        }
        let row = row(&columns, separator).map_err(bad)?;
        kinds[row.kind as usize] = true;
        add(lexicon, &row).map_err(|word| bad(word.into()))?;
    }
    Ok(kinds)
}

/// The separator between the columns.
fn separator(list: &[u8]) -> u8 {
    let mut lines = list.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !matches!(line, [] | [b'#'] | [b'#', b' ', ..]));
    if first.is_some_and(|line| line.contains(&b'\t')) {
        b'\t'
    } else {
        b','
    }
}

/// The first three columns of a line.
fn columns(line: &str, separator: u8) -> [String; 3] {
    if separator == b'\t' {
        let mut fields = line.split('\t').map(str::to_owned);
        return std::array::from_fn(|_| fields.next().unwrap_or_default());
    }
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .buffer_capacity(line.len().max(1))
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    // Reading UTF-8 from memory, in rows of any length, meets no errors.
    let _ = reader.read_record(&mut record);
    let mut fields = record.iter().map(str::to_owned);
    std::array::from_fn(|_| fields.next().unwrap_or_default())
}

/// Returns whether a line is empty or a comment. A quoted word may begin like a comment.
fn is_comment(line: &str, columns: &[&str; 3]) -> bool {
    let begins = line.trim_start().starts_with('#') && columns[0].starts_with("# ");
    begins || matches!(columns, ["" | "#", "", ""])
}

/// Returns whether a first line names the columns.
fn names_columns(columns: &[&str; 3]) -> bool {
    const WORDS: [&str; 4] = ["word", "token", "term", "phrase"];
    WORDS
        .iter()
        .any(|name| columns[0].eq_ignore_ascii_case(name))
        && columns[1].parse::<f64>().is_err()
}

fn row<'a>(columns: &[&'a str; 3], separator: u8) -> Result<Row<'a>, Fault> {
    let [word, value, kind] = *columns;
    let verbatim = kind.parse::<f64>().is_ok();
    let kind = match kind {
        "" | "word" if word.contains(char::is_whitespace) => Kind::Idiom,
        "" | "word" => Kind::Word,
        "booster" => Kind::Booster,
        "negation" => Kind::Negation,
        "idiom" => Kind::Idiom,
        _ if verbatim => Kind::Word,
        other => return Err(Fault::BadKind(other.to_owned())),
    };
    let value = match (value, kind) {
        (_, Kind::Negation) => 0.0,
        ("", _) => {
            let separator = if separator == b'\t' { "tab" } else { "comma" };
            return Err(Fault::NoValue(word.to_owned(), separator));
        }
        (value, _) => value
            .parse()
            .map_err(|_| Fault::BadValue(value.to_owned()))?,
    };
    Ok(Row {
        kind,
        word,
        value,
        verbatim,
    })
}

fn add(lexicon: &mut LexiconBuilder, row: &Row<'_>) -> Result<(), BadWord> {
    if row.verbatim {
        return lexicon.valence(row.word, row.value);
    }
    let word = super::unicode::lower(row.word);
    let word = str::from_utf8(&word).unwrap_or(row.word);
    match row.kind {
        Kind::Word => lexicon.valence(word, row.value),
        Kind::Booster => lexicon.booster(word, row.value),
        Kind::Negation => lexicon.negation(word),
        Kind::Idiom => lexicon.idiom(word, row.value),
    }
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "equal words give equal scores, to the bit"
)]
mod tests {
    use super::*;
    use crate::Vader;

    fn compound(list: &str, extend: bool, text: &str) -> f64 {
        let words = LexiconBuilder::from_list(list.as_bytes(), extend).unwrap();
        Vader::with_lexicon(words.build()).score(text).compound
    }

    fn fault(list: &[u8]) -> String {
        LexiconBuilder::from_list(list, false)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_list_replaces_the_built_in_valences_and_keeps_the_other_kinds() {
        let list = "Word,Score\n\n# ours\nDelayed,-2\n";
        let plain = compound(list, false, "delayed");
        assert!(plain < 0.0, "a capital in the list does not hide a word");
        assert!(compound(list, false, "very delayed") < plain);
        assert!(compound(list, false, "not delayed") > 0.0);
        assert_eq!(compound(list, false, "good"), 0.0);
    }

    #[test]
    fn an_extending_list_overrides_word_by_word() {
        let list = "good\t-1.9\n";
        assert!(compound(list, true, "good") < 0.0);
        let built_in = Vader::new().score("great").compound;
        assert_eq!(compound(list, true, "great"), built_in);
    }

    #[test]
    fn a_kind_that_the_list_has_replaces_the_built_in_one() {
        let list = "gut\t2\nsehr\t0.3\tbooster\nnicht\t\tnegation\n";
        let plain = compound(list, false, "gut");
        assert!(compound(list, false, "sehr gut") > plain);
        assert_eq!(compound(list, false, "very gut"), plain);
        assert!(compound(list, false, "nicht gut") < 0.0);
        assert_eq!(compound(list, false, "not gut"), plain);
    }

    #[test]
    fn several_words_are_an_idiom() {
        let list = "cold\t-0.5\ncold shoulder\t-3\n";
        let text = "they gave me the cold shoulder";
        assert!(compound(list, false, text) < compound("cold\t-0.5\n", false, text));
    }

    #[test]
    fn a_word_with_a_comma_may_be_quoted() {
        assert!(compound("\"1,000\",2.5\n", false, "1,000") > 0.0);
        assert!(
            compound(":\"\t2.5\n", false, "so :\"") > 0.0,
            "in TSV a quote is a quote"
        );
    }

    #[test]
    fn the_list_of_the_package_gives_the_scores_of_the_package() {
        // Their columns are: word, mean, standard deviation, ratings.
        let ours = include_str!("../../data/vader/words.tsv");
        let theirs = ours.replace('\n', "\t0.5\t[1, 2, 3]\n");
        let words = LexiconBuilder::from_list(theirs.as_bytes(), false).unwrap();
        let vader = Vader::with_lexicon(words.build());
        for text in [
            "He SCREWED UP again :D but it's the bomb",
            "I can't stand this, not very good at all!!!",
            "kind of fed up :( never so happy",
        ] {
            assert_eq!(vader.score(text), Vader::new().score(text), "{text}");
        }
    }

    #[test]
    fn a_bad_line_is_named_with_its_value() {
        assert_eq!(
            fault(b"good\t1\n\nbad\tvery\n"),
            "line 3: `very` is not a number; the second column says how pleasant the word is, such as -1.5"
        );
        assert!(
            fault(b"good\t1\nbad\n")
                .starts_with("line 2: `bad` has no value; write the word, a tab")
        );
        assert!(
            fault(b"good,1\nbad,inf\n")
                .starts_with("line 2: the value inf is not a number between")
        );
        assert!(fault(b"good,1,noun\n").starts_with("line 1: there is no kind of word `noun`"));
        assert!(
            fault(b"one two three four,1\n")
                .starts_with("line 1: `one two three four` has not two or three words")
        );
        assert!(fault(b"\xff,1\n").starts_with("line 1: it is not UTF-8"));
        assert!(fault(b",1\n").starts_with("line 1: the word is empty"));
    }

    #[test]
    fn a_hash_with_a_value_is_a_word_and_with_text_a_comment() {
        for list in [
            "#\t-1.5\n",
            "#,-1.5\n",
            "# ours, -3\n#,-1.5\n",
            "a\t1\n#  \t-1.5\n",
        ] {
            assert!(compound(list, false, "we are #  1") < 0.0, "{list:?}");
        }
        let commented = "#\n# delayed\t-1\n  # great,-2\n#\t\nfine\t1\n";
        assert_eq!(compound(commented, false, "delayed great #"), 0.0);
        // An idiom of two words, without a word to be found at.
        assert!(fault(b"\"# 1\",-2\n").starts_with("the list gives no single word"));
        assert!(LexiconBuilder::from_list(b"#tired\t-2\n", false).is_ok());
        assert!(fault(b"#\tword\n").starts_with("line 1: `word` is not a number"));
        assert!(fault(b"#ours\n").starts_with("line 1: `#ours` has no value"));
    }

    #[test]
    fn a_list_that_scores_nothing_is_refused() {
        for empty in ["", "\n\n", "# nothing\n", "word,score\n", "\u{feff}"] {
            assert!(
                fault(empty.as_bytes()).starts_with("the list is empty"),
                "{empty:?}"
            );
            assert!(
                LexiconBuilder::from_list(empty.as_bytes(), true).is_err(),
                "{empty:?}"
            );
        }
        for list in [
            "hella,0.3,booster\n",
            "sans,,negation\n",
            "cold shoulder,-2\n",
        ] {
            assert!(
                fault(list.as_bytes()).starts_with("the list gives no single word"),
                "{list:?}"
            );
            assert!(
                LexiconBuilder::from_list(list.as_bytes(), true).is_ok(),
                "{list:?}"
            );
        }
    }
}
