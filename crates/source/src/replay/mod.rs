//! A recorded file, played in the order in which its posts were written, at a multiple of its own pace.

mod batch;
mod item;
mod pace;
mod recording;
mod sorter;

pub use pace::Speed;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::vec;

use moodring_codec::Compression;
use moodring_record::Layout;
use moodring_window::{TimeZone, Timestamp};

use batch::Batch;
use item::{Item, items_of};
use pace::Pace;
use recording::Recording;
use sorter::{Limits, Sorted, Sorter};

use crate::clock::{Clock, SystemClock};
use crate::deliver::{Halt, submit};
use crate::outlet::Outlet;
use crate::segment::Position;
use crate::source::{Kind, Source};
use crate::status::Status;
use crate::stream::{Stream, StreamError};
use crate::style::{Style, failure};

/// What is played, and how.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) path: PathBuf,
    /// The path for messages.
    pub(crate) name: String,
    pub(crate) compression: Compression,
    pub(crate) style: Style,
    pub(crate) zone: TimeZone,
    pub(crate) speed: Speed,
    /// Whether to keep the order of the file.
    pub(crate) in_file_order: bool,
    /// Where temporary files may lie.
    pub(crate) scratch: PathBuf,
}

impl Options {
    /// All that the order of the posts depends on, besides the file.
    fn reading(&self) -> String {
        let Style {
            format,
            reading,
            fields,
        } = &self.style;
        let zone = self.zone.iana_name();
        format!(
            "{} {format:?} {reading:?} {:?} {zone:?}",
            self.in_file_order, fields.time
        )
    }
}

/// Plays a recorded file.
pub(crate) struct ReplaySource {
    options: Options,
    clock: Box<dyn Clock>,
    limits: Limits,
}

impl ReplaySource {
    pub(crate) fn new(options: Options) -> ReplaySource {
        ReplaySource {
            options,
            clock: Box::new(SystemClock::new()),
            limits: Limits::default(),
        }
    }
}

impl Source for ReplaySource {
    fn kind(&self) -> Kind {
        Kind {
            has_position: true,
            is_live: false,
            pace: match self.options.speed {
                Speed::Times(speed) => speed,
                Speed::Max => 1.0,
            },
        }
    }

    fn run(self: Box<Self>, from: Option<Position>, outlet: Arc<dyn Outlet>) {
        let outlet = &*outlet;
        outlet.set_status(Status::CatchingUp);
        self.play(from.as_ref(), outlet)
            .unwrap_or_else(|halt| halt)
            .tell(outlet);
    }
}

impl ReplaySource {
    /// Plays to the end.
    fn play(&self, from: Option<&Position>, outlet: &dyn Outlet) -> Result<Halt, Halt> {
        let stopped = |why: String| Halt::Stopped(failure("replay", &self.options.name, why));
        let failed = |error: StreamError| stopped(error.to_string());
        let file = File::open(&self.options.path).map_err(|error| stopped(error.to_string()))?;
        let recording = self.look_at(&file).map_err(failed)?;
        let before = from
            .map_or(Ok(0), |from| recording.played(from))
            .map_err(stopped)?;

        let (layout, mut items) = self.items(&file, outlet, failed)?;
        if !self.options.in_file_order && self.look_at(&file).map_err(failed)? != recording {
            return Err(stopped("it was changed while it was read".to_owned()));
        }
        for _ in 0..before {
            items.next().map_err(failed)?;
        }
        outlet.set_status(Status::Live);
        let mut player = Player {
            outlet,
            clock: &*self.clock,
            recording,
            batch: Batch::new(layout),
            pace: Pace::new(self.options.speed),
            played: before,
        };
        while let Some(item) = items.next().map_err(failed)? {
            player.play(item)?;
        }
        player.flush()?;
        if self.look_at(&file).map_err(failed)? != recording {
            return Err(stopped("it was changed while it was read".to_owned()));
        }
        Ok(Halt::Ended)
    }

