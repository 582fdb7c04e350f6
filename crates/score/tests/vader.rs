//! VADER from outside: equal to the Python package, and linear in the length of the text. `any_text` has what holds
//! for any text.
//!
//! `scripts/reference golden` writes the expected scores, `scripts/reference diff` compares with Python itself.

use std::time::{Duration, Instant};

use moodring_score::Vader;
use moodring_score::vader::{LexiconBuilder, Observer, Rule, Scores};

fn bits(scores: [f64; 4]) -> [u64; 4] {
    scores.map(f64::to_bits)
}

fn scores(text: &str) -> [f64; 4] {
    let Scores {
        neg,
        neu,
        pos,
        compound,
    } = Vader::new().score(text);
    [neg, neu, pos, compound]
}

#[test]
fn generated_texts_have_the_scores_of_python_to_the_last_bit() {
    for (number, line) in include_str!("golden/vader.tsv").lines().enumerate() {
        let mut columns = line.splitn(5, '\t');
        let expected = [(); 4].map(|()| columns.next().unwrap().parse::<f64>().unwrap());
        let text: String = serde_json::from_str(columns.next().unwrap()).unwrap();
        assert_eq!(
            bits(scores(&text)),
            bits(expected),
            "line {}: {line}",
            number + 1
        );
    }
}

/// The sentences of the package's own demonstration.
#[test]
fn the_sentences_of_the_documentation_have_its_scores() {
    for (text, expected) in DOCUMENTATION {
        assert_eq!(bits(scores(text)), bits(expected), "{text}");
    }
}

#[test]
fn a_text_without_tokens_has_no_scores() {
    for text in ["", " ", "\n\t\u{a0}\u{3000}"] {
        assert_eq!(bits(scores(text)), bits([0.0; 4]));
    }
}

/// Each quirk that the code speaks of, with the compound that Python gives.
#[test]
fn quirks_are_kept() {
    for (text, compound) in QUIRKS {
        assert_eq!(
            Vader::new().score(text).compound.to_bits(),
            compound.to_bits(),
            "{text}"
        );
    }
}

#[rustfmt::skip]
const QUIRKS: [(&str, f64); 39] = [
    // A valence is found by its value: `love` is halved twice, `amusing` stays as it is.
    ("love but amusing", 0.5267),
    ("loves but amusing", 0.6956),
    // Idioms are found from the fourth word on.
    ("The shit", -0.5574),
    ("This new phone is the shit", 0.6124),
    // "No" is a word and a modifier.
    ("No", -0.296),
    ("No good", -0.3412),
    ("No problem", 0.3089),
    ("no no good", -0.1326),
    ("no x or good", -0.5583),
    // A dampener in capitals strengthens.
    ("It was barely good", 0.3832),
    ("It was BARELY good", 0.5171),
    // `and` binds before `or`.
    ("I think it is good", 0.4404),
    ("I think this is so good", 0.5777),
    // An idiom gives its valence to what follows it.
    ("I say the bomb was nice", 0.8402),
    // A booster phrase is added whatever the sign.
    ("It was bad", -0.5423),
    ("It was kind of bad", -0.5849),
    // An emoji sticks to what comes after it.
    ("good😂good", 0.25),
    ("❤", 0.6369),
    ("❤️", 0.0),
    ("👍🏽", 0.0),
    // A curly apostrophe negates nothing.
    ("don't like", -0.2755),
    ("don’t like", 0.3612),
    // "Least" negates, but for "at least".
    ("least good", -0.3412),
    ("the least good", -0.3412),
    ("at least good", 0.4404),
    ("very least good", 0.4902),
    // Capitals count among others that are not.
    ("GOOD", 0.4404),
    ("GOOD day", 0.5622),
    // Marks count up to a limit.
    ("good!!!!", 0.6209),
    ("good!!!!!", 0.6209),
    ("good?", 0.4404),
    ("good??", 0.504),
    ("good???", 0.533),
    ("good????", 0.594),
    ("ON🔛", 0.0),
    // The last of two rows of a word counts.
    ("sob", -0.25),
    ("fav", 0.4588),
    // The sign of Kelvin is a k in lower case.
    ("\u{212a}ind", 0.5267),
    ("\u{212a}ind of good", 0.4404),
];

