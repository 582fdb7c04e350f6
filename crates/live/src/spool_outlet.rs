//! The outlet of a source without positions: its records go to a spool on the disk, and from there into the intake with the
//! numbers of their entries for positions.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;
use moodring_pool::wire::{self, WireError};
use moodring_record::{FramingError, Layout};
use moodring_source::{
    Closed, Done, Full, IdempotencyKey, Outlet, Position, Refused, Segment, Status,
};
use moodring_store::spool::{Appended, Entry, Limits, NewEntry, Next, Refusal, Spool};
use moodring_window::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::LiveError;
use crate::fold_thread::by_the_clock;
use crate::shared::{Shared, SharedSource};

/// The context of positions in a spool.
const CONTEXT: &str = "spool";
/// How long to wait for the next entry, or for room, before looking whether the run is over.
const LOOK: Duration = Duration::from_millis(100);
/// How long to wait before an attempt is made again that the disk refused.
const RETRY: Duration = Duration::from_secs(1);

/// The records of an entry.
#[derive(Debug, Serialize, Deserialize)]
struct Stored<'a> {
    offset: u64,
    records: u32,
    framing_errors: Cow<'a, [FramingError]>,
    #[serde(with = "serde_bytes", borrow)]
    bytes: &'a [u8],
}

/// A layout and its encoding.
type Encoded = (Arc<Layout>, Arc<[u8]>);

/// The spool of a source, as its threads share it.
#[derive(Debug)]
pub(crate) struct SpoolOutlet {
    spool: Spool,
    shared: Arc<Shared>,
    number: usize,
    /// The layout of the last segment, and its encoding.
    context: Mutex<Option<Encoded>>,
    /// Whether the source delivers no more.
    is_over: AtomicBool,
}

impl SpoolOutlet {
    /// Opens the spool of a source, of which everything before `from` is counted.
    ///
    /// # Errors
    /// [`LiveError::Spool`].
    pub(crate) fn open(
        state: &Path,
        shared: &Arc<Shared>,
        number: usize,
        from: Option<&Position>,
    ) -> Result<Arc<Self>, LiveError> {
        let counted = from.filter(|position| position.context == CONTEXT);
        let counted = counted.map_or(0, |position| position.offset);
        let folder = folder(state, &shared.sources[number].name);
        let (spool, opened) = Spool::open(&folder, counted, Limits::default())?;
        let waiting = opened.next.saturating_sub(opened.first.max(counted));
        shared.sources[number]
            .spooled
            .store(waiting, Ordering::SeqCst);
        Ok(Arc::new(Self {
            spool,
            shared: Arc::clone(shared),
            number,
            context: Mutex::new(None),
            is_over: AtomicBool::new(false),
        }))
    }

    /// Starts the thread that puts the entries into the intake, from the first one that is not counted.
    ///
    /// # Errors
    /// [`LiveError::Thread`].
    pub(crate) fn start_reader(self: &Arc<Self>, from: Option<&Position>) -> Result<(), LiveError> {
        let from = from.filter(|position| position.context == CONTEXT);
        let from = from.map_or(0, |position| position.offset);
        let this = Arc::clone(self);
        let body = move || {
            this.deliver(from);
            this.shared.intake.source_is_over(this.number);
        };
        let thread = thread::Builder::new().name(format!("spool {}", self.source().name));
        thread.spawn(body).map(drop).map_err(LiveError::Thread)
    }

    /// Tells that the source itself delivers no more.
    pub(crate) fn source_is_over(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Deletes what is counted.
    pub(crate) fn trim(&self, position: &Position) {
        if position.context == CONTEXT
            && let Err(error) = self.spool.trim(position.offset)
        {
            tracing::warn!(source = %self.source().name, "cannot delete what is counted: {error}");
        }
    }

    fn source(&self) -> &SharedSource {
        &self.shared.sources[self.number]
    }

    fn spooled(&self) -> &std::sync::atomic::AtomicU64 {
        &self.source().spooled
    }

    fn entry(&self, segment: &Segment) -> Result<NewEntry, WireError> {
        let stored = Stored {
            offset: segment.offset,
            records: segment.records,
            framing_errors: Cow::Borrowed(&segment.framing_errors),
            bytes: &segment.bytes,
        };
        Ok(NewEntry {
            context: self.context_of(&segment.layout)?,
            arrival: segment.arrival.as_micros(),
            key: segment.key.map(|key| key.0),
            bytes: wire::encode(&stored)?,
        })
    }

    fn context_of(&self, layout: &Arc<Layout>) -> Result<Arc<[u8]>, WireError> {
        let mut last = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, context)) = &*last
            && Arc::ptr_eq(known, layout)
        {
            return Ok(Arc::clone(context));
        }
        let context: Arc<[u8]> = wire::encode(&**layout)?.into();
        *last = Some((Arc::clone(layout), Arc::clone(&context)));
        Ok(context)
    }

    /// Puts entries into the intake until there will be no more.
    fn deliver(&self, from: u64) {
        let mut reader = self.spool.reader(from);
        let mut layouts = Layouts::default();
        while !self.shared.intake.is_closed() {
            match reader.read(LOOK) {
                Ok(Next::Entry(entry)) => {
                    let number = entry.number;
                    match layouts.segment(&entry) {
                        Ok(segment) => {
                            if self.shared.intake.submit(self.number, segment).is_err() {
                                return;
                            }
                        }
                        Err(error) => self.gap(&format!("entry {number} of the spool: {error}")),
                    }
                    self.spooled().fetch_sub(1, Ordering::SeqCst);
                }
                Ok(Next::Gap { from, to, why }) => {
                    let lost = to - from;
                    self.gap(&format!("entries {from} to {} of the spool: {why}", to - 1));
                    let less = |spooled: u64| Some(spooled.saturating_sub(lost));
                    let _ = self
                        .spooled()
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
                }
                Ok(Next::Nothing) => {
                    let is_over = self.is_over.load(Ordering::SeqCst);
                    if is_over && self.spooled().load(Ordering::SeqCst) == 0 {
                        return;
                    }
                }
                Ok(Next::End) => return,
                Err(error) if error.may_pass() => {
                    tracing::warn!(source = %self.source().name, "cannot read the spool: {error}");
                    self.shared.intake.wait(RETRY);
                }
                Err(error) => {
                    let why = error.to_string();
                    return self.set_status(Status::Stopped { why });
                }
            }
        }
    }
}

