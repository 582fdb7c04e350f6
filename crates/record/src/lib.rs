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

mod columns;
mod name;
mod options;
mod scalar_fields;
mod span;

mod cursor;
mod frame;
mod raw_record;
mod reject_reason;

mod encoding;
mod formats;
mod layout_error;
mod number;

mod format;
mod layout;
mod output_style;
mod reader;
mod render;

mod own_output;
mod reject;

pub use columns::{FieldNames, ModelColumns, ScoreColumn, ValuesOf, nearest_name};
pub use encoding::{ENCODING_SAMPLE, check_encoding};
pub use formats::{Format, MAX_COLUMNS};
pub use frame::{Boundary, Framer, FramingError, FramingErrorKind};
pub use layout::{Layout, SplitMode};
pub use layout_error::{HEAD_LEN, LayoutError};
pub use name::name_of;
pub use options::{BadDelimiter, Delimiter, MAX_RECORD, Quoting, ReadOptions, UnknownName};
pub use output_style::OutputStyle;
pub use own_output::OwnOutput;
pub use raw_record::{Location, MalformedRecord, RawRecord};
pub use reader::{Post, Reader};
pub use reject::{RejectedBytes, write_reject};
pub use reject_reason::{RejectKind, RejectReason};
pub use render::{Renderer, added_names};
pub use scalar_fields::ScalarFields;