#[test]
fn words_of_ones_own_are_scored_by_the_same_rules() {
    let mut words = LexiconBuilder::new();
    words.valence("прекрасно", 3.0).unwrap();
    words
        .valence("a-word-longer-than-fifteen-bytes", -2.0)
        .unwrap();
    words.booster("очень", 0.293).unwrap();
    words.booster("ну очень", 1.0).unwrap();
    words.negation("нет").unwrap();
    words.idiom("прекрасно сказал", -1.0).unwrap();
    let own = Vader::with_lexicon(words.build());
    let compound = |text: &str| own.score(text).compound;
    assert!(compound("ОЧЕНЬ прекрасно") > compound("Прекрасно"));
    assert!(compound("нет прекрасно") < 0.0);
    assert!(compound("a b c прекрасно сказал") < 0.0);
    assert!(compound("x ну очень прекрасно") > compound("x x очень прекрасно"));
    assert!(compound("A-Word-Longer-Than-Fifteen-Bytes!") < 0.0);
    assert_eq!(compound("good").to_bits(), 0.0_f64.to_bits());
}

/// What an observer hears of.
#[derive(Default)]
struct Ledger {
    tokens: Vec<String>,
    rules: Vec<(usize, Rule)>,
}

impl Observer for Ledger {
    fn token(&mut self, _: usize, token: &str) {
        self.tokens.push(token.to_owned());
    }

    fn rule(&mut self, index: usize, rule: Rule, _: f64, _: f64) {
        self.rules.push((index, rule));
    }
}

#[test]
fn an_observer_hears_of_every_token_and_its_rules() {
    let mut ledger = Ledger::default();
    let _ = Vader::new().score_observed("I am \"NOT\" very happy😂, but :D don’t", &mut ledger);
    let tokens = [
        "I", "am", "NOT", "very", "happy", "face", "with", "tears", "of", "joy", "but", ":D",
        "don’t",
    ];
    assert_eq!(ledger.tokens, tokens);
    let rules_of_happy: Vec<Rule> = ledger
        .rules
        .iter()
        .filter(|(index, _)| *index == 4)
        .map(|(_, rule)| *rule)
        .collect();
    let expected = [
        Rule::Lexicon,
        Rule::Booster { by: 3 },
        Rule::Negation { by: 2 },
        Rule::But { by: 10 },
    ];
    assert_eq!(rules_of_happy, expected);
}

fn check_ranges(scores: Scores) {
    for share in [scores.neg, scores.neu, scores.pos] {
        assert!((0.0..=1.0).contains(&share), "{scores:?}");
    }
    assert!((-1.0..=1.0).contains(&scores.compound), "{scores:?}");
}

/// A megabyte of any of these takes the reference from minutes to hours. The bound is a hundred times what a loaded
/// machine needs without optimization; one thing done for each pair of tokens would take far longer.
#[test]
fn a_megabyte_of_anything_takes_no_time() {
    let combining = format!("e{}", "\u{301}".repeat(200));
    let pieces = [
        "😂",
        "❤️",
        "👍🏽 ",
        "good but ",
        "good bad great but ",
        "good ",
        "!",
        "?! ",
        "n't",
        "a",
        "A ",
        "\u{301}",
        "Σ",
        "Σ\u{301} ",
        "\u{212a}",
        "\u{3000}",
        " ",
        "the bomb ",
        "not very ",
        "'",
        "no ",
        &combining,
    ];
    for piece in pieces {
        let text = piece.repeat(1_000_000 / piece.len());
        let start = Instant::now();
        check_ranges(Vader::new().score(&text));
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{piece:?} took {:?}",
            start.elapsed()
        );
    }
}

