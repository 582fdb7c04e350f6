//! The models of a job, applied to one text after the other.

use std::ops::Range;

use moodring_record::{ModelColumns, RejectKind, ScoreColumn};
use moodring_score::{Decimals, ScoreError, ScoreField, Scorer};

use crate::message::Unfit;
use crate::model::{BadModel, Model};

/// Models, with room for the scores of one text.
#[derive(Default)]
pub(crate) struct Scorers {
    list: Vec<Placed>,
    /// The scores of all models for the text that was scored last.
    scores: Vec<f64>,
}

/// A model, and where its scores are among those of all models.
struct Placed {
    model: Box<dyn Scorer>,
    scores: Range<usize>,
    /// The place of the primary score.
    primary: usize,
}

impl Placed {
    /// Scores a text into the scores of all models.
    #[inline]
    fn score(&self, text: &str, scores: &mut [f64]) -> Result<(), Unfit> {
        let scores = &mut scores[self.scores.clone()];
        let result = self.model.score(text, scores);
        result.map_err(|error| unfit(self.model.name(), &error))
    }
}

impl Scorers {
    pub(crate) fn build(models: &[Model]) -> Result<Self, BadModel> {
        let models: Result<Vec<_>, _> = models.iter().map(Model::build).collect();
        Ok(Self::new(models?))
    }

    pub(crate) fn new(models: Vec<Box<dyn Scorer>>) -> Self {
        let mut scorers = Self::default();
        for model in models {
            let start = scorers.scores.len();
            let end = start + model.fields().len();
            scorers.scores.resize(end, 0.0);
            scorers.list.push(Placed {
                primary: start + model.primary(),
                scores: start..end,
                model,
            });
        }
        scorers
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns the columns that the models add to a record, with `prefix` before their names.
    pub(crate) fn columns(&self, prefix: &str) -> Vec<ModelColumns> {
        let models = self.list.iter();
        models
            .map(|placed| columns_of(&*placed.model, prefix))
            .collect()
    }

    /// Scores a text with every model, for [`scores`](Self::scores) and [`primaries`](Self::primaries).
    #[inline]
    pub(crate) fn score(&mut self, text: &str) -> Result<(), Unfit> {
        for placed in &self.list {
            placed.score(text, &mut self.scores)?;
        }
        Ok(())
    }

    /// Scores a text with the first model only, and returns its primary score.
    pub(crate) fn score_first(&mut self, text: &str) -> Result<f64, Unfit> {
        let Some(first) = self.list.first() else {
            return Ok(0.0);
        };
        first.score(text, &mut self.scores)?;
        Ok(self.scores[first.primary])
    }

    /// Returns the scores of all models, in order.
    pub(crate) fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// Returns the primary score of each model, in order.
    pub(crate) fn primaries(&self) -> impl Iterator<Item = f64> {
        self.list.iter().map(|placed| self.scores[placed.primary])
    }
}

#[cold]
fn unfit(model: &str, error: &ScoreError) -> Unfit {
    Unfit {
        reason: format!("the model {model} cannot score the text: {error}"),
        kind: RejectKind::NotScored,
    }
}

/// Returns the columns that `model` adds to a record, with `prefix` before their names.
#[must_use]
pub fn columns_of(model: &dyn Scorer, prefix: &str) -> ModelColumns {
    let column = |field: &ScoreField| ScoreColumn {
        name: field.name.clone().into_owned(),
        decimals: match field.decimals {
            Decimals::Rounded(decimals) => Some(decimals),
            Decimals::Shortest => None,
        },
    };
    ModelColumns {
        model: model.name().to_owned(),
        prefix: prefix.to_owned(),
        scores: model.fields().iter().map(column).collect(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A model that cannot score texts with a certain word, and whose name and fields are not known at compile time.
    pub(crate) struct Picky {
        pub(crate) name: String,
        pub(crate) refuses: String,
        pub(crate) fields: Vec<ScoreField>,
    }

    impl Picky {
        pub(crate) fn new(name: &str, refuses: &str, fields: usize) -> Self {
            let field = |index| ScoreField {
                name: format!("class-{index}").into(),
                decimals: Decimals::Shortest,
            };
            Self {
                name: name.to_owned(),
                refuses: refuses.to_owned(),
                fields: (0..fields).map(field).collect(),
            }
        }
    }

    impl Scorer for Picky {
        fn name(&self) -> &str {
            &self.name
        }

        fn fields(&self) -> &[ScoreField] {
            &self.fields
        }

        fn primary(&self) -> usize {
            self.fields.len() - 1
        }

        fn score(&self, text: &str, scores: &mut [f64]) -> Result<(), ScoreError> {
            if text.contains(&self.refuses) {
                return Err(ScoreError::new(format!("it contains {}", self.refuses)));
            }
            for (index, score) in (0_u32..).zip(scores) {
                *score = f64::from(index) / 8.0;
            }
            Ok(())
        }
    }

    #[test]
    fn a_model_may_have_any_name_and_any_number_of_scores() {
        let models: Vec<Box<dyn Scorer>> = vec![
            Box::new(Picky::new("first", "x", 7)),
            Box::new(Picky::new("second", "y", 1)),
        ];
        let mut scorers = Scorers::new(models);
        let columns = scorers.columns("my_");
        assert_eq!(columns[0].scores.len(), 7);
        assert_eq!(columns[1].scores[0].name, "class-0");
        scorers.score("good").unwrap();
        assert_eq!(scorers.scores().len(), 8);
        assert_eq!(scorers.primaries().collect::<Vec<_>>(), [0.75, 0.0]);
        assert_eq!(
            scorers.score("xy").unwrap_err().reason,
            "the model first cannot score the text: it contains x"
        );
    }
}
