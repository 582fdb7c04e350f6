//! `moodring explain`: why a text has the score it has.
//!
//! What is shown is what the scoring code itself reports to an observer while it scores; nothing is worked out a second
//! time. [`vader`] and [`textblob`] listen to their models and tell it as an [`Explanation`]; [`show`] prints that.

mod show;
mod textblob;
mod vader;

use std::io::{self, Read, Write};

use anyhow::{Context, anyhow};
use clap::Args;
use moodring_score::Mood;
use serde::Serialize;

use crate::exit::Failure;
use crate::run::args::ModelArgs;
use crate::run::models::Models;

/// Show why a text has the score it has.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The text; standard input if absent
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    #[command(flatten)]
    models: ModelArgs,

    /// Print JSON: one object per model, on a line each
    #[arg(long)]
    json: bool,
}

/// How a model came to its figures.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Explanation {
    model: String,
    text: String,
    /// The tokens in the order of the text.
    tokens: Vec<Token>,
    /// How what the tokens say is summed up, in order.
    sums: Vec<Sum>,
    /// What the model says in the end.
    figures: Vec<Sum>,
    sentiment: &'static str,
}

/// One token and what happened to it.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Token {
    text: String,
    /// What it adds in the end, where the model has such a thing.
    value: Option<f64>,
    rules: Vec<Step>,
}

/// A rule that touched a token.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Step {
    rule: String,
    /// What the token added after it, where the rule changed that.
    value: Option<f64>,
}

/// A named number.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Sum {
    name: &'static str,
    value: f64,
}

impl Sum {
    fn new(name: &'static str, value: f64) -> Self {
        Self { name, value }
    }
}

fn sentiment(headline: f64) -> &'static str {
    Mood::of(headline).name()
}

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let text = match &args.text[..] {
        [] => read_stdin()?,
        words => words.join(" "),
    };
    let mut page = Vec::new();
    let Models { list, names, .. } = Models::read(&args.models, "")?;
    for (model, name) in list.iter().zip(names) {
        let explanation = match model.vader().map_err(Failure::usage)? {
            Some(vader) => vader::explain(&vader, name, &text),
            None if name == "textblob" => textblob::explain(&text),
            None => return Err(Failure::Usage(anyhow!("`{name}` has nothing to explain"))),
        };
        if args.json {
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

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.context("cannot read a text from standard input")
        .map_err(Failure::Failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
