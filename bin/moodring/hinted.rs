//! Value parsers that tell shell completions which values are common.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};

/// Parses as `parser` does, which may accept other values too.
#[derive(Debug, Clone)]
pub(crate) struct Hinted<P> {
    parser: P,
    values: Vec<&'static str>,
}

/// Adds hints to a parser.
pub(crate) fn hinted<P>(parser: P, values: impl IntoIterator<Item = &'static str>) -> Hinted<P> {
    let values = values.into_iter().collect();
    Hinted { parser, values }
}

impl<P: TypedValueParser> TypedValueParser for Hinted<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        self.parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values.iter().map(PossibleValue::new)))
    }
}
