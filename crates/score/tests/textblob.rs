//! What the model `textblob` promises: the scores of Python's `TextBlob`, in linear time. `any_text` has what holds
//! for any text.
//!
//! The golden file is written by `scripts/reference golden`; each of its lines is polarity, subjectivity and a text as
//! a JSON string.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use moodring_score::textblob::Sentiment;
use moodring_score::{BuildArgs, TextBlob, find};

const GOLDEN: &str = include_str!("golden/textblob.tsv");

fn score(text: &str) -> (f64, f64) {
    let Sentiment {
        polarity,
        subjectivity,
    } = TextBlob::new().score(text);
    (polarity, subjectivity)
}

#[test]
fn generated_texts_score_as_in_python() -> Result<(), Box<dyn Error>> {
    for line in GOLDEN.lines() {
        let mut columns = line.splitn(3, '\t');
        let mut column = || columns.next().ok_or("a golden line has three columns");
        let expected = (column()?.parse::<f64>()?, column()?.parse::<f64>()?);
        let text: String = serde_json::from_str(column()?)?;
        assert_eq!(score(&text), expected, "{text:?}");
    }
    assert!(GOLDEN.lines().count() >= 5_000);
    Ok(())
}

/// The sentences of its documentation and of its own tests, with what version 0.20.1 gives for them.
#[test]
fn the_examples_of_textblob_score_as_in_python() {
    let blob = "The titular threat of The Blob has always struck me as the ultimate movie\nmonster: an insatiably hungry, \
        amoeba-like mass able to penetrate\nvirtually any safeguard, capable of--as a doomed doctor chillingly\ndescribes \
        it--\"assimilating flesh on contact.";
    let gelatin = "Snide comparisons to gelatin be damned, it's a concept with the most\ndevastating of potential \
        consequences, not unlike the grey goo scenario\nproposed by technological theorists fearful of\nartificial \
        intelligence run rampant.";
    let motel = "Nous avons cherché un motel dans la région de Madison, mais les motels ne sont pas nombreux et nous \
        avons finalement choisi un Motel 6, attirés par le bas prix de la chambre.";
    for (text, scores) in [
        (
            "Textblob is amazingly simple to use. What great fun!",
            (0.391_666_666_666_666_66, 0.435_714_285_714_285_7),
        ),
        ("I feel great this morning.", (0.8, 0.75)),
        ("This is a terrible car.", (-1.0, 1.0)),
        (
            "Any place with frites and Belgian beer has my vote.",
            (0.0, 0.0),
        ),
        (
            "The beer is good. But the hangover is horrible.",
            (-0.150_000_000_000_000_02, 0.8),
        ),
        (
            "Beautiful is better than ugly.",
            (0.216_666_666_666_666_7, 0.833_333_333_333_333_4),
        ),
        (
            "Simple is better than complex.",
            (0.066_666_666_666_666_67, 0.419_047_619_047_619_06),
        ),
        (blob, (0.060_000_000_000_000_01, 0.605)),
        (
            gelatin,
            (-0.341_666_666_666_666_73, 0.766_666_666_666_666_6),
        ),
        (motel, (0.0, 0.0)),
    ] {
        assert_eq!(score(text), scores, "{text}");
    }
}

#[test]
fn a_text_without_known_words_scores_zero() {
    for text in ["", " ", "\n\n", "...", "the cat sat", "日本語", "\u{0}"] {
        assert_eq!(score(text), (0.0, 0.0), "{text:?}");
    }
}

#[test]
fn an_adverb_boosts_the_word_behind_it() {
    assert_eq!(
        score("very good"),
        (0.909_999_999_999_999_9, 0.780_000_000_000_000_1)
    );
    assert_eq!(score("very is good"), score("very good"));
    assert_eq!(score("good very"), score("good. Very the"));
}

