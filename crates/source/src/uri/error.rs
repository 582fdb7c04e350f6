//! What can be wrong with a source as it was typed.

use thiserror::Error;

use super::kinds::{KINDS, KindInfo};

/// Why a source cannot be used as it was typed. Each message names the source and says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// There is no kind before the address.
    #[error(
        "the source \"{typed}\" names no kind: for a file write \"file:{typed}\"; the kinds are {}",
        kinds()
    )]
    NoKind {
        /// What was typed.
        typed: String,
    },
    /// There is no such kind.
    #[error("there is no kind of source \"{kind}:\"{}: the kinds are {}", did_you_mean(.near.as_deref()), kinds())]
    UnknownKind {
        /// What stands before the colon.
        kind: String,
        /// The kind that may have been meant.
        near: Option<String>,
    },
    /// The kind takes no such option.
    #[error("\"{kind}:\" takes no option \"{option}\"{}: its options are {}", did_you_mean(.near.as_deref()), options(.kind))]
    UnknownOption {
        /// The kind.
        kind: &'static str,
        /// What stands before the `=`.
        option: String,
        /// The option that may have been meant.
        near: Option<String>,
    },
    /// An option has a value that it cannot have.
    #[error("the option {option}=\"{value}\" of \"{kind}:\": {why}")]
    BadValue {
        /// The kind.
        kind: &'static str,
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// An option is given more than once.
    #[error("the option {option}= of \"{kind}:\" is given twice: give it once")]
    Twice {
        /// The kind.
        kind: &'static str,
        /// The option.
        option: &'static str,
    },
    /// Something is missing behind the colon.
    #[error("\"{kind}:\" needs {address} behind the colon, as in \"{example}\"")]
    NoAddress {
        /// The kind.
        kind: &'static str,
        /// What is missing.
        address: &'static str,
        /// A source as it may be.
        example: &'static str,
    },
    /// What stands behind the colon is wrong.
    #[error("\"{kind}:{address}\": {why}")]
    BadAddress {
        /// The kind.
        kind: &'static str,
        /// What stands there.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// The source cannot be read in this way.
    #[error("cannot use the source \"{name}\": {why}")]
    Unusable {
        /// The source.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!(" (did you mean \"{near}\"?)"))
}

fn kinds() -> String {
    let shown = KINDS
        .iter()
        .map(|kind| format!("{}:{}", kind.name, kind.address));
    shown.collect::<Vec<_>>().join(", ")
}

fn options(kind: &str) -> String {
    let kind = KINDS.iter().find(|known| known.name == kind);
    let options = kind.into_iter().flat_map(KindInfo::options);
    options
        .map(|option| option.name)
        .collect::<Vec<_>>()
        .join(", ")
}
