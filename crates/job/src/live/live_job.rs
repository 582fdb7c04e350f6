//! The job of a live run.

use moodring_pool::{Job, JobError, Work, wire};
use moodring_record::{ModelColumns, Post, Renderer};
use moodring_score::SentimentClass;

use super::row_maker::RowMaker;
use crate::message::{LiveCounts, LiveReport, LiveSegment, LiveSetup, LiveTask, Rendering, Setup};
use crate::preprocess::Preprocessor;
use crate::records::{NoObserver, RecordObserver, for_each_post};
use crate::scorers::Scorers;
use crate::shard_reader::Records;

/// Turns blocks of posts into rows. A task is a [`LiveTask`], a report a [`LiveReport`].
pub struct LiveJob<O = NoObserver> {
    models: Scorers,
    preprocessor: Preprocessor,
    rows: RowMaker,
    rendering: Option<(Rendering, Vec<ModelColumns>)>,
    rendered: Rendered,
    observer: O,
}

/// The rendered records of a block.
#[derive(Debug, Default)]
struct Rendered {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl<O: RecordObserver> Job for LiveJob<O> {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        match wire::decode(setup).map_err(JobError::new)? {
            Setup::Live(setup) => Self::set_up(setup),
            Setup::Score(_) | Setup::Eval(_) => {
                Err(JobError::new("the supervisor set another job up"))
            }
        }
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        let task: LiveTask<'_> = wire::decode(work.task).map_err(JobError::new)?;
        self.rows.clear();
        self.rendered.bytes.clear();
        self.rendered.ends.clear();
        let renderers = self.renderers(&task);
        let mut segments = Vec::with_capacity(task.segments.len());
        let mut item = 0;
        for segment in &task.segments {
            let (items, counts) = self.work_through(work, &task, segment, item, &renderers)?;
            segments.push(counts);
            item += items;
        }
        let summary = LiveReport {
            rows: self.rows.rows(),
            segments,
            rendered: &self.rendered.bytes,
            ends: std::mem::take(&mut self.rendered.ends),
        };
        wire::encode_into(&summary, report).map_err(JobError::new)
    }
}

impl<O: RecordObserver> LiveJob<O> {
    pub(crate) fn set_up(setup: LiveSetup) -> Result<Self, JobError> {
        let models = Scorers::build(&setup.models).map_err(JobError::new)?;
        let rendering = setup.rendering.map(|rendering| {
            let columns = models.columns(&rendering.prefix);
            (rendering, columns)
        });
        let rows = RowMaker::new(setup.rows, &setup.texts)?;
        Ok(Self {
            models,
            preprocessor: Preprocessor::new(&setup.texts, rows.groups_by_lang())?,
            rows,
            rendering,
            rendered: Rendered::default(),
            observer: O::default(),
        })
    }

    /// A renderer for each layout of the task; none if the run renders nothing.
    fn renderers(&self, task: &LiveTask<'_>) -> Vec<Renderer> {
        let Some((rendering, columns)) = &self.rendering else {
            return Vec::new();
        };
        let layouts = task.layouts.iter();
        layouts
            .map(|layout| Renderer::new(rendering.style, layout, columns))
            .collect()
    }

    /// Makes rows of a segment whose first record is the block's item of this number. Returns how many records it has, and
    /// what came of them.
    fn work_through(
        &mut self,
        work: &Work<'_>,
        task: &LiveTask<'_>,
        segment: &LiveSegment<'_>,
        item: u64,
        renderers: &[Renderer],
    ) -> Result<(u64, LiveCounts), JobError> {
        let layout = task
            .layouts
            .get(segment.layout as usize)
            .ok_or_else(|| JobError::new("a segment refers to a layout that is not there"))?;
        let renderer = renderers.get(segment.layout as usize);
        let arrival = segment.is_live.then_some(segment.arrival);
        let Self {
            models,
            preprocessor,
            rows,
            rendered,
            ..
        } = self;
        let before = rows.len();
        let mut counts = LiveCounts::default();
        let records = records(segment, item);
        let found = for_each_post(work, layout, records, &self.observer, |_, post| {
            let time = rows.time_of(post, arrival)?;
            let Some(processed) = preprocessor.process(post) else {
                counts.filtered += 1;
                return Ok(());
            };
            let primary = match renderer {
                Some(renderer) => {
                    models.score(processed.text())?;
                    rendered.add(models, renderer, post)
                }
                None => models.score_first(processed.text())?,
            };
            counts.clamped += u64::from(time.is_clamped);
            rows.add(segment.source, post, &processed, time.time, primary);
            Ok(())
        });
        let added = rows.len() - before;
        counts.rows = u32::try_from(added).map_err(JobError::new)?;
        counts.rejects = found.rejects;
        counts.quarantined = found.quarantined;
        Ok((found.items, counts))
    }
}

fn records<'a>(segment: &'a LiveSegment<'_>, first_item: u64) -> Records<'a> {
    let consumed = segment.bytes.len() as u64;
    Records {
        offset: segment.offset,
        bytes: segment.bytes,
        framing_errors: &segment.framing_errors,
        first_item,
        consumed,
        end: segment.offset + consumed,
    }
}

