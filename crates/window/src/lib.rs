//! Sentiment over event time.
//!
//! Posts carry the time at which they were written, and arrive later and out of order. [`Fold`] takes them one by one and
//! keeps, for each pane of time and each group of posts, an [`Aggregate`] that merges exactly in any order. A
//! [`Watermarks`] says up to when posts can be expected to be complete; behind it panes are final, and posts that come late
//! correct them for a while. Windows are views over panes: see [`View`].
//!
//! Everything here is pure: no I/O, no threads, and no clock. What time it is is an argument.

mod aggregate;
mod books;
mod cell;
mod dedupe;
mod fold;
mod grid;
mod groups;
mod hash;
mod rollup;
mod score;
mod time;
mod watermark;
mod windows;

pub use aggregate::{Aggregate, EXTREMES, Extremes, Histogram, Sample, Tag, TagCount, Tags};
pub use books::{Books, Outcome};
pub use cell::Cell;
pub use dedupe::Dedupe;
pub use fold::{Fold, Row, Rules, Scope};
pub use grid::{BadGrid, Grid, PaneIndex};
pub use groups::{Dimension, GroupId, GroupKey, Groups};
pub use hash::stable_hash;
pub use jiff::tz::TimeZone;
pub use rollup::{Level, levels, roll_up};
pub use score::{Class, Score};
pub use time::{BadTime, Timestamp};
pub use watermark::{Activity, Patience, SourceId, Watermarks};
pub use windows::{View, Window, WindowState};
