//! Inputs of a run: files, folders, globs and standard input.
//!
//! [`expand`] turns arguments into [`Input`]s. A [`Feed`] cuts them, one after another, into [`Shard`]s: pieces of
//! work for one worker each. A shard of an uncompressed file on disk is a range of bytes, which the worker reads
//! itself. An input that can only be read once, sequentially (standard input, a pipe, a compressed file), is read
//! here, and its shards are blocks of whole records.
//!
//! The feed reads at most one block ahead, so its memory does not grow with its inputs. It parses records only as far
//! as needed to find their ends.
//!
//! ```
//! use moodring_feed::{Feed, FeedOptions, ShardContent, expand};
//! use moodring_record::{FieldNames, ReadOptions};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("posts.txt"), "what a day\nnot again\n")?;
//!
//! let inputs = expand(&[folder.path().into()], None)?.inputs;
//! let mut feed = Feed::new(inputs, FeedOptions {
//!     shard_size: 1 << 20,
//!     block_size: 1 << 20,
//!     reading: ReadOptions::default(),
//!     fields: FieldNames { text: "text".into(), ..FieldNames::default() },
//!     added: Vec::new(),
//!     replace: false,
//!     columns: None,
//!     all_fields: false,
//! });
//! let shard = feed.next_shard()?.expect("the file is not empty");
//! assert_eq!(shard.content, ShardContent::Range { start: 0, end: 21 });
//! assert!(feed.next_shard()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod error;
mod expand;
mod feed;
mod input;
mod own;
mod pattern;
mod ranges;
mod shard;
mod stream;

pub use error::FeedError;
pub use expand::{Expanded, Skipped, expand};
pub use feed::{AbsentColumn, Feed, FeedOptions};
pub use input::{Input, Origin};
pub use moodring_record::name_of;
pub use own::own_output;
pub use shard::{Position, Shard, ShardContent, SourceId};
