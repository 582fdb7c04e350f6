//! Shows which words moved the mean of a model over the lines of standard input: `words MODEL [COUNT]`.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead};

use moodring_score::{BuildArgs, find};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: words MODEL [COUNT]")?;
    let shown = arguments.next().map_or(Ok(10), |count| count.parse())?;
    let model = (find(&name)?.build)(&BuildArgs::default())?;
    let explainer = model
        .explainer()
        .ok_or_else(|| format!("{name} cannot be explained"))?;

    let (mut posts, mut words) = (0.0, HashMap::<String, f64>::new());
    for line in io::stdin().lock().lines() {
        explainer.contributions(&line?, &mut |word, value| {
            *words.entry(word.to_lowercase()).or_default() += value;
        })?;
        posts += 1.0;
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_by(|(_, one), (_, other)| other.abs().total_cmp(&one.abs()));
    for (word, sum) in words.into_iter().take(shown) {
        println!("{:+.5}  {word}", sum / posts);
    }
    Ok(())
}
