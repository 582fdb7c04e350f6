//! The scores of each text of standard input, for the differential test of `scripts/reference.d/textblob_model.py`:
//! a JSON string per line in, polarity and subjectivity with a tab between them out.

use std::error::Error;
use std::io::{self, BufRead, BufWriter, Write};

use moodring_score::TextBlob;

fn main() -> Result<(), Box<dyn Error>> {
    let model = TextBlob::new();
    let mut output = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let sentiment = model.score(&text);
        writeln!(
            output,
            "{:?}\t{:?}",
            sentiment.polarity, sentiment.subjectivity
        )?;
    }
    Ok(output.flush()?)
}
