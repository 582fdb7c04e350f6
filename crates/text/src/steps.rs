//! The named steps of cleaning.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A step of cleaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Decodes HTML entities and removes tags.
    Html,
    /// Composes characters (Unicode's form NFC).
    Unicode,
    /// Hides web addresses from the models.
    Urls,
    /// Hides mentions of users from the models.
    Mentions,
}

impl Step {
    /// All steps, in the order in which they are taken.
    pub const ALL: [Self; 4] = [Self::Html, Self::Unicode, Self::Urls, Self::Mentions];

    /// Returns the name, as `--clean` spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Unicode => "unicode",
            Self::Urls => "urls",
            Self::Mentions => "mentions",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of steps. Read from their names, separated by commas, or `none`. They are taken in the order of [`Step::ALL`],
/// however they were named.
///
/// ```
/// use moodring_text::{Step, Steps};
///
/// let steps: Steps = "urls,html".parse()?;
/// assert!(steps.has(Step::Html) && !steps.has(Step::Unicode));
/// assert_eq!(steps.to_string(), "html,urls");
/// # Ok::<(), moodring_text::UnknownStep>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Steps(u8);

impl Steps {
    /// No step at all: texts stay as they are.
    pub const NONE: Self = Self(0);
    /// All steps.
    pub const ALL: Self = Self(0b1111);

    /// Returns whether the step is taken.
    #[must_use]
    pub fn has(self, step: Step) -> bool {
        self.0 & step.bit() != 0
    }
}

impl FromIterator<Step> for Steps {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().fold(0, |bits, step| bits | step.bit()))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = Step::ALL.into_iter().filter(|&step| self.has(step));
        let Some(first) = steps.next() else {
            return f.write_str("none");
        };
        f.write_str(first.name())?;
        steps.try_for_each(|step| write!(f, ",{}", step.name()))
    }
}

/// There is no step of this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no step of cleaning; write html, unicode, urls, mentions, several of them separated by commas, or none"
)]
pub struct UnknownStep(String);

impl FromStr for Steps {
    type Err = UnknownStep;

    fn from_str(typed: &str) -> Result<Self, UnknownStep> {
        if typed == "none" {
            return Ok(Self::NONE);
        }
        let step = |name: &str| {
            let found = Step::ALL.into_iter().find(|step| step.name() == name);
            found.ok_or_else(|| UnknownStep(name.to_owned()))
        };
        typed.split(',').map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for bits in 0..=Steps::ALL.0 {
            let steps = Steps(bits);
            assert_eq!(steps.to_string().parse(), Ok(steps));
        }
    }

    #[test]
    fn a_step_that_does_not_exist_is_named() {
        for (typed, name) in [
            ("", ""),
            ("html,", ""),
            ("html,url", "url"),
            ("none,html", "none"),
        ] {
            assert_eq!(
                typed.parse::<Steps>(),
                Err(UnknownStep(name.to_owned())),
                "{typed}"
            );
        }
    }
}
