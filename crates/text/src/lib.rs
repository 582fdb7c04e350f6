//! Prepares text for scoring: cleaning, hashtags, tracked terms, language. Pure: no I/O and no clock.

mod hashtags;
mod steps;
mod urls;
mod words;

pub use hashtags::{hashtags, lowercase_into};
pub use steps::{Step, Steps, UnknownStep};
