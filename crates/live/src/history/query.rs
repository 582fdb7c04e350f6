//! Combines the panes of a state into windows.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::time::Duration;

use moodring_store::state::{GroupRow, Snapshot, Which};
use moodring_window::{Cell, GroupKey, PaneIndex, Timestamp, View, Window};

use super::error::HistoryError;
use super::series::{Limited, SavedSeries};
use super::window_row::{Owner, WindowRow};
use crate::encoding::decode_cell;

/// Which series a query covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SeriesChoice {
    /// The newest.
    #[default]
    Newest,
    /// All of them.
    All,
    /// The one with this number.
    One(i64),
}

/// Which windows a query returns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowQuery {
    /// The earliest start of a window.
    pub from: Option<Timestamp>,
    /// The time before which a window must begin.
    pub to: Option<Timestamp>,
    /// The width of the windows; by default that of the series.
    pub window: Option<Duration>,
    /// The time from the start of one window to the start of the next; by default `window`, or without it that of the
    /// series.
    pub slide: Option<Duration>,
    /// The dimension; by default the first one of the series.
    pub group_by: Option<String>,
    /// One group of it; all by default.
    pub group: Option<String>,
    /// The series.
    pub series: SeriesChoice,
}

/// Calls `visit` with each window, ordered by series, group and time. Returns the series whose oldest windows are left
/// out, because their panes have been rolled up and the query gives no start.
///
/// Keeps the panes of one group in memory at a time.
///
/// # Errors
/// [`HistoryError`].
pub fn windows(
    snapshot: &Snapshot<'_>,
    query: &WindowQuery,
    visit: &mut dyn FnMut(WindowRow) -> io::Result<()>,
) -> Result<Vec<Limited>, HistoryError> {
    let mut limited = Vec::new();
    for series in chosen(snapshot, query.series)? {
        let series = SavedSeries::new(series)?;
        limited.extend(windows_of(snapshot, &series, query, visit)?);
    }
    Ok(limited)
}

