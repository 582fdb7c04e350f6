//! The flags for windows, and what they mean.

use std::str::FromStr;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use moodring_job::{GroupBy, RowRules};
use moodring_window::{Grid, Rules, TimeZone, View};

use super::durations::parse_duration;
use crate::exit::Failure;
use crate::hinted::hinted;

/// The width, alignment and groups of windows.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Windows")]
pub(crate) struct WindowArgs {
    /// Width of the windows of event time, such as 1m, 1h or 1d
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) window: Option<Duration>,

    /// Time from the start of one window to the start of the next; --window must be a multiple of it [default: --window]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) slide: Option<Duration>,

    /// Divide posts into groups: all, source, tag, track, lang or field:NAME; each use adds an independent dimension
    /// [default: all]
    #[arg(long, value_name = "DIMENSION", hide_possible_values = true,
        value_parser = hinted(GroupBy::from_str, ["all", "source", "tag", "track", "lang", "field:"]))]
    pub(crate) group_by: Vec<GroupBy>,

    /// Time zone of times that do not state one, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = parse_zone)]
    pub(crate) time_zone: String,

    /// Align windows of whole days to midnight in this time zone, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = parse_zone)]
    pub(crate) align: Option<String>,

    /// Maximum number of groups per dimension; posts of all further groups are counted in one group, `other`
    #[arg(long, value_name = "N", default_value = "1000", value_parser = parse_count)]
    pub(crate) max_groups: usize,

    /// Maximum number of hashtags that are counted exactly in each pane and group
    #[arg(long, value_name = "N", default_value = "1000", value_parser = parse_count)]
    pub(crate) max_tags: usize,

    /// Do not keep texts of posts
    #[arg(long)]
    pub(crate) no_texts: bool,
}

/// The windows of a run, checked.
#[derive(Debug, Clone)]
pub(crate) struct WindowPlan {
    /// The panes, each as wide as the slide.
    pub(crate) grid: Grid,
    /// The number of panes in a window.
    pub(crate) length: i64,
    pub(crate) max_groups: usize,
    pub(crate) max_tags: usize,
    /// How workers turn posts into rows; the names of the sources are added later.
    pub(crate) rows: RowRules,
}

/// The number of IDs that are remembered of each set of sources whose IDs are unique.
const MAX_IDS: usize = 1_000_000;

impl WindowPlan {
    /// Returns the rules of a fold whose final panes are corrected for `corrections`.
    pub(crate) fn rules(&self, corrections: Duration) -> Rules {
        Rules {
            grid: self.grid.clone(),
            length: self.length,
            corrections,
            max_tags: self.max_tags,
            max_ids: MAX_IDS,
        }
    }
}

impl WindowArgs {
    /// Checks the flags and returns what they mean.
    pub(crate) fn plan(&self, window: Duration) -> Result<WindowPlan, Failure> {
        let slide = self.slide.unwrap_or(window);
        let is_multiple = !slide.is_zero() && window.as_millis().is_multiple_of(slide.as_millis());
        let length = i64::try_from(window.as_millis() / slide.as_millis().max(1)).unwrap_or(0);
        if !is_multiple || View::new(length, 1).is_none() {
            return Err(Failure::Usage(anyhow!(
                "--window must be a multiple of --slide, from 1 to {} times as wide, and neither may be 0",
                View::MAX_OVERLAP
            )));
        }
        let grid = match &self.align {
            None => Grid::utc(slide),
            Some(zone) => Grid::days(slide, TimeZone::get(zone).map_err(Failure::usage)?),
        };
        let mut group_by = self.group_by.clone();
        if group_by.is_empty() {
            group_by.push(GroupBy::All);
        }
        if let Some(twice) = group_by
            .iter()
            .enumerate()
            .find(|(at, it)| group_by[..*at].contains(it))
        {
            return Err(Failure::Usage(anyhow!(
                "--group-by has `{}` twice",
                twice.1
            )));
        }
        Ok(WindowPlan {
            grid: grid.map_err(Failure::usage)?,
            length,
            max_groups: self.max_groups,
            max_tags: self.max_tags,
            rows: RowRules {
                group_by,
                time_zone: self.time_zone.clone(),
                keeps_texts: !self.no_texts,
                sources: Vec::new(),
            },
        })
    }

    /// Returns the first flag that was given although it requires --windows.
    pub(crate) fn stray(&self) -> Option<&'static str> {
        [
            (self.window.is_some(), "--window"),
            (self.slide.is_some(), "--slide"),
            (!self.group_by.is_empty(), "--group-by"),
            (self.align.is_some(), "--align"),
            (self.no_texts, "--no-texts"),
        ]
        .into_iter()
        .find_map(|(is_typed, name)| is_typed.then_some(name))
    }
}

fn parse_zone(typed: &str) -> Result<String, String> {
    match TimeZone::get(typed) {
        Ok(_) => Ok(typed.to_owned()),
        Err(_) => Err("give the name of a time zone, such as Europe/Berlin or UTC".to_owned()),
    }
}

fn parse_count(typed: &str) -> Result<usize, String> {
    let count = typed
        .parse()
        .ok()
        .filter(|count| (1..=1_000_000).contains(count));
    count.ok_or_else(|| "give a number from 1 to 1000000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(slide: Option<u64>, align: Option<&str>, group_by: Vec<GroupBy>) -> WindowArgs {
        WindowArgs {
            window: None,
            slide: slide.map(Duration::from_mins),
            group_by,
            time_zone: "UTC".to_owned(),
            align: align.map(str::to_owned),
            max_groups: 1,
            max_tags: 1,
            no_texts: false,
        }
    }

    #[test]
    fn a_window_is_a_multiple_of_its_slide() {
        let hour = Duration::from_hours(1);
        let plan = args(Some(15), None, Vec::new()).plan(hour).unwrap();
        assert_eq!((plan.length, plan.rows.group_by), (4, vec![GroupBy::All]));
        assert_eq!(args(None, None, Vec::new()).plan(hour).unwrap().length, 1);
        for wrong in [0, 7, 120] {
            assert!(
                args(Some(wrong), None, Vec::new()).plan(hour).is_err(),
                "{wrong}"
            );
        }
        assert!(args(None, None, Vec::new()).plan(Duration::ZERO).is_err());
    }

    #[test]
    fn only_days_can_be_aligned_to_a_time_zone() {
        let berlin = Some("Europe/Berlin");
        let day = Duration::from_hours(24);
        assert!(args(None, berlin, Vec::new()).plan(day).is_ok());
        assert!(args(None, berlin, Vec::new()).plan(day / 2).is_err());
    }

    #[test]
    fn a_dimension_that_is_given_twice_is_refused() {
        let twice = vec![GroupBy::Tag, GroupBy::All, GroupBy::Tag];
        assert!(
            args(None, None, twice)
                .plan(Duration::from_hours(1))
                .is_err()
        );
    }
}
