//! Sentiment of a text: text in, scores out. Pure: no I/O, no clock, no allocation per post on the ordinary path.
//!
//! The principal type is [`Scorer`], a model that writes the scores of a text. [`MODELS`] lists all models: the
//! command line and the workers know them only from there. [`Explainer`] tells how a text gets its scores.
//!
//! ```
//! use moodring_score::{BuildArgs, find};
//!
//! let model = (find("vader")?.build)(&BuildArgs::default())?;
//! let mut scores = vec![0.0; model.fields().len()];
//! model.score("What a lovely day!", &mut scores)?;
//! assert_eq!(scores[model.primary()], 0.6239);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod block;
mod class;
mod explanation;
mod registry;
mod scorer;
#[cfg(target_arch = "x86_64")]
mod sse2;
pub mod textblob;
pub mod vader;
mod zero;

pub use class::SentimentClass;
pub use explanation::{AppliedRule, ExplainedWord, Explanation, NamedValue};
pub use registry::{BuildArgs, BuildError, MODELS, ModelSpec, UnknownModel, find, listed};
pub use scorer::{Decimals, Explainer, ScoreError, ScoreField, Scorer};
pub use textblob::TextBlob;
pub use vader::Vader;
