//! Measures a model on the lines of a file in one thread: `bench MODEL FILE [ROUNDS]`. The best of the rounds counts.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;
use std::{env, fs};

use moodring_score::{BuildArgs, Scorer, find};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (name, path, rounds) = match &arguments[..] {
        [name, path] => (name, path, 20),
        [name, path, rounds] => (name, path, rounds.parse::<u32>()?),
        _ => return Err("usage: bench MODEL FILE [ROUNDS]".into()),
    };
    let model = (find(name)?.build)(&BuildArgs::default())?;
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let posts: Vec<&str> = text.lines().collect();
    let (mut each, mut batch) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        each = each.min(seconds(|| one_by_one(&*model, &posts)));
        batch = batch.min(seconds(|| at_once(&*model, &posts)));
    }
    let count = f64::from(u32::try_from(posts.len())?);
    let megabytes = f64::from(u32::try_from(text.len())?) / 1e6;
    for (way, seconds) in [("each text", each), ("in batches", batch)] {
        println!(
            "{name}, {way}: {:.0} posts/s, {:.1} ns/post, {:.0} MB/s",
            count / seconds,
            seconds / count * 1e9,
            megabytes / seconds
        );
    }
    Ok(())
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Scores as a worker does.
fn one_by_one(model: &dyn Scorer, posts: &[&str]) {
    let mut scores = vec![0.0; model.fields().len()];
    for post in posts {
        let _ = black_box(model.score(black_box(post), &mut scores));
        black_box(&scores);
    }
}

fn at_once(model: &dyn Scorer, posts: &[&str]) {
    const BATCH: usize = 256;
    let mut scores = vec![0.0; model.fields().len() * BATCH];
    for posts in posts.chunks(BATCH) {
        let scores = &mut scores[..model.fields().len() * posts.len()];
        black_box(model.score_batch(black_box(posts), scores));
        black_box(&scores);
    }
}
