//! Made-up posts whose mood drifts by topic, so that one command shows something alive.

mod post;
mod words;

use std::sync::Arc;
use std::time::Duration;

use moodring_record::{FieldNames, Format, Layout, LayoutError, ReadOptions};
use serde::{Deserialize, Serialize};

use self::post::Author;
use crate::clock::{Clock, SystemClock};
use crate::deliver::{Halt, submit};
use crate::outlet::Outlet;
use crate::record_buffer::{MAX_BYTES, MAX_RECORDS};
use crate::segment::{Position, Segment};
use crate::source::{Kind, Source};
use crate::status::Status;

/// The shortest time between two deliveries.
const TICK: Duration = Duration::from_millis(10);

/// How far it may lag behind its rate before it lets that be.
const MAX_LAG: Duration = Duration::from_secs(1);

/// No post is longer: the longest sentence, names and a link.
const LONGEST_POST: usize = 1 << 10;

/// Delivers made-up posts.
pub(crate) struct DemoSource {
    author: Author,
    layout: Arc<Layout>,
    clock: Box<dyn Clock>,
}

/// What a position counts posts of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Context {
    demo_seed: u64,
}

impl DemoSource {
    /// Posts at this rate. Their fields have names of their own, whatever those in other sources are called; `others` names
    /// what else is wanted of a record.
    pub(crate) fn new(rate: u32, seed: u64, others: FieldNames) -> Result<DemoSource, LayoutError> {
        let fields = FieldNames {
            text: "text".to_owned(),
            id: Some("id".to_owned()),
            time: Some("time".to_owned()),
            ..others
        };
        let reading = ReadOptions::default();
        let layout = Layout::detect(Format::Jsonl, reading, &fields, &[], b"", true)?;
        Ok(DemoSource {
            author: Author { seed, rate },
            layout: Arc::new(layout),
            clock: Box::new(SystemClock::new()),
        })
    }

    fn context(&self) -> Context {
        Context {
            demo_seed: self.author.seed,
        }
    }

    /// Which post comes first: with another seed, other posts begin.
    fn first(&self, from: Option<Position>) -> u64 {
        let is_same = |from: &Position| {
            serde_json::from_str(&from.context)
                .is_ok_and(|context: Context| context == self.context())
        };
        from.filter(is_same).map_or(0, |from| from.offset)
    }

    fn play(&self, from: Option<Position>, outlet: &dyn Outlet) -> Result<(), Halt> {
        let context = serde_json::to_string(&self.context()).unwrap_or_default();
        let each = Duration::from_secs(1) / self.author.rate;
        let mut next = self.first(from);
        // When the next post is due.
        let mut due = self.clock.elapsed();
        loop {
            let now = self.clock.elapsed();
            if due > now {
                if !outlet.wait(due.saturating_sub(now).max(TICK)) {
                    return Err(Halt::Closed);
                }
                continue;
            }
            due = due.max(now.saturating_sub(MAX_LAG));
            let count = u32::try_from(now.saturating_sub(due).as_nanos() / each.as_nanos())
                .unwrap_or(MAX_RECORDS);
            let most = u32::try_from(MAX_BYTES / LONGEST_POST).unwrap_or(1);
            let count = (count + 1).min(MAX_RECORDS).min(most);
            submit(outlet, self.segment(next, count, &context))?;
            next += u64::from(count);
            due += each * count;
        }
    }

    fn segment(&self, first: u64, count: u32, context: &str) -> Segment {
        let arrival = self.clock.now();
        let mut text = String::new();
        let behind = first + u64::from(count);
        for number in first..behind {
            self.author.write(number, arrival, &mut text);
        }
        Segment {
            layout: Arc::clone(&self.layout),
            bytes: text.into_bytes(),
            framing_errors: Vec::new(),
            records: count,
            offset: 0,
            arrival,
            position: Some(Position {
                context: context.to_owned(),
                offset: behind,
            }),
            key: None,
        }
    }
}

impl Source for DemoSource {
    fn kind(&self) -> Kind {
        Kind {
            has_position: true,
            is_live: true,
            pace: 1.0,
        }
    }

    fn run(self: Box<Self>, from: Option<Position>, outlet: Arc<dyn Outlet>) {
        outlet.set_status(Status::Live);
        if let Err(halt) = self.play(from, &*outlet) {
            halt.tell(&*outlet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Recorder;

    fn play(recorder: &Recorder, rate: u32, seed: u64, segments: usize) {
        let mut source = DemoSource::new(rate, seed, FieldNames::default()).unwrap();
        source.clock = Box::new(recorder.clone());
        recorder.change(|recorded| recorded.closes_after = Some(segments));
        let from = recorder
            .lock()
            .segments
            .last()
            .and_then(|last| last.position.clone());
        assert_eq!(source.play(from, recorder), Err(Halt::Closed));
    }

    fn ids(recorder: &Recorder) -> Vec<String> {
        let id = |record: &String| -> String {
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            record["id"].as_str().unwrap().to_owned()
        };
        recorder.records().iter().map(id).collect()
    }

    #[test]
    fn posts_come_at_their_rate() {
        for rate in [1, 500, 100_000] {
            let recorder = Recorder::default();
            play(&recorder, rate, 1, 400);
            let waited = recorder.lock().waited.as_secs_f64();
            let found = f64::from(u32::try_from(recorder.records().len()).unwrap()) / waited;
            let rate = f64::from(rate);
            assert!((found / rate - 1.0).abs() < 0.05, "{found} for {rate}");
        }
    }

    #[test]
    fn a_restart_continues_with_the_next_post() {
        let recorder = Recorder::default();
        play(&recorder, 500, 1, 3);
        play(&recorder, 500, 1, 3);
        let expected: Vec<_> = (0..ids(&recorder).len())
            .map(|number| format!("demo-1-{number}"))
            .collect();
        assert_eq!(ids(&recorder), expected);
    }

    #[test]
    fn another_seed_begins_anew() {
        let recorder = Recorder::default();
        play(&recorder, 1, 1, 2);
        play(&recorder, 1, 2, 1);
        assert_eq!(ids(&recorder), ["demo-1-0", "demo-1-1", "demo-2-0"]);
    }
}
