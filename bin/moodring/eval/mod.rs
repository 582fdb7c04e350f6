//! `moodring eval`: how well the models agree with labels that people gave.
//!
//! The pool scores and counts; [`eval_sink`] adds up what it releases, [`page`] prints the metrics.

mod eval_sink;
mod page;

use std::time::Instant;

use anyhow::anyhow;
use clap::Args;
use moodring_job::eval::{Labels, Reading, Scheme};
use moodring_job::{EvalSetup, Setup};
use moodring_pool::Delivery;
use moodring_record::FieldNames;

use crate::exit::{Failure, warn};
use crate::human::counted;
use crate::run::args::{InputArgs, ModelArgs, PoolArgs};
use crate::run::fields;
use crate::run::files::Files;
use crate::run::models::Models;
use crate::run::pool_failure;
use crate::run::pool_options::{PoolOptions, RECORD_TIMEOUT};
use crate::run::session::{Session, Settings};
use crate::run::source::{Scored, Source};
use crate::run::tasks::Tasks;
use eval_sink::{EvalSink, Totals};
use page::Numbers;

const EXAMPLES: &str = "\
Examples:
  moodring eval tweets.jsonl --label-field label --model vader,textblob
      Accuracy, F1 and recall of two models
  moodring eval reviews.csv --text-field review --label-field stars
      Stars from one to five: below three is negative, above it positive
  moodring eval posts.tsv --label-field emotion --labels joy=positive,anger=negative
      Labels of your own

Numeric labels are read as one of these scales, chosen by
the numbers that occur: 0/2/4, 0/1/2, 0/1, one to five
stars, half stars, ratings from 1 to 10, or, if any is
negative, by sign. Numbers that fit no scale, or that would
all be of one class, are an error; --labels states the
scale.";

/// Compare model scores with human labels.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    labels: LabelArgs,

    #[command(flatten)]
    models: ModelArgs,

    #[command(flatten)]
    pool: PoolArgs,
}

/// What people say, and how the answer is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Labels")]
struct LabelArgs {
    /// Field or column with the label: negative, neutral or positive, or a number
    #[arg(long, default_value = "label", value_name = "NAME")]
    label_field: String,

    /// Meaning of labels: LABEL=CLASS,..., or for numbers one of stars, half-stars, 1-10, 0/2/4, 0/1/2, 0/1, sign
    #[arg(long, value_name = "LABEL=CLASS,...")]
    labels: Option<Labels>,

    /// Print JSON, on one line
    #[arg(long)]
    json: bool,

    /// No progress bar
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command.
pub(crate) fn run(args: EvalArgs) -> Result<(), Failure> {
    let mut options = PoolOptions::from_args(&args.pool, RECORD_TIMEOUT);
    let fields = FieldNames {
        label: Some(args.labels.label_field.clone()),
        ..FieldNames::default()
    };
    let mut files = Files::default();
    files.write_stdout();
    files.write_notices();
    let source = Source::find(
        args.input,
        &options,
        fields,
        &files,
        Scored::Refuse("name each file that is to be compared"),
    )?;
    options.limit_to_shards(source.most_shards());
    let models = Models::read(&args.models, "")?;
    files.read_inputs(&source.inputs);
    files.read_models(&models.list);
    files.check()?;
    let labels = args.labels.labels.unwrap_or_default();
    let feed = source.open(Vec::new(), true)?;
    let mut sink = EvalSink::new(&feed, models.names.len(), source.text_field());
    let session = Session::new(Settings {
        command: "eval",
        output: None,
        quiet: args.labels.quiet,
        total_bytes: source.stored_bytes(),
        began: Instant::now(),
        pool: &options,
        in_process: false,
        unordered: false,
        delivery: Delivery::Inline,
        setup: Setup::Eval(EvalSetup {
            models: models.list.clone(),
            labels: labels.map,
        }),
        unfinished: Vec::new(),
        live: None,
    })?;
    let control = session.control();
    let mut tasks = Tasks::new(feed);
    tasks.end_with(control.clone());
    let ran = session.run(tasks, &mut sink);
    let totals = sink.close();

    ran.map_err(|error| pool_failure(error, |error| Failure::Failed(anyhow!(error))))?;
    if let Some(signal) = control.ended_by() {
        return Err(Failure::Interrupted(signal));
    }
    source.check_unchanged()?;
    check(&totals, &args.labels.label_field, &source)?;
    let numbers = numbers(&totals, labels.scheme, &args.labels.label_field)?;
    page::print(&models.names, &totals, numbers, args.labels.json)
}

/// Refuses totals that say nothing.
fn check(totals: &Totals, label_field: &str, source: &Source) -> Result<(), Failure> {
    if !totals.empty.is_empty() {
        return Err(Failure::Usage(anyhow!(
            "there is no record in `{}`; leave it out, or check that it is complete",
            totals.empty.join("`, `")
        )));
    }
    if totals.records == 0 {
        let warning = totals.rejects_warning.as_deref();
        return Err(Failure::Failed(anyhow!(
            "nothing was compared: {}",
            warning.unwrap_or("workers died on all records")
        )));
    }
    if let Some(warning) = &totals.rejects_warning {
        warn(warning);
    }
    if totals.records == totals.unlabelled {
        let missing = fields::missing(&source.inputs, "--label-field", label_field);
        let advice = missing.unwrap_or_else(|| "name another with --label-field".to_owned());
        return Err(Failure::Usage(anyhow!(
            "of {}, none has a label in the field `{label_field}`; {advice}",
            counted(totals.records, "record"),
        )));
    }
    Ok(())
}

/// What the numbers among the labels mean: as `said`, or as they look. Refuses to guess where a guess would be no better than
/// another one.
fn numbers(
    totals: &Totals,
    said: Option<Scheme>,
    label_field: &str,
) -> Result<Option<Numbers>, Failure> {
    // The labels are the same for all models.
    let Some(agreement) = totals.agreements.first() else {
        return Ok(None);
    };
    let refused = |why: String| {
        Err(Failure::Usage(anyhow!(
            "cannot tell what the numbers in `{label_field}` mean: {why}; say it with --labels and one of {}, \
             or with --labels NUMBER=CLASS,...",
            Scheme::names()
        )))
    };
    match (agreement.reading(), said) {
        (Reading::NoNumbers, _) => Ok(None),
        (_, Some(scheme)) => Ok(Some(Numbers {
            scheme,
            reason: "--labels says so",
        })),
        (Reading::Unknown { examples, more }, None) => {
            let mut listed = examples;
            listed.extend(more.then(|| "others".to_owned()));
            let listed = listed.join(", ");
            refused(format!("those there are ({listed}) fit no known scale"))
        }
        (Reading::Scale(scheme), None) => match agreement.only_class(scheme) {
            Some(class) => refused(format!(
                "read as {} ({}), all labels would be {}",
                scheme.name(),
                scheme.classes(),
                class.name()
            )),
            None => Ok(Some(Numbers {
                scheme,
                reason: scheme.evidence(),
            })),
        },
    }
}
