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
mod tests;
