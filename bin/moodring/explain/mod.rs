//! `moodring explain`: shows how a text gets its score.
//!
//! The models explain themselves ([`Explainer`]); [`show`] prints their [`Explanation`](moodring_score::Explanation).

mod show;

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::anyhow;
use clap::Args;
use moodring_job::{BadModel, Model};
use moodring_score::Explainer;

use crate::exit::Failure;
use crate::run::args::ModelArgs;
use crate::run::models::Models;
use crate::streams::{self, Standard};

const EXAMPLES: &str = "\
Examples:
  moodring explain 'It was VERY good, but not great!'
      Show each token, the rules that changed its value, and the sum
  moodring explain 'not bad' --model vader,textblob
      Compare two models
  moodring explain < posts.txt
      Explain each line of a file
  moodring explain --json 'not bad'
      Print JSON for a program";

/// Show how a text gets its score.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// Text to explain [default: each line of standard input]
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    #[command(flatten)]
    models: ModelArgs,

    /// Print JSON: one object per text and model, one per line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let Models { list, names, .. } = Models::read(&args.models, "")?;
    let built: Result<Vec<_>, BadModel> = list.iter().map(Model::build).collect();
    let built = built.map_err(Failure::usage)?;
    let mut models = Vec::new();
    for (model, name) in built.iter().zip(names) {
        let explainer = model.explainer();
        models.push(
            explainer.ok_or_else(|| Failure::Usage(anyhow!("`{name}` cannot be explained")))?,
        );
    }
    if !args.text.is_empty() {
        return print(&models, &args.text.join(" "), args.json, false);
    }
    if streams::was_closed(Standard::Input) {
        return Err(Failure::Usage(anyhow!(
            "standard input is closed; give the texts to it, or one as an argument"
        )));
    }
    if io::stdin().is_terminal() {
        eprint(b"moodring: reading texts from the terminal, one per line; end with Ctrl-D\n");
    }
    let mut line = Vec::new();
    let mut stdin = io::stdin().lock();
    for number in 1_u64.. {
        line.clear();
        let read = stdin
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::Failed(anyhow!("cannot read standard input: {error}")))?;
        if read == 0 {
            break;
        }
        let text = std::str::from_utf8(line.trim_ascii_end()).map_err(|_| {
            Failure::Failed(anyhow!(
                "line {number} of standard input is not UTF-8; convert it, as `iconv -t UTF-8` does"
            ))
        })?;
        if !text.is_empty() {
            print(&models, text, args.json, true)?;
        }
    }
    Ok(())
}

fn eprint(notice: &[u8]) {
    let _ = io::stderr().write_all(notice);
}

/// Prints the explanations of one text, below the text if it is one of several.
fn print(
    models: &[&dyn Explainer],
    text: &str,
    json: bool,
    is_one_of_several: bool,
) -> Result<(), Failure> {
    let mut page = Vec::new();
    if is_one_of_several && !json {
        show::title(&mut page, text).map_err(Failure::failed)?;
    }
    for model in models {
        let explanation = model.explain(text).map_err(Failure::failed)?;
        if json {
            serde_json::to_writer(&mut page, &explanation).map_err(Failure::failed)?;
            page.push(b'\n');
        } else {
            show::write(&mut page, &explanation).map_err(Failure::failed)?;
        }
    }
    match io::stdout().write_all(&page) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        written => written.map_err(Failure::failed),
    }
}
