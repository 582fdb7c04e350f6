//! The scores of each text of standard input, for the differential test of `scripts/reference`: a JSON string per line
//! in; neg, neu, pos and compound with tabs between them out.

use std::error::Error;
use std::io::{self, BufRead, BufWriter, Write};

use moodring_score::Vader;

fn main() -> Result<(), Box<dyn Error>> {
    let vader = Vader::new();
    let mut output = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let scores = vader.score(&text);
        writeln!(
            output,
            "{:?}\t{:?}\t{:?}\t{:?}",
            scores.neg, scores.neu, scores.pos, scores.compound
        )?;
    }
    Ok(output.flush()?)
}
