//! What a person types after `--source`, such as `file:posts.jsonl?follow=no`.

mod error;
mod kinds;
mod spec;
mod typed;

pub use error::SpecError;
pub use kinds::{KINDS, KindInfo, OptionInfo};
pub use spec::{Defaults, Place, Settings, Spec};
