//! Cleaning texts before they are scored, and leaving posts out by language or term.

use std::io::BufRead;

use serde_json::Value;

use crate::util::Workspace;

/// The compound of each line of standard output.
fn compounds(work: &Workspace, args: &str) -> Vec<f64> {
    let output = work.score(args);
    let text = String::from_utf8(output.stdout).unwrap();
    let compound = |line: &str| {
        let scored: Value = serde_json::from_str(line).unwrap();
        scored["vader"]["compound"].as_f64().unwrap()
    };
    text.lines().map(compound).collect()
}

#[test]
fn what_is_cleaned_away_is_not_scored_and_stays_in_the_output() {
    let work = Workspace::new();
    work.file(
        "posts.jsonl",
        concat!(
            "{\"text\":\"@love http://good.com/love!\"}\n",
            "{\"text\":\"gre<b>at</b> &lt;3\"}\n",
            "{\"text\":\"great <3\"}\n",
        ),
    );
    let plain = compounds(&work, "posts.jsonl");
    assert!(plain[0] > 0.0 && plain[1] < plain[2], "{plain:?}");
    let clean = compounds(&work, "posts.jsonl --clean html,unicode,urls,mentions");
    assert_eq!(clean, [0.0, plain[2], plain[2]]);
    assert_eq!(compounds(&work, "posts.jsonl --clean none"), plain);

    let output = work.score("posts.jsonl --clean mentions,html --quiet");
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.starts_with("{\"text\":\"@love http://good.com/love!\",\"vader\""));
    assert!(output.contains("{\"text\":\"gre<b>at</b> &lt;3\",\"vader\""));
}

#[test]
fn no_model_sees_the_words_of_an_address() {
    let work = Workspace::new();
    work.file(
        "posts.csv",
        "text\nsee http://good.com/love www.best.org/great and @happy\n",
    );
    let output = work.score("posts.csv --model vader,textblob --clean urls,mentions");
    let output = String::from_utf8(output.stdout).unwrap();
    let row = output.lines().nth(1).unwrap();
    assert!(row.ends_with(",0.0,1.0,0.0,0.0,0.0,0.0,neutral"), "{row}");
}

#[test]
fn posts_that_are_not_asked_for_are_left_out_and_counted() {
    let work = Workspace::new();
    work.file(
        "posts.txt",
        "The train was late again, and nobody told us about it\n\
         Der Zug war wieder zu spät und niemand sagte etwas\n\
         They say that NEW   york is the best town to live in with your children\n\
         I have not thought enough about #Rust and what it does for us\n",
    );
    for (flags, kept) in [
        ("--lang en", 3),
        ("--lang de,fr", 1),
        ("--track rust,python", 1),
        ("--track rust,train --lang en", 2),
        ("--track rus", 0),
    ] {
        let args = format!("posts.txt {flags} -o scored.jsonl --force --summary json");
        let output = work.score(&args);
        assert_eq!(work.read("scored.jsonl").lines().count(), kept, "{flags}");
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary["records"], kept, "{flags}");
        assert_eq!(summary["filtered"], 4 - kept, "{flags}");
    }
    let output = work.ok(&["score", "posts.txt", "--track", "new york"]);
    assert_eq!(output.stdout.lines().count(), 1);
    let page = String::from_utf8(output.stderr).unwrap();
    assert!(
        page.contains("3 records left out by --lang or --track\n"),
        "{page}"
    );
}

#[test]
fn another_cleaning_does_not_continue_a_run() {
    let work = Workspace::new();
    work.file("posts.txt", "@love\n");
    work.score("posts.txt -o scored.jsonl --resume --clean mentions");
    let error = work.score_fails(2, "posts.txt -o scored.jsonl --resume");
    assert!(
        error.contains("the cleaning was mentions and is none"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_done_to_texts_is_refused() {
    let work = Workspace::new();
    work.file("posts.txt", "fine\n");
    for (flags, expected) in [
        ("--clean url", "`url` is no step of cleaning"),
        ("--lang english", "`english` is no code of a language"),
        ("--track a,,b", "a tracked term is empty"),
    ] {
        let output = work.try_score(&format!("posts.txt {flags}"));
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_language_that_the_source_gives_is_believed() {
    let work = Workspace::new();
    work.file(
        "a.jsonl",
        concat!(
            "{\"text\":\"The train was late again and nobody told us\",\"l\":\"de-AT\"}\n",
            "{\"text\":\"The train was late again and nobody told us\",\"l\":\"und\"}\n",
        ),
    );
    let output = work.score("a.jsonl --lang de --lang-field l");
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.contains("de-AT") && output.lines().count() == 1,
        "{output}"
    );
}
