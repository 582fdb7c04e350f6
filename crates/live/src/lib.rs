//! Sentiment over time, as it happens.

mod rules;

pub use rules::{BadRules, SeriesKind, SeriesRules};
