//! Models against labels that people gave.

use serde_json::{Value, json};

use crate::util::Workspace;

const POSTS: &str = r#"{"text":"what a great day","label":"positive"}
{"text":"this is terrible","label":"neg"}
{"text":"terrible, just terrible","label":"positive"}
{"text":"a chair","label":"NEUTRAL"}
{"text":"a good chair","label":"neutral"}
{"text":"a table"}
{"text":"a table","label":"furniture"}
{"text":
"#;

fn evaluated(work: &Workspace, args: &[&str]) -> Value {
    let args = [&["eval"], args, &["--json"]].concat();
    serde_json::from_slice(&work.ok(&args).stdout).unwrap()
}

#[test]
fn the_figures_are_counted_by_hand() {
    let work = Workspace::new();
    work.file("posts.jsonl", POSTS);
    let page = evaluated(&work, &["posts.jsonl"]);
    assert_eq!(page["records"], 7);
    assert_eq!(page["labelled"], 5);
    assert_eq!(
        (&page["unlabelled"], &page["unknown_labels"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(page["unknown_label_examples"], json!(["furniture"]));
    assert_eq!(page["rejects"], 1);
    assert_eq!(page["numbers"], Value::Null);
    let vader = &page["models"][0];
    assert_eq!(vader["accuracy"], 0.6);
    assert_eq!(vader["macro_recall"], (1.0 + 0.5 + 0.5) / 3.0);
    assert_eq!(vader["pearson_r"], Value::Null);
    assert_eq!(vader["classes"][2]["predicted"], json!([1, 0, 1]));
    assert_eq!(vader["classes"][0]["precision"], 0.5);
}

#[test]
fn labels_of_ones_own_can_be_mapped() {
    let work = Workspace::new();
    work.file(
        "posts.csv",
        "mood,text\njoy,great\nanger,terrible\nmeh,great\n",
    );
    let flags = [
        "--label-field",
        "mood",
        "--labels",
        "Joy=positive,anger=neg,meh=neutral",
    ];
    let page = evaluated(&work, &[&["posts.csv"], &flags[..]].concat());
    assert_eq!(page["labelled"], 3);
    assert_eq!(page["models"][0]["accuracy"], 2.0 / 3.0);
    let run = work.run(&[
        "eval",
        "posts.csv",
        "--label-field",
        "mood",
        "--labels",
        "joy",
    ]);
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn numbers_are_classes_and_a_measure() {
    let work = Workspace::new();
    let stars = "stars\ttext\n5\tgreat, the best\n4\tgood\n3\ta chair\n1\tterrible\n";
    work.file("posts.tsv", stars);
    let page = evaluated(&work, &["posts.tsv", "--label-field", "stars"]);
    assert_eq!(page["numbers"], "stars");
    assert_eq!(page["models"][0]["accuracy"], 1.0);
    let r = page["models"][0]["pearson_r"].as_f64().unwrap();
    assert!(r > 0.9 && r <= 1.0, "{r}");
    let signed = evaluated(
        &work,
        &["posts.tsv", "--label-field", "stars", "--labels", "sign"],
    );
    assert_eq!(signed["models"][0]["accuracy"], 0.5);
}

#[test]
fn the_figures_do_not_depend_on_workers_or_cuts() {
    let work = Workspace::new();
    work.file("posts.jsonl", POSTS.repeat(500));
    let models = ["posts.jsonl", "--model", "vader,textblob"];
    let whole = evaluated(
        &work,
        &[&models[..], &["--workers", "1", "--shard-size", "4M"]].concat(),
    );
    let cut = evaluated(
        &work,
        &[&models[..], &["--workers", "3", "--shard-size", "1K"]].concat(),
    );
    assert_eq!(whole, cut);
    assert_eq!(whole["records"], 3500);
}

#[test]
fn a_person_gets_a_table() {
    let work = Workspace::new();
    work.file("posts.jsonl", POSTS);
    let run = work.ok(&["eval", "posts.jsonl"]);
    let page = String::from_utf8(run.stdout).unwrap();
    assert!(page.starts_with(
        "7 records, 5 with a label, 1 without, 1 with one that means nothing, 1 malformed\n"
    ));
    assert!(
        page.contains("`furniture`; say what they mean with --labels"),
        "{page}"
    );
    assert!(page.contains("\nvader       0.6000 "), "{page}");
    let skipped = String::from_utf8(run.stderr).unwrap();
    assert!(skipped.contains("posts.jsonl: line 8 (byte "), "{skipped}");
}

#[test]
fn a_field_that_no_record_has_is_named() {
    let work = Workspace::new();
    work.file("posts.jsonl", "{\"text\":\"good\"}\n");
    let run = work.run(&["eval", "posts.jsonl", "--label-field", "gold"]);
    assert_eq!(run.status.code(), Some(2));
    let error = String::from_utf8(run.stderr).unwrap();
    assert!(
        error.contains("none of the 1 records has a label in the field `gold`"),
        "{error}"
    );
}