#[test]
fn a_negation_turns_a_word_half_around() {
    assert_eq!(score("not good"), (-0.35, 0.600_000_000_000_000_1));
    assert_eq!(score("never a good"), score("not good"));
    assert_eq!(score("really not good"), score("not good"));
    assert_eq!(score("not at all good"), score("good"));
    assert_eq!(
        score("not very good"),
        (-0.269_230_769_230_769_16, 0.461_538_461_538_461_56)
    );
}

#[test]
fn a_contraction_is_no_negation() {
    assert_eq!(score("isn't good"), score("good"));
}

#[test]
fn an_exclamation_mark_boosts_and_never_beyond_one() {
    assert_eq!(score("good!"), (0.875, 0.600_000_000_000_000_1));
    assert_eq!(score("good!!!!"), (1.0, 0.600_000_000_000_000_1));
    assert_eq!(score("(!) good"), (0.35, 0.8));
}

#[test]
fn an_emoticon_is_found_however_it_is_torn() {
    for text in [":)", ": )", ":\n)", ":\n\n)", ":\u{3000})", "a:)"] {
        assert_eq!(score(text), (0.5, 1.0), "{text:?}");
    }
    assert_eq!(score("good max D"), score("good"));
    assert_eq!(score("o. O"), (0.05, 1.0));
    assert_eq!(score(":c )"), (0.75, 1.0));
    assert_eq!(score(":c"), (-0.75, 1.0));
    assert_eq!(score(": cn't"), score(":c"));
    assert_eq!(score("no .O good"), score("good"));
}

#[test]
fn a_letter_beyond_ascii_may_be_one_in_lower_case() {
    assert_eq!(score("LI\u{212a}ELY"), score("likely"));
    assert_eq!(score("not İ good"), score("good"));
    assert_eq!(score("not I good"), score("not good"));
}

#[test]
fn the_model_is_built_by_its_name() -> Result<(), Box<dyn Error>> {
    let model = (find("textblob")?.build)(&BuildArgs::default())?;
    let names: Vec<&str> = model.fields().iter().map(|field| &*field.name).collect();
    assert_eq!(
        (model.name(), names.as_slice(), model.primary()),
        ("textblob", ["polarity", "subjectivity"].as_slice(), 0)
    );
    let mut scores = [0.0; 2];
    model.score("I feel great this morning.", &mut scores)?;
    assert_eq!(scores.map(f64::to_bits), [0.8, 0.75].map(f64::to_bits));
    Ok(())
}

/// A text eight times as long takes eight times the time if that is linear in the length, and 64 times if it is
/// quadratic. Other work on the machine can spoil a try, but not all of them.
#[test]
fn the_time_is_linear_whatever_the_text() {
    let unit = 1 << 13;
    let pieces = [
        "😀",
        "good but ",
        "!",
        "a",
        "\u{301}",
        ".",
        ". ",
        "..",
        ": ",
        ":",
        "( ",
        "(! ",
        "o",
        "o ",
        "o. ",
        "8 ",
        "\n",
        "\n\n",
        "\r\n",
        "'",
        "n't",
        "A|.",
        "U.S.",
        "a.",
        ".,",
        "|.",
        "B|",
        "x ",
        "END-OF-SENTENCE ",
        "END-OF-SENTENCE",
        "°",
        "° ",
        "\u{a0}",
        "\u{212a}",
        "not ",
        "very ",
        ": '",
        ">",
        "’",
    ];
    for piece in pieces {
        let (short, long) = (piece.repeat(unit), piece.repeat(8 * unit));
        let is_linear = (0..40)
            .any(|_| best_of(3, &long) < best_of(3, &short).max(Duration::from_micros(20)) * 20);
        assert!(is_linear, "{piece:?}");
    }
}

fn best_of(tries: u32, text: &str) -> Duration {
    let model = TextBlob::new();
    let time = |_| {
        let start = Instant::now();
        black_box(model.score(black_box(text)));
        start.elapsed()
    };
    (0..tries).map(time).min().unwrap_or_default()
}