impl Rendered {
    /// Renders a post with its scores. Returns the primary score of the first model.
    fn add(&mut self, scored: &Scorers, renderer: &Renderer, post: &Post<'_>) -> f64 {
        let primary = scored.primaries().next().unwrap_or_default();
        let sentiment = SentimentClass::of(primary).name();
        renderer.write(&mut self.bytes, post, scored.scores(), sentiment);
        self.ends
            .push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        primary
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use moodring_pool::ShardId;
    use moodring_pool::black_box::Recorder;
    use moodring_record::{FieldNames, Format, Layout, Quoting};
    use moodring_window::{Class, Timestamp};

    use super::*;
    use crate::message::{GroupBy, RowRules, TextRules};
    use crate::model::Model;

    fn setup() -> LiveSetup {
        LiveSetup {
            models: vec![Model::read("vader", false).unwrap()],
            texts: TextRules::default(),
            rows: RowRules {
                group_by: vec![GroupBy::Source, GroupBy::Tag],
                time_zone: "UTC".to_owned(),
                keeps_texts: true,
                sources: vec!["push".to_owned(), "file".to_owned()],
            },
            rendering: None,
        }
    }

    fn layout() -> Layout {
        let names = FieldNames {
            text: "text".to_owned(),
            id: Some("id".to_owned()),
            time: Some("time".to_owned()),
            ..FieldNames::default()
        };
        Layout::detect(Format::Jsonl, Quoting::Auto, &names, &[], b"", true).unwrap()
    }

    const ARRIVAL: i64 = 1_800_000_000_000_000;

    fn segment(source: u32, is_live: bool, bytes: &str) -> LiveSegment<'_> {
        LiveSegment {
            source,
            is_live,
            arrival: Timestamp::from_micros(ARRIVAL),
            offset: 1000,
            layout: 0,
            bytes: bytes.as_bytes(),
            framing_errors: Cow::Borrowed(&[]),
        }
    }

    /// The encoded report of a block of these segments.
    fn report(setup: LiveSetup, segments: Vec<LiveSegment<'_>>) -> Vec<u8> {
        let mut job = LiveJob::<NoObserver>::set_up(setup).unwrap();
        let task = LiveTask {
            layouts: vec![Cow::Owned(layout())],
            segments,
        };
        let task = wire::encode(&task).unwrap();
        let recorder = Recorder::new();
        let work = Work::whole(ShardId(0), &task, &recorder);
        let mut report = Vec::new();
        job.prepare(&work, &mut report).unwrap();
        report
    }

    #[test]
    fn segments_of_all_sources_become_rows_in_their_order() {
        let report = report(
            setup(),
            vec![
                segment(
                    1,
                    true,
                    "{\"text\":\"great #A #a\",\"id\":7}\n{\"text\":\"a table\",\"id\":\"\"}\n",
                ),
                segment(
                    0,
                    true,
                    "{\"text\":\"awful\",\"time\":\"2027-01-15T08:00:59.5Z\"}\n",
                ),
            ],
        );
        let report: LiveReport<'_> = wire::decode(&report).unwrap();
        let rows = &report.rows;
        assert_eq!(rows.keys, [(0, "file"), (1, "a"), (1, ""), (0, "push")]);
        assert_eq!(rows.tags, ["a"]);
        assert_eq!(rows.refs, [0, 1, 0, 0, 2, 3, 2]);
        let ids: Vec<_> = rows.rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, [Some("7"), None, None]);
        let texts: Vec<_> = rows.rows.iter().map(|row| row.text).collect();
        assert_eq!(texts, ["great #A #a", "", "awful"]);
        let classes: Vec<_> = rows.rows.iter().map(|row| row.class).collect();
        assert_eq!(classes, [Class::Positive, Class::Neutral, Class::Negative]);
        let times: Vec<_> = rows.rows.iter().map(|row| row.time.as_micros()).collect();
        assert_eq!(times, [ARRIVAL, ARRIVAL, ARRIVAL + 59_500_000]);
        assert_eq!(rows.rows[0].score.millionths(), 624_900);
        let counts: Vec<_> = report.segments.iter().map(|counts| counts.rows).collect();
        assert_eq!(counts, [2, 1]);
    }

    #[test]
    fn a_time_that_cannot_be_is_clamped_or_rejected() {
        let records = "{\"text\":\"good\",\"time\":\"2027-01-15T08:01:01Z\"}\n{\"text\":\"good\",\"time\":\"soon\"}\n{\"text\":\"good\"}\n";
        let report = report(
            setup(),
            vec![segment(0, true, records), segment(1, false, records)],
        );
        let report: LiveReport<'_> = wire::decode(&report).unwrap();
        let times: Vec<_> = report
            .rows
            .rows
            .iter()
            .map(|row| row.time.as_micros())
            .collect();
        assert_eq!(times, [ARRIVAL, ARRIVAL, ARRIVAL + 61_000_000]);
        let [live, recorded] = &report.segments[..] else {
            panic!("two segments");
        };
        assert_eq!((live.clamped, recorded.clamped), (1, 0));
        let reasons = |counts: &LiveCounts| -> Vec<_> {
            let rejects = counts.rejects.iter();
            rejects
                .map(|reject| (reject.offset, reject.reason.clone()))
                .collect()
        };
        let unreadable = (
            1046,
            "the time field: `soon` is no time; write RFC 3339 (2026-11-24T09:00:00Z), seconds since 1970, or Twitter's format".to_owned(),
        );
        let missing = (1076, "the time field is missing or empty".to_owned());
        assert_eq!(reasons(live), std::slice::from_ref(&unreadable));
        assert_eq!(reasons(recorded), [unreadable, missing]);
    }
}
