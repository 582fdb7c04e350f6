//! Prepares text for scoring: cleaning, hashtags, tracked terms, language. Pure: no I/O and no clock.

mod cleaner;
mod hashtags;
mod html;
mod lang;
mod steps;
mod track;
mod urls;
mod words;

pub use cleaner::Cleaner;
pub use hashtags::{Hashtags, hashtags, lowercase_into};
pub use lang::{Lang, UnknownLang};
pub use steps::{Step, Steps, UnknownStep};
pub use track::{BadTerm, MAX_TERMS, Track};
