//! Windows as views over panes.

use std::collections::VecDeque;
use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::cell::Cell;
use crate::grid::PaneIndex;

/// Which windows are looked at: each of `length` panes, beginning at each multiple of `slide` panes. Tumbling windows have a
/// slide as long as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    length: i64,
    slide: i64,
}

/// Whether a window can still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowState {
    /// Posts may still be missing.
    Provisional,
    /// The watermark has passed its end.
    Final,
    /// Posts came after it was final, and are in it now.
    Corrected,
}

/// A window of one group with at least one post.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its first pane.
    pub first: PaneIndex,
    /// Its last pane.
    pub last: PaneIndex,
    /// What is known of its posts.
    pub aggregate: Aggregate,
    /// Whether it can still change.
    pub state: WindowState,
    /// How many posts came after it was final.
    pub revision: u64,
    /// Whether one of its panes was closed before its end.
    pub partial: bool,
}

impl View {
    /// How many windows a post may be in: the length divided by the slide. Each of them takes memory at the same time.
    pub const MAX_OVERLAP: i64 = 10_000;

    /// Windows of `length` panes, one at each multiple of `slide` panes; `None` unless both are positive and `length` is a
    /// multiple of `slide`, at most [`MAX_OVERLAP`](Self::MAX_OVERLAP) times as long.
    #[must_use]
    pub fn new(length: i64, slide: i64) -> Option<Self> {
        let is_multiple = slide > 0 && length > 0 && length % slide == 0;
        (is_multiple && length / slide <= Self::MAX_OVERLAP).then_some(Self { length, slide })
    }

    /// Collects what [`for_each`](Self::for_each) passes.
    pub fn windows<'c>(
        &self,
        cells: impl IntoIterator<Item = (PaneIndex, &'c Cell)>,
        last_final: Option<PaneIndex>,
        max_tags: usize,
    ) -> Vec<Window> {
        let mut windows = Vec::new();
        let collect = |window| {
            windows.push(window);
            Ok(())
        };
        let Ok(()) = self.for_each::<Infallible>(cells, last_final, max_tags, collect);
        windows
    }

    /// Passes the windows that hold any of `cells`, which are panes of one group in the order of time, to `visit`, in the same
    /// order. `last_final` is the last pane that is final.
    ///
    /// # Errors
    /// The first error of `visit`, after which nothing more is passed.
    pub fn for_each<'c, E>(
        &self,
        cells: impl IntoIterator<Item = (PaneIndex, &'c Cell)>,
        last_final: Option<PaneIndex>,
        max_tags: usize,
        mut visit: impl FnMut(Window) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut open: VecDeque<(PaneIndex, Cell)> = VecDeque::new();
        let close = |(first, cell): (PaneIndex, Cell)| {
            let last = first + self.length - 1;
            let is_final = last_final.is_some_and(|last_final| last <= last_final);
            let revision = if is_final {
                cell.corrections_after(last)
            } else {
                0
            };
            let state = match (is_final, revision) {
                (false, _) => WindowState::Provisional,
                (true, 0) => WindowState::Final,
                (true, _) => WindowState::Corrected,
            };
            Window {
                first,
                last,
                aggregate: cell.aggregate,
                state,
                revision,
                partial: cell.partial,
            }
        };
        for (pane, cell) in cells {
            while let Some((first, _)) = open.front()
                && first + self.length <= pane
            {
                open.pop_front().map(close).map_or(Ok(()), &mut visit)?;
            }
            let mut first = match open.back() {
                Some((first, _)) => first + self.slide,
                None => (pane - self.length + 1).next_multiple(self.slide),
            };
            first = first.max((pane - self.length + 1).next_multiple(self.slide));
            while first <= pane {
                open.push_back((first, Cell::default()));
                first += self.slide;
            }
            for (_, window) in &mut open {
                window.merge(cell, max_tags);
            }
        }
        open.into_iter().map(close).try_for_each(visit)
    }
}

trait NextMultiple {
    fn next_multiple(self, of: i64) -> i64;
}

impl NextMultiple for i64 {
    /// The least multiple of `of` that is not below.
    fn next_multiple(self, of: i64) -> i64 {
        -(-self).div_euclid(of) * of
    }
}
