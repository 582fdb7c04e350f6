//! What a person types after `--source`, such as `file:posts.jsonl?follow=no`.

mod error;
mod kinds;
mod spec;
mod typed;
mod values;

#[cfg(test)]
mod tests;

pub use error::SpecError;
pub use kinds::{KINDS, KindInfo, OptionInfo};
pub use spec::{Defaults, Listen, Place, Settings, Spec};