fn chosen(
    snapshot: &Snapshot<'_>,
    choice: SeriesChoice,
) -> Result<Vec<moodring_store::state::Series>, HistoryError> {
    let all = snapshot.all_series()?;
    match choice {
        SeriesChoice::All => Ok(all),
        SeriesChoice::Newest => Ok(all.into_iter().next_back().into_iter().collect()),
        SeriesChoice::One(wanted) => match all.iter().find(|series| series.id.0 == wanted) {
            Some(series) => Ok(vec![series.clone()]),
            None => Err(HistoryError::NoSeries {
                wanted,
                known: all
                    .iter()
                    .map(|series| series.id.0.to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        },
    }
}

/// A query in units of the panes of a series.
struct Plan {
    view: View,
    length: i64,
    dimension: u16,
    /// The panes at which windows may begin.
    starts: Range<PaneIndex>,
    limited: Option<Limited>,
}

fn windows_of(
    snapshot: &Snapshot<'_>,
    series: &SavedSeries,
    query: &WindowQuery,
    visit: &mut dyn FnMut(WindowRow) -> io::Result<()>,
) -> Result<Option<Limited>, HistoryError> {
    let plan = plan(snapshot, series, query)?;
    let last_final = series.last_final();
    let first_partial = series.first_partial();
    for (group, key) in groups(snapshot, series, &plan, query)? {
        let owner = Owner {
            series: Some(series.series.id.0),
            group_by: &series.rules.kind.group_by[usize::from(plan.dimension)],
            group: &key,
        };
        let cells = cells(snapshot, series, &plan, group)?;
        let cells = cells.iter().map(|(pane, cell)| (*pane, cell));
        let show = |mut window: Window| {
            window.partial |= first_partial.is_some_and(|first| window.last >= first);
            let is_asked = plan.starts.contains(&window.first);
            let row = is_asked.then(|| WindowRow::new(&owner, &series.grid, &window));
            row.flatten().map_or(Ok(()), &mut *visit)
        };
        plan.view
            .for_each(cells, last_final, series.rules.max_tags, show)?;
    }
    Ok(plan.limited)
}

/// Translates a query into panes of the series.
fn plan(
    snapshot: &Snapshot<'_>,
    series: &SavedSeries,
    query: &WindowQuery,
) -> Result<Plan, HistoryError> {
    let (length, slide) = panes_of_windows(series, query)?;
    let pane_width = |panes| series.grid.width() * u32::try_from(panes).unwrap_or(u32::MAX);
    let view = View::new(length, slide).ok_or(HistoryError::Uneven {
        window: pane_width(length),
        slide: pane_width(slide),
    })?;
    let mut starts = starts(series, query);
    let limited = leave_out_coarse(snapshot, series, query, slide, &mut starts)?;
    Ok(Plan {
        view,
        length,
        dimension: dimension(series, query)?,
        starts,
        limited,
    })
}

/// Returns the length and the slide of the windows, in panes.
fn panes_of_windows(series: &SavedSeries, query: &WindowQuery) -> Result<(i64, i64), HistoryError> {
    let width = series.grid.width();
    let panes = |what, asked: Duration| {
        let is_whole = !asked.is_zero() && asked.as_nanos().is_multiple_of(width.as_nanos().max(1));
        let panes = asked.as_nanos() / width.as_nanos().max(1);
        let panes = i64::try_from(panes).ok().filter(|_| is_whole);
        panes.ok_or(HistoryError::NotWhole {
            series: series.series.id.0,
            what,
            asked,
            panes: width,
        })
    };
    let length = match query.window {
        Some(window) => panes("window", window)?,
        None => series.rules.length(),
    };
    let slide = match (query.slide, query.window) {
        (Some(slide), _) => panes("slide", slide)?,
        (None, Some(_)) => length,
        (None, None) => 1,
    };
    Ok((length, slide))
}

/// Removes the windows from `starts` that need finer panes than are left, and returns the limit if there are any. They
/// are an error if the query names a start or a width.
fn leave_out_coarse(
    snapshot: &Snapshot<'_>,
    series: &SavedSeries,
    query: &WindowQuery,
    slide: i64,
    starts: &mut Range<PaneIndex>,
) -> Result<Option<Limited>, HistoryError> {
    let extents = snapshot.extents(series.series.id)?;
    let Some((limit, last)) = series.last_coarse(&extents, slide) else {
        return Ok(None);
    };
    // The first window that contains no coarse pane.
    let first = last + 1;
    if starts.start >= first {
        return Ok(None);
    }
    let is_asked = query.from.is_some() || query.window.is_some();
    if is_asked && starts.end > starts.start {
        return Err(HistoryError::TooFine {
            since: limit.since.to_string(),
            width: limit.width,
        });
    }
    starts.start = first;
    Ok(Some(limit))
}

/// Returns the panes at which windows may begin.
fn starts(series: &SavedSeries, query: &WindowQuery) -> Range<PaneIndex> {
    let grid = &series.grid;
    // The first pane that begins at this time or later.
    let first_at = |time: Timestamp| {
        let pane = grid.pane_of(time);
        if grid.start(pane) < time {
            pane + 1
        } else {
            pane
        }
    };
    let start = query.from.map_or(PaneIndex::MIN / 2, first_at);
    let end = query.to.map_or(PaneIndex::MAX / 2, first_at);
    start..end.max(start)
}

fn dimension(series: &SavedSeries, query: &WindowQuery) -> Result<u16, HistoryError> {
    let known = &series.rules.kind.group_by;
    let at = match &query.group_by {
        None => Some(0),
        Some(wanted) => known.iter().position(|name| name == wanted),
    };
    let at = at.filter(|&at| at < known.len());
    at.and_then(|at| u16::try_from(at).ok())
        .ok_or_else(|| HistoryError::NoDimension {
            series: series.series.id.0,
            wanted: query.group_by.clone().unwrap_or_default(),
            known: known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        })
}

/// Returns the selected groups, sorted by name.
fn groups(
    snapshot: &Snapshot<'_>,
    series: &SavedSeries,
    plan: &Plan,
    query: &WindowQuery,
) -> Result<Vec<(u32, GroupKey)>, HistoryError> {
    let is_wanted = |row: &GroupRow| {
        // A value that is called so is shown beside the group of those for which there was no room.
        let is_named = |group: &String| row.value.as_deref().unwrap_or("other") == group;
        row.dimension == plan.dimension && query.group.as_ref().is_none_or(is_named)
    };
    let rows = snapshot.groups(series.series.id)?;
    let mut groups: Vec<_> = rows
        .into_iter()
        .filter(is_wanted)
        .map(|row| match row.value {
            Some(value) => (row.id, GroupKey::Value(value.into())),
            None => (row.id, GroupKey::Other),
        })
        .collect();
    groups.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(groups)
}

/// Returns the panes of a group that the windows need, sorted by time. A wide pane counts as if all of its posts were
/// in the first of the panes that it replaces.
fn cells(
    snapshot: &Snapshot<'_>,
    series: &SavedSeries,
    plan: &Plan,
    group: u32,
) -> Result<BTreeMap<PaneIndex, Cell>, HistoryError> {
    let end = plan.starts.end.saturating_add(plan.length);
    let mut cells = BTreeMap::new();
    let mut failed = None;
    for extent in snapshot.extents(series.series.id)? {
        let factor = extent.factor;
        let range = plan.starts.start.div_euclid(factor)..end.div_euclid(factor).saturating_add(1);
        let which = Which::Group(group);
        snapshot.panes(
            series.series.id,
            factor,
            &range,
            which,
            |row| match decode_cell(&row.cell) {
                Ok(cell) => {
                    let cell = cell.in_narrower_panes(factor);
                    cells.insert(row.pane.saturating_mul(factor), cell);
                }
                Err(error) => failed = Some(error),
            },
        )?;
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(cells),
    }
}
