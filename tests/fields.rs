//! Fields of the input that have the name of one that is added.

use serde_json::{Value, json};

use crate::util::Workspace;

const LABELLED: &str = "{\"text\":\"what a great day\",\"sentiment\":\"negative\"}\n";

fn lines(work: &Workspace, name: &str) -> Vec<Value> {
    let text = work.read(name);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_gold_label_is_not_replaced_unasked() {
    let work = Workspace::new();
    let json = "{\"text\":\"fine\",\"vader\":{\"compound\":1}}";
    let header = "sentiment,text\nnegative,fine\n";
    let scored = "vader_compound\ttext\n0.5\tfine\n";
    for (name, content, output, field) in [
        ("a.jsonl", LABELLED, "scored.jsonl", "sentiment"),
        ("b.jsonl", json, "scored.jsonl", "vader"),
        ("c.csv", header, "scored.csv", "sentiment"),
        ("d.csv", header, "scored.jsonl", "sentiment"),
        ("e.tsv", scored, "scored.tsv", "vader_compound"),
    ] {
        work.file(name, content);
        work.file("plain.jsonl", "{\"text\":\"fine\"}\n");
        work.file("plain.csv", "text,vader\nfine,\n");
        let before = work.listing();
        // Whichever input it is.
        let plain = if name.ends_with("jsonl") {
            &["plain.jsonl", name][..]
        } else {
            &[name]
        };
        for inputs in [plain, &[name]] {
            let error = work.fails(2, &[&["score"], inputs, &["-o", output]].concat());
            assert!(
                error.contains(&format!("\"{name}\" has a field `{field}` already")),
                "{error}"
            );
            assert!(
                error.contains("--prefix") && error.contains("--replace"),
                "{error}"
            );
        }
        assert_eq!(work.listing(), before);
    }
    for format in [&["--format", "jsonl"][..], &[]] {
        let piped = work.pipe(
            &[&["score", "-", "-o", "scored.jsonl"], format].concat(),
            LABELLED.as_bytes(),
        );
        assert_eq!(piped.status.code(), Some(2));
        assert!(
            String::from_utf8(piped.stderr)
                .unwrap()
                .contains("`sentiment` already")
        );
    }
    // Other names are nobody's business: this output has no column `vader`.
    work.score("plain.csv -o scored.csv");
}

#[test]
fn a_prefix_leaves_every_field_as_it_is() {
    let work = Workspace::new();
    work.file("posts.jsonl", LABELLED);
    work.score("posts.jsonl -o scored.jsonl --prefix my_");
    let scored = &lines(&work, "scored.jsonl")[0];
    assert_eq!(scored["sentiment"], "negative");
    assert_eq!(scored["my_sentiment"], "positive");
    assert!(scored["my_vader"]["compound"].as_f64().unwrap() > 0.0);
    // The added fields are of that name now, and so are those that must not be there.
    let error = work.score_fails(2, "scored.jsonl -o twice.jsonl --prefix my_");
    assert!(error.contains("`my_vader` already"), "{error}");

    work.file("posts.csv", "sentiment,text\nnegative,fine\n");
    let flags = ["--prefix", "my_", "--model", "vader,textblob"];
    work.ok(&[&["score", "posts.csv", "-o", "scored.csv"], &flags[..]].concat());
    let table = work.read("scored.csv");
    assert_eq!(
        table.lines().next().unwrap(),
        "sentiment,text,my_vader_neg,my_vader_neu,my_vader_pos,my_vader_compound,\
         my_textblob_polarity,my_textblob_subjectivity,my_sentiment"
    );
    assert!(
        table.lines().nth(1).unwrap().starts_with("negative,fine,"),
        "{table}"
    );
    work.score_fails(2, "posts.csv --prefix a,b");
}

#[test]
fn a_field_is_replaced_on_demand_but_never_one_that_is_read() {
    let work = Workspace::new();
    work.file("posts.jsonl", LABELLED);
    work.score("posts.jsonl -o scored.jsonl --replace");
    assert_eq!(lines(&work, "scored.jsonl")[0]["sentiment"], "positive");
    for field in ["--text-field", "--id-field", "--time-field"] {
        for name in ["sentiment", "sentiment.full"] {
            let args = [
                "score",
                "posts.jsonl",
                field,
                name,
                "--replace",
                "--force",
                "-o",
                "scored.jsonl",
            ];
            let error = work.fails(2, &args);
            assert!(error.contains("the field `sentiment` is read"), "{error}");
        }
    }
    let args = [
        "score",
        "posts.jsonl",
        "--text-field",
        "sentiment",
        "--prefix",
        "x",
        "-o",
        "other.jsonl",
    ];
    work.ok(&args);
}

#[test]
fn a_record_that_has_the_field_later_on_is_rejected() {
    let work = Workspace::new();
    // Far behind what is looked through before the run.
    let posts = "{\"text\":\"fine\"}\n".repeat(8_000) + LABELLED + "{\"text\":\"fine\"}\n";
    work.file("posts.jsonl", &posts);
    work.score("posts.jsonl -o scored.jsonl");
    assert_eq!(lines(&work, "scored.jsonl").len(), 8_001);
    let rejects = lines(&work, "scored.jsonl.rejects.jsonl");
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0]["raw"], json!(LABELLED.trim_end()));
    assert_eq!(
        rejects[0]["reason"],
        "the record has a field `sentiment` already, which would be replaced"
    );
    work.score("posts.jsonl -o all.jsonl --replace");
    assert_eq!(lines(&work, "all.jsonl").len(), 8_002);
}
