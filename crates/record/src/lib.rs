//! Bytes in, records out, and scored records back to bytes.
//!
//! A source of posts is a run of bytes in some [`Format`]. [`Layout::detect`] looks at its head once and says how the
//! records lie in it; the layout then travels to the workers. A [`Framer`] finds where the source may be cut into
//! shards, a [`Reader`] walks the posts of one shard, and a [`Renderer`] writes each post back with its scores. A
//! record that cannot be read is a [`MalformedRecord`], which [`write_reject`] turns into a line of the rejects file.
//!
//! Nothing here does I/O, and nothing here knows how a text is scored.
//!
//! ```
//! use moodring_record::{
//!     FieldNames, ScoreColumn, Format, Layout, ModelColumns, Quoting, Reader, Renderer, added_names,
//! };
//!
//! let source = b"{\"id\":7,\"text\":\"what a day\"}\n";
//! let models = [ModelColumns {
//!     model: "vader".into(),
//!     prefix: String::new(),
//!     scores: vec![ScoreColumn { name: "compound".into(), decimals: Some(3) }],
//! }];
//! let names = FieldNames { text: "text".into(), ..FieldNames::default() };
//! let added = added_names(Format::Jsonl, &models);
//! let layout = Layout::detect(Format::Jsonl, Quoting::Auto, &names, &added, source, true)?;
//!
//! let renderer = Renderer::new(Format::Jsonl, &layout, &models);
//! let mut reader = Reader::new(&layout, source);
//! let mut out = Vec::new();
//! while let Some(record) = reader.next_record() {
//!     let post = record.expect("the line above is well formed");
//!     assert_eq!(post.text(), "what a day");
//!     renderer.write(&mut out, &post, &[0.5], "positive");
//! }
//! assert_eq!(out, b"{\"id\":7,\"text\":\"what a day\",\"vader\":{\"compound\":0.5},\"sentiment\":\"positive\"}\n");
//! # Ok::<(), moodring_record::LayoutError>(())
//! ```

mod encoding;
mod format;
mod layout;
mod table;

mod frame;
mod reader;

mod delimited;
mod json;
mod span;

mod name;
mod number;
mod own;
mod reject;
mod render;
mod scalar_fields;

pub use encoding::{ENCODING_SAMPLE, check as check_encoding};
pub use format::{
    BadDelimiter, Delimiter, Format, MAX_RECORD, OutputStyle, Quoting, ReadOptions, UnknownName,
};
pub use frame::{Boundary, Framer, FramingError, FramingErrorKind};
pub use json::MAX_COLUMNS;
pub use layout::{FieldNames, HEAD_LEN, Layout, LayoutError, ModelColumns, ScoreColumn, SplitMode};
pub use name::name_of;
pub use own::OwnOutput;
pub use reader::{Location, MalformedRecord, Post, RawRecord, Reader, RejectKind, RejectReason};
pub use reject::{RejectedBytes, write_reject};
pub use render::{Renderer, added_names};
pub use scalar_fields::ScalarFields;
pub use table::nearest_name;