    fn look_at(&self, file: &File) -> Result<Recording, StreamError> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(
                io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file").into(),
            );
        }
        Ok(Recording::new(&metadata, &self.options.reading()))
    }

    /// The records in the order in which they are played.
    fn items<'f>(
        &'f self,
        file: &'f File,
        outlet: &dyn Outlet,
        failed: impl Fn(StreamError) -> Halt,
    ) -> Result<(Arc<Layout>, Items<'f>), Halt> {
        let reader = moodring_codec::expand(self.options.compression, file);
        let reader = reader.map_err(|error| failed(error.into()))?;
        let stream = Stream::open(reader, &self.options.style).map_err(&failed)?;
        let layout = Arc::clone(stream.layout());
        let mut in_file = InFileOrder {
            stream,
            zone: &self.options.zone,
            last: Timestamp::MIN,
            items: Vec::new().into_iter(),
        };
        if self.options.in_file_order {
            return Ok((layout, Items::InFileOrder(Box::new(in_file))));
        }
        let mut sorter = Sorter::new(self.options.scratch.clone(), self.limits);
        let mut encoded = Vec::new();
        while in_file.fill().map_err(&failed)? {
            if outlet.is_closed() {
                return Err(Halt::Closed);
            }
            for item in in_file.items.by_ref() {
                item.encode(&mut encoded)
                    .and_then(|()| sorter.push(item.key.as_micros(), &encoded))
                    .map_err(|error| failed(error.into()))?;
            }
        }
        let in_order = sorter.finish().map_err(|error| failed(error.into()))?;
        Ok((layout, Items::Sorted(in_order, encoded)))
    }
}

/// Gives records in the order in which they are played.
enum Items<'f> {
    Sorted(Sorted, Vec<u8>),
    InFileOrder(Box<InFileOrder<'f>>),
}

impl Items<'_> {
    fn next(&mut self) -> Result<Option<Item>, StreamError> {
        match self {
            Items::Sorted(sorted, encoded) => {
                let Some(key) = sorted.next(encoded)? else {
                    return Ok(None);
                };
                Ok(Some(Item::decode(Timestamp::from_micros(key), encoded)?))
            }
            Items::InFileOrder(in_file) => {
                if in_file.items.len() == 0 && !in_file.fill()? {
                    return Ok(None);
                }
                Ok(in_file.items.next())
            }
        }
    }
}

/// Gives records as they stand in the file.
struct InFileOrder<'f> {
    stream: Stream<'f>,
    zone: &'f TimeZone,
    /// The time of the last record that had one.
    last: Timestamp,
    /// The rest of a piece.
    items: vec::IntoIter<Item>,
}

impl InFileOrder<'_> {
    /// Reads on until there are records. False at the end of the file.
    fn fill(&mut self) -> Result<bool, StreamError> {
        while let Some(piece) = self.stream.next_piece()? {
            let layout = self.stream.layout();
            let items = items_of(layout, &piece, self.zone, &mut self.last);
            if !items.is_empty() {
                self.items = items.into_iter();
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Delivers records when they are due.
struct Player<'p> {
    outlet: &'p dyn Outlet,
    clock: &'p dyn Clock,
    recording: Recording,
    batch: Batch,
    pace: Pace,
    /// How many records have been put into segments.
    played: u64,
}

impl Player<'_> {
    fn play(&mut self, item: Item) -> Result<(), Halt> {
        loop {
            let wait = self.pace.wait(item.key, self.clock.elapsed());
            if wait.is_zero() {
                break;
            }
            self.flush()?;
            if !self.outlet.wait(wait) {
                return Err(Halt::Closed);
            }
        }
        if !self.batch.takes(&item) {
            self.flush()?;
        }
        self.batch.push(item);
        self.played += 1;
        Ok(())
    }

    /// Delivers what has been collected.
    fn flush(&mut self) -> Result<(), Halt> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let position = self.recording.position(self.played);
        submit(self.outlet, self.batch.take(self.clock.now(), position))
    }
}

#[cfg(test)]
mod tests;
