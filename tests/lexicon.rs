//! Words of one's own.

use serde_json::Value;

use crate::util::Workspace;

fn scored(work: &Workspace, args: &[&str]) -> Vec<Value> {
    let args = [&["score", "posts.txt", "--output-format", "jsonl"], args].concat();
    let out = String::from_utf8(work.ok(&args).stdout).unwrap();
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn refused(work: &Workspace, args: &[&str]) -> String {
    let run = work.run(args);
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    String::from_utf8(run.stderr).unwrap()
}

#[test]
fn a_list_replaces_the_words_and_keeps_the_rules() {
    let work = Workspace::new();
    work.file("posts.txt", "not delayed\nvery delayed\ndelayed\ngood\n");
    work.file("words.csv", "word,score\ndelayed,-2\n");
    let posts = scored(&work, &["--model", "lexicon:words.csv"]);
    let compound = |at: usize| posts[at]["lexicon"]["compound"].as_f64().unwrap();
    assert!(compound(0) > 0.0 && compound(1) < compound(2) && compound(2) < 0.0);
    assert_eq!(posts[3]["lexicon"]["compound"], 0.0);
    assert_eq!(posts[0]["sentiment"], "positive");
}

#[test]
fn an_extended_lexicon_stands_beside_the_model_it_extends() {
    let work = Workspace::new();
    work.file("posts.txt", "a good delayed flight\na great flight\n");
    work.file("words.tsv", "delayed\t-2\ngood\t0.5\n");
    let flags = ["--model", "vader,lexicon:words.tsv", "--lexicon-extend"];
    let posts = scored(&work, &flags);
    assert!(posts[0]["vader"]["compound"].as_f64().unwrap() > 0.0);
    assert!(posts[0]["lexicon"]["compound"].as_f64().unwrap() < 0.0);
    assert_eq!(posts[1]["vader"], posts[1]["lexicon"]);
}

#[test]
fn workers_that_start_late_score_by_the_words_of_the_first_ones() {
    let work = Workspace::new();
    work.file("posts.txt", "delayed\n".repeat(20_000));
    work.file("words.tsv", "delayed\t-2\n");
    let flags = [
        "--model",
        "lexicon:words.tsv",
        "--max-shards",
        "1",
        "--shard-size",
        "16K",
    ];
    let posts = scored(&work, &flags);
    assert_eq!(posts.len(), 20_000);
    assert!(
        posts
            .iter()
            .all(|post| post["lexicon"] == posts[0]["lexicon"])
    );
}

#[test]
fn an_explanation_uses_the_list() {
    let work = Workspace::new();
    work.file("words.tsv", "delayed\t-2\ncold shoulder\t-3\ncold\t-0.1\n");
    let run = work.ok(&[
        "explain",
        "they got a cold shoulder",
        "--model",
        "lexicon:words.tsv",
    ]);
    let page = String::from_utf8(run.stdout).unwrap();
    assert!(page.contains("in the idiom \"cold shoulder\""), "{page}");
}

#[test]
fn a_bad_list_is_refused_with_its_file_line_and_value() {
    let work = Workspace::new();
    work.file("posts.txt", "x\n");
    work.file("words.tsv", "good\t1.9\nbad\tvery\n");
    let error = refused(
        &work,
        &["score", "posts.txt", "--model", "lexicon:words.tsv"],
    );
    assert!(
        error.contains("`words.tsv`: line 2: `very` is not a number"),
        "{error}"
    );
    let error = refused(
        &work,
        &["score", "posts.txt", "--model", "lexicon:none.tsv"],
    );
    assert!(
        error.contains("cannot read the lexicon `none.tsv`"),
        "{error}"
    );
    let error = refused(&work, &["explain", "x", "--model", "lexicon:"]);
    assert!(error.contains("lexicon:FILE"), "{error}");
    let error = refused(&work, &["score", "posts.txt", "--lexicon-extend"]);
    assert!(error.contains("--model lexicon:FILE"), "{error}");
}

#[test]
fn an_empty_list_is_refused_and_a_hash_can_be_a_word() {
    let work = Workspace::new();
    work.file("posts.txt", "we are # 1\n");
    work.file("empty.tsv", "# to be filled\n");
    for flags in [&["--lexicon-extend"][..], &[]] {
        let args = ["score", "posts.txt", "--model", "lexicon:empty.tsv"];
        let error = refused(&work, &[&args, flags].concat());
        assert!(error.contains("`empty.tsv`: the list is empty"), "{error}");
    }
    work.file("words.tsv", "#\t2\n");
    let posts = scored(&work, &["--model", "lexicon:words.tsv"]);
    assert_eq!(posts[0]["sentiment"], "positive");
}
