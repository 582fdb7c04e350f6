//! Prints the scores of texts, for the differential test of `scripts/reference`: `scores MODEL` reads a JSON string
//! per line and writes the scores of the text, separated by tabs.

use std::error::Error;
use std::io::{self, BufRead, BufWriter, Write};

use moodring_score::{BuildArgs, find};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).ok_or("usage: scores MODEL")?;
    let model = (find(&name)?.build)(&BuildArgs::default())?;
    let mut scores = vec![0.0; model.fields().len()];
    let mut output = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        model.score(&text, &mut scores)?;
        let columns: Vec<_> = scores.iter().map(|score| format!("{score:?}")).collect();
        writeln!(output, "{}", columns.join("\t"))?;
    }
    Ok(output.flush()?)
}
