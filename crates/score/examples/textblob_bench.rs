//! How fast the model `textblob` is on the lines of a file: `textblob_bench FILE [ROUNDS]`. One thread, the best of the rounds.

use std::hint::black_box;
use std::time::Instant;
use std::{env, fs, process};

use moodring_score::TextBlob;

fn main() {
    let mut arguments = env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("usage: textblob_bench FILE [ROUNDS]");
        process::exit(2);
    };
    let rounds = arguments
        .next()
        .and_then(|rounds| rounds.parse::<u32>().ok())
        .unwrap_or(20)
        .max(1);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        eprintln!("cannot read {path}: {error}");
        process::exit(1);
    });
    let posts: Vec<&str> = text.lines().collect();
    let model = TextBlob::new();
    let seconds = (0..rounds)
        .map(|_| round(model, &posts))
        .fold(f64::INFINITY, f64::min);
    let count = f64::from(u32::try_from(posts.len()).unwrap_or(u32::MAX));
    println!(
        "{:.0} posts/s, {:.0} ns/post, {:.0} MB/s",
        count / seconds,
        seconds / count * 1e9,
        megabytes(&text) / seconds
    );
}

fn round(model: TextBlob, posts: &[&str]) -> f64 {
    let start = Instant::now();
    for post in posts {
        black_box(model.score(black_box(post)));
    }
    start.elapsed().as_secs_f64()
}

fn megabytes(text: &str) -> f64 {
    f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)) / 1e6
}