impl Outlet for SpoolOutlet {
    fn submit(&self, segment: Segment) -> Result<(), Refused> {
        let mut entry = self.entry(&segment).map_err(not_stored)?;
        drop(segment);
        while !self.is_closed() {
            let (told, is_told) = bounded(1);
            self.spooled().fetch_add(1, Ordering::SeqCst);
            let tell = Box::new(move |stored| drop(told.send(stored)));
            let stored = match self.spool.append(entry, tell) {
                Ok(()) => is_told.recv().map_err(not_stored),
                Err(refused) => match refused.why {
                    Refusal::NoRoom => {
                        entry = refused.entry;
                        self.spooled().fetch_sub(1, Ordering::SeqCst);
                        self.spool.wait_for_room(&entry, LOOK);
                        continue;
                    }
                    why => Err(not_stored(why)),
                },
            };
            match stored {
                Ok(Ok(Appended::Stored(_))) => return Ok(()),
                Ok(Ok(Appended::Repeated)) => {
                    self.spooled().fetch_sub(1, Ordering::SeqCst);
                    return Err(Refused::Repeated);
                }
                Ok(Err(failed)) => {
                    self.spooled().fetch_sub(1, Ordering::SeqCst);
                    if !failed.error.may_pass() {
                        return Err(not_stored(failed.error));
                    }
                    tracing::warn!(source = %self.source().name, "cannot store posts: {}", failed.error);
                    entry = failed.entry;
                    self.shared.intake.wait(RETRY);
                }
                Err(refused) => {
                    self.spooled().fetch_sub(1, Ordering::SeqCst);
                    return Err(refused);
                }
            }
        }
        Err(Closed.into())
    }

    fn offer(&self, segment: Segment, done: Done) -> Result<(), Full> {
        if self.is_closed() {
            done(Err(Closed.into()));
            return Ok(());
        }
        let entry = match self.entry(&segment) {
            Ok(entry) => entry,
            Err(error) => {
                done(Err(not_stored(error)));
                return Ok(());
            }
        };
        let (shared, number) = (Arc::clone(&self.shared), self.number);
        let done = Arc::new(Mutex::new(Some(done)));
        let tell = {
            let done = Arc::clone(&done);
            move |stored: Result<Appended, _>| {
                let result = match stored {
                    Ok(Appended::Stored(_)) => Ok(()),
                    Ok(Appended::Repeated) => Err(Refused::Repeated),
                    Err(failed) => Err(not_stored(failed)),
                };
                if result.is_err() {
                    shared.sources[number]
                        .spooled
                        .fetch_sub(1, Ordering::SeqCst);
                }
                call(&done, result);
            }
        };
        self.spooled().fetch_add(1, Ordering::SeqCst);
        if let Err(refused) = self.spool.append(entry, Box::new(tell)) {
            self.spooled().fetch_sub(1, Ordering::SeqCst);
            match refused.why {
                Refusal::NoRoom => return Err(Full(Box::new(segment))),
                why => call(&done, Err(not_stored(why))),
            }
        }
        Ok(())
    }

    fn set_status(&self, status: Status) {
        self.source().set_status(status);
    }

    fn gap(&self, why: &str) {
        self.source().add_gap(by_the_clock(), why);
    }

    fn wait(&self, time: Duration) -> bool {
        self.shared.intake.wait(time)
    }

    fn is_closed(&self) -> bool {
        self.shared.intake.is_closed()
    }
}

