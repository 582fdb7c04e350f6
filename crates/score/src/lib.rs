//! Sentiment of a text: text in, scores out. Pure: no I/O, no clock, no allocation per post on the ordinary path.
//!
//! The principal type is [`Scorer`], a model that can be asked for the [`Scores`] of a text. [`Vader`] is the default
//! model; [`build`] makes one by its name, as `--model` spells it.

mod block;
mod registry;
mod scorer;
#[cfg(target_arch = "x86_64")]
mod sse2;
pub mod textblob;
pub mod vader;

pub use registry::{UnknownModel, Zero, build};
pub use scorer::{Decimals, MAX_SCORE_FIELDS, ScoreField, Scorer, Scores, SentimentClass};
pub use textblob::TextBlob;
pub use vader::Vader;
