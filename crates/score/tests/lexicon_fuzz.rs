//! Mutated lists of words: each is a lexicon, or has a first bad line.

use moodring_fuzz::Fuzz;
use moodring_score::vader::{BadLine, BadList, Lexicon, LexiconBuilder, Vader};

const LISTS: &[&str] = &[
    "Word,Score\n\n# ours\nDelayed,-2\n\"1,000\",2.5\nvery very,0.3,booster\n",
    "gut\t2\nsehr\t0.3\tbooster\nnicht\t\tnegation\ncold shoulder\t-3\tidiom\n",
    ":D\t2.3\t0.78102\t[2, 3, 2, 1, 3, 2, 3, 2, 3, 2]\nGreat\t3.1\t0.7\t[3]\n",
    "\u{feff}groß,1e0\r\n#,-1\n#hashtag,0.5\r\n# a comment\nÇa va,1,idiom\n",
    "good\t1.9\nbad\tvery\n",
    "one two three four,1\n",
    "",
];

const TOKENS: &[&str] = &[
    "\t",
    ",",
    "\n",
    "\r\n",
    "\"",
    "\"\"",
    "#",
    "# ",
    "word",
    "word\t",
    "token,",
    "booster",
    "negation",
    "idiom",
    "noun",
    "1",
    "-1.5",
    "1e2",
    "1e3",
    "100",
    "-100.0001",
    "inf",
    "nan",
    "NaN",
    "-0",
    "0x1",
    "+1",
    ".5",
    "5.",
    " ",
    "\u{a0}",
    "\u{2003}",
    "\u{feff}",
    "İ",
    "\u{212a}",
    "a b",
    "a b c",
    "a b c d",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\t1\n",
    "good\t1.9\n",
    "very,0.3,booster\n",
];

fn read(list: &[u8]) -> Result<LexiconBuilder, BadList> {
    LexiconBuilder::from_list(list, false)
}

/// The scores of some texts, to the bit.
fn scores(lexicon: Lexicon, texts: &[&str]) -> Vec<u64> {
    let vader = Vader::with_lexicon(lexicon);
    let compound = |text: &&str| {
        let compound = vader.score(text).compound;
        assert!((-1.0..=1.0).contains(&compound), "{compound} for {text:?}");
        compound.to_bits()
    };
    texts.iter().map(compound).collect()
}

/// Where each line of a list ends.
fn line_ends(list: &[u8]) -> Vec<usize> {
    let mut end = 0;
    let lines = list.split_inclusive(|&byte| byte == b'\n');
    lines
        .map(|line| {
            end += line.len();
            end
        })
        .collect()
}

#[test]
fn a_list_of_words_is_a_lexicon_or_has_a_first_bad_line() {
    Fuzz::new(LISTS, TOKENS).run(|list| match read(list) {
        Ok(words) => {
            let text = String::from_utf8(list.to_vec()).expect("it is a lexicon");
            let texts: Vec<&str> = text
                .lines()
                .chain(["not very good but DELAYED :D"])
                .collect();
            let one = scores(words.build(), &texts);
            // An empty line means nothing.
            let longer = read(&[list, b"\n\n"].concat()).expect("an empty line is no word");
            assert_eq!(scores(longer.build(), &texts), one);
            (
                0,
                String::new(),
                one.iter().filter(|&&bits| bits != 0).count().min(4),
            )
        }
        Err(BadList::Line(BadLine { line, fault })) => {
            let ends = line_ends(list);
            // After the last line end there is one more line, which is empty.
            let line = usize::try_from(line).unwrap();
            assert!(
                (1..=ends.len() + 1).contains(&line),
                "line {line} of {}",
                ends.len()
            );
            let before = line.checked_sub(2).map_or(0, |last| ends[last]);
            if let Err(BadList::Line(earlier)) = read(&list[..before]) {
                panic!("line {line} is bad ({fault}), but so is an earlier one: {earlier}");
            }
            // Whatever comes after it, this is the first bad line.
            let end = ends.get(line - 1).copied().unwrap_or(list.len());
            let Err(BadList::Line(first)) = read(&list[..end]) else {
                panic!("line {line} is good where it is the last one ({fault})");
            };
            assert_eq!(
                (first.line, first.fault.to_string()),
                (line as u64, fault.to_string())
            );
            let kind = fault.to_string();
            (1, kind.rsplit('`').next().unwrap_or_default().to_owned(), 0)
        }
        Err(empty) => (2, empty.to_string(), 0),
    });
}
