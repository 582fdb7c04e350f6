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
fn the_metrics_are_counted_by_hand() {
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
fn the_metrics_do_not_depend_on_workers_or_cuts() {
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
        error.contains("of 1 record, none has a label in the field `gold`"),
        "{error}"
    );
}

/// A table of texts with these labels.
fn rated(work: &Workspace, labels: &[&str]) {
    let rows = labels.iter().map(|label| format!("{label}\tgood\n"));
    work.file(
        "rated.tsv",
        "label\ttext\n".to_owned() + &rows.collect::<String>(),
    );
}

#[test]
fn half_stars_and_ratings_to_ten_are_scales_of_their_own() {
    let work = Workspace::new();
    for (labels, scale, supports) in [
        (
            &["0.5", "2.5", "3", "3.5", "5"][..],
            "half-stars",
            [2, 1, 2],
        ),
        (&["1", "4", "5", "6", "7", "10"], "1-10", [2, 2, 2]),
        (&["1", "2", "3", "5"], "stars", [2, 1, 1]),
    ] {
        rated(&work, labels);
        for said in [&[][..], &["--labels", scale]] {
            let page = evaluated(&work, &[&["rated.tsv"], said].concat());
            assert_eq!(page["numbers"], scale);
            assert!(page["numbers_reason"].is_string());
            assert_eq!(page["outside_scale"], 0);
            let classes = page["models"][0]["classes"].as_array().unwrap();
            let found: Vec<_> = classes
                .iter()
                .map(|class| class["support"].as_u64())
                .collect();
            assert_eq!(found, supports.map(Some), "{scale}");
        }
        let text = String::from_utf8(work.ok(&["eval", "rated.tsv"]).stdout).unwrap();
        assert!(
            text.contains(&format!("Numbers as labels: {scale}, since all are")),
            "{text}"
        );
    }
    rated(&work, &["-1", "0.3", "17"]);
    assert_eq!(evaluated(&work, &["rated.tsv"])["numbers"], "sign");
    let page = evaluated(&work, &["rated.tsv", "--labels", "stars"]);
    assert_eq!(page["outside_scale"], 3);
}

#[test]
fn numbers_that_would_be_of_one_class_are_not_guessed_at() {
    let work = Workspace::new();
    for labels in [
        &["4", "5"][..],
        &["7", "9"],
        &["1", "1"],
        &["0.2", "0.7"],
        &["0", "1", "2", "3", "4"],
    ] {
        rated(&work, labels);
        let error = work.fails(2, &["eval", "rated.tsv"]);
        assert!(
            error.contains("cannot tell what the numbers in `label` mean"),
            "{error}"
        );
        assert!(error.contains("half-stars, 1-10"), "{error}");
    }
    rated(&work, &["4", "5"]);
    evaluated(&work, &["rated.tsv", "--labels", "stars"]);
    rated(&work, &["0", "1", "2", "3", "4"]);
    let map = "0=negative,1=negative,2=neutral,3=positive,4=positive";
    let page = evaluated(&work, &["rated.tsv", "--labels", map]);
    assert_eq!(
        (&page["labelled"], &page["numbers"]),
        (&json!(5), &Value::Null)
    );
}

#[test]
fn a_file_without_a_record_is_an_error() {
    let work = Workspace::new();
    work.file("posts.jsonl", POSTS);
    for (name, content) in [
        ("none.jsonl", ""),
        ("blank.jsonl", "\n\n"),
        ("header.csv", "text,label\n"),
        ("none.csv", ""),
    ] {
        work.file(name, content);
        let error = work.fails(2, &["eval", name]);
        assert!(
            error.contains(&format!("there is no record in `{name}`")),
            "{error}"
        );
        let run = work.run(&["eval", "posts.jsonl", name]);
        assert_eq!(run.status.code(), Some(2), "{name}");
    }
    work.file("broken.jsonl", "{\n{\n");
    let run = work.run(&["eval", "broken.jsonl"]);
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(
        said.contains(
            "nothing was compared: all records are rejected (2); the most frequent reason (2) is first met at broken.jsonl: line 1"
        ),
        "{said}"
    );
}
