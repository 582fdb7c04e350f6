//! Sentiment over time, as it happens.