fn call(done: &Mutex<Option<Done>>, result: Result<(), Refused>) {
    let done = done.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(done) = done {
        done(result);
    }
}

fn not_stored(error: impl std::fmt::Display) -> Refused {
    Refused::NotStored(error.to_string())
}

/// The layouts of entries, which mostly share one.
#[derive(Debug, Default)]
struct Layouts(Option<(Arc<[u8]>, Arc<Layout>)>);

impl Layouts {
    fn segment(&mut self, entry: &Entry) -> Result<Segment, WireError> {
        let stored: Stored<'_> = wire::decode(&entry.bytes)?;
        Ok(Segment {
            layout: self.layout(&entry.context)?,
            bytes: stored.bytes.to_vec(),
            framing_errors: stored.framing_errors.into_owned(),
            records: stored.records,
            offset: stored.offset,
            arrival: Timestamp::from_micros(entry.arrival),
            position: Some(Position {
                context: CONTEXT.to_owned(),
                offset: entry.number + 1,
            }),
            key: entry.key.map(IdempotencyKey),
        })
    }

    fn layout(&mut self, context: &Arc<[u8]>) -> Result<Arc<Layout>, WireError> {
        if let Some((known, layout)) = &self.0
            && known == context
        {
            return Ok(Arc::clone(layout));
        }
        let layout: Arc<Layout> = Arc::new(wire::decode(context)?);
        self.0 = Some((Arc::clone(context), Arc::clone(&layout)));
        Ok(layout)
    }
}

/// The folder of a source's spool: its name, with everything that may not be in the name of a file written as `%` and two
/// hexadecimal digits.
fn folder(state: &Path, name: &str) -> PathBuf {
    let mut folder = state.as_os_str().to_owned();
    folder.push(".spool");
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    PathBuf::from(folder).join(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{BlockLimits, Intake, PERMITS};

    fn shared() -> Arc<Shared> {
        let intake = Intake::new(1, PERMITS, BlockLimits::default(), true);
        Arc::new(Shared::new(intake, ["stdin:".to_owned()]))
    }

    fn segment(text: &str, key: Option<u128>) -> Segment {
        Segment {
            layout: Arc::new(crate::testing::layout()),
            bytes: text.as_bytes().to_vec(),
            framing_errors: Vec::new(),
            records: 1,
            offset: 7,
            arrival: Timestamp::from_micros(5),
            position: None,
            key: key.map(IdempotencyKey),
        }
    }

    /// The texts that come out of the intake, and the position after the last.
    fn delivered(shared: &Shared) -> (Vec<String>, Option<Position>) {
        let (mut texts, mut position) = (Vec::new(), None);
        while let Some(block) = shared.intake.next_block() {
            for taken in block {
                texts.push(String::from_utf8(taken.segment.bytes).unwrap());
                position = taken.segment.position;
                assert_eq!(taken.segment.offset, 7);
            }
        }
        (texts, position)
    }

    #[test]
    fn records_have_positions_and_what_is_not_counted_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("s.db");
        let run = |from: Option<&Position>, texts: &[&str]| {
            let shared = shared();
            let outlet = SpoolOutlet::open(&state, &shared, 0, from).unwrap();
            for text in texts {
                outlet.submit(segment(text, None)).unwrap();
            }
            outlet.source_is_over();
            outlet.start_reader(from).unwrap();
            let delivered = delivered(&shared);
            assert_eq!(shared.sources[0].spooled.load(Ordering::SeqCst), 0);
            delivered
        };
        let (texts, position) = run(None, &["a", "b"]);
        assert_eq!(texts, ["a", "b"]);
        let counted = Position {
            offset: 1,
            ..position.unwrap()
        };
        let (texts, position) = run(Some(&counted), &["c"]);
        assert_eq!(texts, ["b", "c"]);
        assert_eq!(position.unwrap().offset, 3);
    }

    #[test]
    fn a_request_that_is_sent_again_is_not_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let shared = shared();
        let outlet = SpoolOutlet::open(&folder.path().join("s.db"), &shared, 0, None).unwrap();
        outlet.submit(segment("a", Some(1))).unwrap();
        assert_eq!(outlet.submit(segment("a", Some(1))), Err(Refused::Repeated));
        let (told, is_told) = bounded(1);
        let done: Done = Box::new(move |result| told.send(result).unwrap());
        outlet.offer(segment("a", Some(1)), done).unwrap();
        assert_eq!(is_told.recv().unwrap(), Err(Refused::Repeated));
        outlet.source_is_over();
        outlet.start_reader(None).unwrap();
        assert_eq!(delivered(&shared).0, ["a"]);
    }

    #[test]
    fn the_folder_of_a_spool_is_a_plain_name() {
        let folder = folder(Path::new("a/s.db"), "push:[::1]:80/../x");
        assert_eq!(
            folder,
            Path::new("a/s.db.spool/push%3A%5B%3A%3A1%5D%3A80%2F%2E%2E%2Fx")
        );
    }
}
