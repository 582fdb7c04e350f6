//! An outlet for tests, which keeps what it gets, and a clock that stands still while nobody waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moodring_record::{FieldNames, Format, ReadOptions, Reader};
use moodring_window::Timestamp;

use crate::clock::Clock;
use crate::outlet::{Closed, Done, Full, Outlet, Refused};
use crate::segment::Segment;
use crate::status::Status;
use crate::style::Style;

/// Keeps what it gets. A call blocks while there is no room.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<(Mutex<Recorded>, Condvar)>);

#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) segments: Vec<Segment>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) gaps: Vec<String>,
    pub(crate) waited: Duration,
    /// How many more segments there is room for; without limit if it is none.
    pub(crate) room: Option<usize>,
    /// After how many more segments it is closed.
    pub(crate) closes_after: Option<usize>,
}

impl Recorder {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, is_so: impl Fn(&Recorded) -> bool) -> MutexGuard<'_, Recorded> {
        let mut recorded = self.lock();
        while !is_so(&recorded) {
            recorded = self.0.1.wait(recorded).unwrap();
        }
        recorded
    }

    /// Changes it, and wakes those who wait.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Recorded)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    /// The records that were delivered, without their line ends.
    pub(crate) fn records(&self) -> Vec<String> {
        self.lock().segments.iter().flat_map(records_of).collect()
    }
}

/// The records of a segment, or what is left of those that cannot be framed.
pub(crate) fn records_of(segment: &Segment) -> Vec<String> {
    let Segment {
        layout,
        bytes,
        offset,
        framing_errors,
        ..
    } = segment;
    let mut reader = Reader::of_shard(layout, bytes, *offset, framing_errors);
    let mut records = Vec::new();
    while let Some(record) = reader.next_raw() {
        records.push(String::from_utf8_lossy(record.bytes()).into_owned());
    }
    records
}

impl Outlet for Recorder {
    fn submit(&self, segment: Segment) -> Result<(), Refused> {
        let mut recorded =
            self.until(|recorded| recorded.room != Some(0) || recorded.closes_after == Some(0));
        if recorded.closes_after == Some(0) {
            return Err(Closed.into());
        }
        let recorded = &mut *recorded;
        for left in [&mut recorded.room, &mut recorded.closes_after] {
            *left = left.map(|left| left - 1);
        }
        recorded.segments.push(segment);
        self.0.1.notify_all();
        Ok(())
    }

    fn offer(&self, segment: Segment, done: Done) -> Result<(), Full> {
        if self.lock().room == Some(0) {
            return Err(Full(Box::new(segment)));
        }
        done(self.submit(segment));
        Ok(())
    }

    fn set_status(&self, status: Status) {
        self.change(|recorded| recorded.statuses.push(status));
    }

    fn gap(&self, why: &str) {
        self.change(|recorded| recorded.gaps.push(why.to_owned()));
    }

    fn wait(&self, time: Duration) -> bool {
        self.change(|recorded| recorded.waited += time);
        !self.is_closed()
    }

    fn is_closed(&self) -> bool {
        self.lock().closes_after == Some(0)
    }
}

/// A clock that shows how long has been waited.
impl Clock for Recorder {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000).after(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.lock().waited
    }
}

pub(crate) fn style(format: Format) -> Style {
    Style {
        format: Some(format),
        reading: ReadOptions::default(),
        fields: FieldNames {
            text: "text".to_owned(),
            time: Some("time".to_owned()),
            ..FieldNames::default()
        },
    }
}
