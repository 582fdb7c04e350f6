//! The models that were asked for.

use std::ffi::OsString;

use anyhow::anyhow;
use moodring_job::{BadModel, Model, columns};
use moodring_record::ModelColumns;

use super::args::ModelArgs;
use crate::exit::Failure;

/// Models that are known to work.
#[derive(Debug)]
pub(crate) struct Models {
    /// What the workers are told of them.
    pub(crate) list: Vec<Model>,
    /// What they are called in the output.
    pub(crate) names: Vec<String>,
    /// What they add to a record.
    pub(crate) columns: Vec<ModelColumns>,
}

impl Models {
    /// Reads their files, and makes each once to see that it can be made. What they add gets the `prefix`.
    pub(crate) fn read(args: &ModelArgs, prefix: &str) -> Result<Self, Failure> {
        let read = |name: &OsString| Model::read(name, args.lexicon_extend);
        let models: Result<Vec<_>, BadModel> = args.model.iter().map(read).collect();
        let models = models.map_err(Failure::usage)?;
        if args.lexicon_extend && !models.iter().any(|model| model.vader_list().is_some()) {
            return Err(Failure::Usage(anyhow!(
                "--lexicon-extend needs a list to extend by; add --model lexicon:FILE"
            )));
        }
        let built: Result<Vec<_>, BadModel> = models.iter().map(Model::build).collect();
        let columns = columns(&built.map_err(Failure::usage)?, prefix);
        let names: Vec<_> = columns.iter().map(|column| column.model.clone()).collect();
        let twice = (1..names.len()).find(|&at| names[..at].contains(&names[at]));
        if let Some(at) = twice {
            return Err(Failure::Usage(anyhow!(
                "--model names {} twice; their scores could not be told apart",
                names[at]
            )));
        }
        Ok(Self {
            list: models,
            names,
            columns,
        })
    }
}
