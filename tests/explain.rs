//! Why a text has its score.

use serde_json::Value;

use crate::util::Workspace;

#[test]
fn the_explanation_ends_with_the_scores_that_score_gives() {
    let work = Workspace::new();
    let text = "It was VERY good, but not great!";
    work.file("post.txt", text);
    let scored: Value = serde_json::from_slice(
        &work
            .ok(&["score", "post.txt", "--model", "vader,textblob"])
            .stdout,
    )
    .unwrap();
    let explained = work
        .ok(&["explain", text, "--json", "--model", "vader,textblob"])
        .stdout;
    for line in String::from_utf8(explained).unwrap().lines() {
        let explanation: Value = serde_json::from_str(line).unwrap();
        let model = explanation["model"].as_str().unwrap();
        for score in explanation["figures"].as_array().unwrap() {
            let name = score["name"].as_str().unwrap();
            assert_eq!(score["value"], scored[model][name], "{model} {name}");
        }
    }
}

#[test]
fn a_text_from_standard_input_is_explained_without_colours() {
    let work = Workspace::new();
    let run = work.pipe(&["explain"], b"not good\n");
    let page = String::from_utf8(run.stdout).unwrap();
    assert!(page.contains("negated by \"not\""), "{page}");
    assert!(page.contains("compound -0.3412"), "{page}");
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn a_model_that_does_not_exist_cannot_be_explained() {
    assert!(
        Workspace::new()
            .fails(2, &["explain", "good", "--model", "vaider"])
            .contains("vaider")
    );
}

#[test]
fn each_line_of_standard_input_is_explained_by_itself() {
    let work = Workspace::new();
    let run = work.pipe(&["explain"], b"good\r\n\nbad\x1b[2J\n");
    let page = String::from_utf8(run.stdout).unwrap();
    assert_eq!(page.matches("\nvader: ").count(), 2, "{page}");
    assert!(page.starts_with("good\nvader: positive\n"), "{page}");
    assert!(page.contains("bad\\u{1b}[2J\nvader: "), "{page}");
    let run = work.pipe(&["explain", "--json"], b"good\nbad\n");
    let texts: Vec<Value> = String::from_utf8(run.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].take())
        .collect();
    assert_eq!(texts, ["good", "bad"]);
}

#[test]
fn the_step_from_the_sum_to_the_compound_is_shown() {
    let work = Workspace::new();
    let page = String::from_utf8(work.ok(&["explain", "a good day!"]).stdout).unwrap();
    assert!(page.contains("x / sqrt(x^2 + 15): compound"), "{page}");
}
