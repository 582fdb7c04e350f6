//! The models of a run.

use std::ffi::OsString;

use anyhow::anyhow;
use moodring_job::{BadModel, Model, columns_of};
use moodring_record::ModelColumns;

use super::args::ModelArgs;
use crate::exit::Failure;

/// Models that can be built.
#[derive(Debug)]
pub(crate) struct Models {
    /// What the workers build them from.
    pub(crate) list: Vec<Model>,
    /// Their names in the output.
    pub(crate) names: Vec<String>,
    /// The columns that they add to a record.
    pub(crate) columns: Vec<ModelColumns>,
}

impl Models {
    /// Reads the files of the models, and builds each once to see that it can be built. The names of the columns get the
    /// `prefix`.
    pub(crate) fn read(args: &ModelArgs, prefix: &str) -> Result<Self, Failure> {
        let read = |name: &OsString| Model::read(name, args.lexicon_extend);
        let models: Result<Vec<_>, BadModel> = args.model.iter().map(read).collect();
        let models = models.map_err(Failure::usage)?;
        if args.lexicon_extend && !models.iter().any(Model::extends) {
            return Err(Failure::Usage(anyhow!(
                "--lexicon-extend needs a list to extend by; add --model lexicon:FILE"
            )));
        }
        let built: Result<Vec<_>, BadModel> = models.iter().map(Model::build).collect();
        let built = built.map_err(Failure::usage)?;
        let columns: Vec<_> = built
            .iter()
            .map(|model| columns_of(&**model, prefix))
            .collect();
        let names: Vec<_> = built.iter().map(|model| model.name().to_owned()).collect();
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
