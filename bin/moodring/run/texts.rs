//! Which texts are scored, and what is done to them before.

use anyhow::anyhow;
use clap::Args;
use moodring_job::TextRules;
use moodring_text::{Lang, Steps, Track};

/// What happens to texts before they are scored.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Text")]
pub(crate) struct TextArgs {
    /// Steps of cleaning before a text is scored, separated by commas: html (decode entities, remove tags), unicode
    /// (compose characters), urls and mentions (score the text as if they were not there), or none. The output keeps each
    /// text as it was [default: none; all steps in a run with windows]
    #[arg(long, value_name = "STEP,...")]
    pub(crate) clean: Option<Steps>,

    /// Score only posts in these languages, by their ISO 639-1 codes such as en; the output lacks all others
    #[arg(long, value_name = "CODE,...", value_delimiter = ',')]
    pub(crate) lang: Vec<Lang>,

    /// Score only posts with one of these words or phrases, in any case; the output lacks all others
    #[arg(long, value_name = "TERM,...", value_delimiter = ',')]
    pub(crate) track: Vec<String>,
}

impl TextArgs {
    /// What the flags mean, where texts are cleaned by `clean` unless they say otherwise.
    pub(crate) fn rules(self, clean: Steps) -> Result<TextRules, anyhow::Error> {
        let track: Vec<_> = self
            .track
            .iter()
            .map(|term| term.trim().to_owned())
            .collect();
        if !track.is_empty() {
            Track::new(&track).map_err(|bad| anyhow!("--track: {bad}"))?;
        }
        Ok(TextRules {
            clean: self.clean.unwrap_or(clean),
            langs: self.lang.iter().map(Lang::to_string).collect(),
            track,
        })
    }
}
