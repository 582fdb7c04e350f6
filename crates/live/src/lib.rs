//! Sentiment over time, as it happens.
//!
//! What workers made of blocks of posts is folded by a [`Stream`], the state of the run: pure, with time as an argument. Its
//! [`Snapshot`]s are what is saved.
//! [`Folder`] alone maps the rows of workers to a fold, for runs over files too; [`encoding`] is how panes are stored, and
//! [`SeriesRules`] are what is stored beside them.
//! [`history`] reads all that back.

mod aside;
pub mod encoding;
mod folder;
pub mod history;
mod rules;
mod stream;

pub use aside::{Aside, Role};
pub use folder::{BadRows, Folder};
pub use rules::{BadRules, SeriesKind, SeriesRules};
pub use stream::{
    BadReport, BadSaved, Block, BlockSegment, Saved, Snapshot, SourceName, SourceView, Stream,
    StreamRules,
};
