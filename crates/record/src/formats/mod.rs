//! The formats of sources and outputs, a folder or file for each.
//!
//! A format implements [`record_format::RecordFormat`] (detect, frame, parse, render), describes itself in a
//! [`record_format::FormatSpec`], and has one line in [`registry`]. Everything else asks the registry.

mod format_reader;
mod record_format;
mod registry;
mod scores;

mod delimited;
mod jsonl;
mod text;

pub(crate) use format_reader::Parsed;
pub use jsonl::MAX_COLUMNS;
pub(crate) use jsonl::write_string;
pub(crate) use record_format::{Detected, Head, PostFields};
pub use registry::Format;
pub(crate) use registry::{AnyBody, AnyFormat, AnyReader, AnyRenderer};
