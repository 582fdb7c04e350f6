//! How fast VADER is on the lines of a file: `vader_bench FILE [ROUNDS]`. One thread, the best of the rounds.

use std::hint::black_box;
use std::time::Instant;
use std::{env, fs, process};

use moodring_score::Vader;

fn main() {
    let mut arguments = env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("usage: vader_bench FILE [ROUNDS]");
        process::exit(2);
    };
    let rounds = arguments
        .next()
        .and_then(|rounds| rounds.parse::<u32>().ok())
        .unwrap_or(50)
        .max(1);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        eprintln!("cannot read {path}: {error}");
        process::exit(1);
    });
    let posts: Vec<&str> = text.lines().collect();
    let vader = Vader::new();
    let seconds = (0..rounds)
        .map(|_| round(&vader, &posts))
        .fold(f64::INFINITY, f64::min);
    let (count, bytes) = (real(posts.len()), real(text.len()));
    println!(
        "{:.0} posts/s, {:.0} ns/post, {:.0} MB/s",
        count / seconds,
        seconds / count * 1e9,
        bytes / seconds / 1e6
    );
}

/// Scores every post once, and says how many seconds it took.
fn round(vader: &Vader, posts: &[&str]) -> f64 {
    let start = Instant::now();
    for post in posts {
        black_box(vader.score(black_box(post)));
    }
    start.elapsed().as_secs_f64()
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