#[rustfmt::skip]
const DOCUMENTATION: [(&str, [f64; 4]); 56] = [
    ("VADER is smart, handsome, and funny.", [0.0, 0.254, 0.746, 0.8316]),
    ("VADER is smart, handsome, and funny!", [0.0, 0.248, 0.752, 0.8439]),
    ("VADER is very smart, handsome, and funny.", [0.0, 0.299, 0.701, 0.8545]),
    ("VADER is VERY SMART, handsome, and FUNNY.", [0.0, 0.246, 0.754, 0.9227]),
    ("VADER is VERY SMART, handsome, and FUNNY!!!", [0.0, 0.233, 0.767, 0.9342]),
    ("VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!", [0.0, 0.294, 0.706, 0.9469]),
    ("VADER is not smart, handsome, nor funny.", [0.646, 0.354, 0.0, -0.7424]),
    ("The book was good.", [0.0, 0.508, 0.492, 0.4404]),
    ("At least it isn't a horrible book.", [0.0, 0.678, 0.322, 0.431]),
    ("The book was only kind of good.", [0.0, 0.697, 0.303, 0.3832]),
    ("The plot was good, but the characters are uncompelling and the dialog is not great.", [0.327, 0.579, 0.094, -0.7042]),
    ("Today SUX!", [0.779, 0.221, 0.0, -0.5461]),
    ("Today only kinda sux! But I'll get by, lol", [0.127, 0.556, 0.317, 0.5249]),
    ("Make sure you :) or :D today!", [0.0, 0.294, 0.706, 0.8633]),
    ("Catch utf-8 emoji such as 💘 and 💋 and 😁", [0.0, 0.583, 0.417, 0.875]),
    ("Not bad at all", [0.0, 0.513, 0.487, 0.431]),
    ("Sentiment analysis has never been good.", [0.325, 0.675, 0.0, -0.3412]),
    ("Sentiment analysis has never been this good!", [0.0, 0.621, 0.379, 0.5672]),
    ("Most automated sentiment analysis tools are shit.", [0.375, 0.625, 0.0, -0.5574]),
    ("With VADER, sentiment analysis is the shit!", [0.0, 0.583, 0.417, 0.6476]),
    ("Other sentiment analysis tools can be quite bad.", [0.351, 0.649, 0.0, -0.5849]),
    ("On the other hand, VADER is quite bad ass", [0.0, 0.423, 0.577, 0.802]),
    ("VADER is such a badass!", [0.0, 0.598, 0.402, 0.4003]),
    ("Without a doubt, excellent idea.", [0.0, 0.341, 0.659, 0.7013]),
    ("Roger Dodger is one of the most compelling variations on this theme.", [0.0, 0.834, 0.166, 0.2944]),
    ("Roger Dodger is at least compelling as a variation on the theme.", [0.0, 0.853, 0.147, 0.2263]),
    ("Roger Dodger is one of the least compelling variations on this theme.", [0.132, 0.868, 0.0, -0.1695]),
    ("Not such a badass after all.", [0.289, 0.711, 0.0, -0.2584]),
    ("Without a doubt, an excellent idea.", [0.0, 0.408, 0.592, 0.7013]),
    ("It was one of the worst movies I've seen, despite good reviews. Unbelievably bad acting!! Poor direction. VERY poor production. The movie was bad. Very bad movie. VERY BAD movie!", [0.587, 0.413, 0.0, -0.9864]),
    ("balloons", [0.0, 1.0, 0.0, 0.0]),
    ("cake", [0.0, 1.0, 0.0, 0.0]),
    ("candles", [0.0, 1.0, 0.0, 0.0]),
    ("happy birthday", [0.0, 0.213, 0.787, 0.5719]),
    ("friends", [0.0, 0.0, 1.0, 0.4767]),
    ("laughing", [0.0, 0.0, 1.0, 0.4939]),
    ("smiling", [0.0, 0.0, 1.0, 0.4588]),
    ("party", [0.0, 0.0, 1.0, 0.4019]),
    ("riot", [1.0, 0.0, 0.0, -0.5574]),
    ("fire", [1.0, 0.0, 0.0, -0.34]),
    ("fight", [1.0, 0.0, 0.0, -0.3818]),
    ("blood", [0.0, 1.0, 0.0, 0.0]),
    ("mob", [0.0, 1.0, 0.0, 0.0]),
    ("war", [1.0, 0.0, 0.0, -0.5994]),
    ("police", [0.0, 1.0, 0.0, 0.0]),
    ("tear gas", [0.0, 1.0, 0.0, 0.0]),
    ("I'm surprised to see just how amazingly helpful VADER is!", [0.0, 0.602, 0.398, 0.6468]),
    ("Je suis surpris de voir comment VADER est incroyablement utile !", [0.0, 1.0, 0.0, 0.0]),
    ("Ich bin überrascht zu sehen, nur wie erstaunlich nützlich VADER!", [0.0, 1.0, 0.0, 0.0]),
    ("Me sorprende ver sólo cómo increíblemente útil VADER!", [0.0, 1.0, 0.0, 0.0]),
    ("Sono sorpreso di vedere solo come incredibilmente utile VADER è!", [0.0, 1.0, 0.0, 0.0]),
    ("Я удивлен увидеть, как раз как удивительно полезно ВЕЙДЕРА!", [0.0, 1.0, 0.0, 0.0]),
    ("私はちょうどどのように驚くほど役に立つベイダーを見て驚いています!", [0.0, 1.0, 0.0, 0.0]),
    ("أنا مندهش لرؤية فقط كيف مثير للدهشة فيدر فائدة!", [0.0, 1.0, 0.0, 0.0]),
    ("我很惊讶地看到VADER是如此有用!", [0.0, 1.0, 0.0, 0.0]),
    ("我很驚訝地看到VADER是如此有用!", [0.0, 1.0, 0.0, 0.0]),
];
