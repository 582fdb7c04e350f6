//! One-thread speed of moodring's scorers beside the other Rust crates that score posts, on the texts of a file.
//!
//! Every scorer goes over all the texts in turn, several rounds, so that a busy moment of the machine falls on all of
//! them alike; the best round of each counts. The scores that come back are kept, and those that stand for the same
//! thing as VADER's compound are compared with moodring's.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use moodring_score::{BuildArgs, find};

/// Two compounds are the same if they round to the same four decimals, as the reference publishes them.
const SAME: f64 = 0.5e-4;

/// A scorer under measurement.
struct Contender {
    name: String,
    /// The primary score of a text.
    score: Box<dyn Fn(&str) -> f64>,
    best: Duration,
    /// Whether the primary score is VADER's compound.
    vader: bool,
}

impl Contender {
    fn new(name: &str, vader: bool, score: impl Fn(&str) -> f64 + 'static) -> Self {
        Self {
            name: name.to_owned(),
            score: Box::new(score),
            best: Duration::MAX,
            vader,
        }
    }

    fn run(&mut self, texts: &[String]) {
        let began = Instant::now();
        for text in texts {
            black_box((self.score)(black_box(text)));
        }
        self.best = self.best.min(began.elapsed());
    }
}

/// The contenders: moodring's models first, vader at the head.
fn contenders() -> Result<Vec<Contender>> {
    let mut all = Vec::new();
    for model in ["vader", "textblob"] {
        let scorer = (find(model)?.build)(&BuildArgs::default())?;
        let primary = scorer.primary();
        let width = scorer.fields().len();
        let name = format!("moodring-{model}");
        all.push(Contender::new(&name, model == "vader", move |text| {
            let mut scores = [0.0; 4];
            let scored = scorer.score(text, &mut scores[..width]);
            scored.expect("the built-in models score every text");
            scores[primary]
        }));
    }

    let parity = vader_parity::SentimentIntensityAnalyzer::new();
    all.push(Contender::new("vader-parity", true, move |text| {
        parity.polarity_scores(text).compound
    }));
    let sentimental = vader_sentimental::SentimentIntensityAnalyzer::new();
    all.push(Contender::new("vader-sentimental", true, move |text| {
        sentimental.polarity_scores(text).compound
    }));
    let original = vader_sentiment::SentimentIntensityAnalyzer::new();
    all.push(Contender::new("vader_sentiment", true, move |text| {
        original.polarity_scores(text)["compound"]
    }));
    Ok(all)
}

/// The texts of a file: the `text` of each line of `.jsonl`, else each line.
fn texts(path: &str) -> Result<Vec<String>> {
    let content = std::fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))?;
    if !path.ends_with(".jsonl") {
        return Ok(content.lines().map(str::to_owned).collect());
    }
    let text_of = |(index, line): (usize, &str)| -> Result<String> {
        let place = || format!("{path}:{}", index + 1);
        let record: serde_json::Value = serde_json::from_str(line).with_context(place)?;
        let text = record["text"]
            .as_str()
            .context("`text` is no string")
            .with_context(place)?;
        Ok(text.to_owned())
    };
    content.lines().enumerate().map(text_of).collect()
}

/// The share of texts for which `other` gives another compound than `reference`, in per cent.
fn difference(reference: &Contender, other: &Contender, texts: &[String]) -> f64 {
    let differs = |text: &&String| {
        let gap = (reference.score)(text) - (other.score)(text);
        gap.abs() > SAME
    };
    100.0 * texts.iter().filter(differs).count() as f64 / texts.len() as f64
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, rounds) = match arguments.as_slice() {
        [path] if !path.starts_with('-') => (path, 5),
        [path, rounds] => (path, rounds.parse().context("ROUNDS is no number")?),
        _ => bail!("usage: moodring-peers FILE.jsonl|FILE.txt [ROUNDS]"),
    };
    let texts = texts(path)?;
    ensure!(
        !texts.is_empty() && rounds > 0,
        "nothing to measure in `{path}`"
    );

    let mut all = contenders()?;
    for _ in 0..rounds {
        for contender in &mut all {
            contender.run(&texts);
        }
    }

    let rate = |contender: &Contender| texts.len() as f64 / contender.best.as_secs_f64();
    println!(
        "{:<20} {:>12} {:>16} {:>12}",
        "scorer", "posts/s", "moodring is", "differs"
    );
    for contender in &all {
        let ratio = rate(&all[0]) / rate(contender);
        let differs = match contender.vader {
            true => format!("{:.2}%", difference(&all[0], contender, &texts)),
            false => "-".to_owned(),
        };
        println!(
            "{:<20} {:>12.0} {:>15.1}x {differs:>12}",
            contender.name,
            rate(contender),
            ratio
        );
    }
    Ok(())
}
