//! What to do next about a file that grows, is rotated, truncated or replaced.
//!
//! The file under the name is read to its end, and then looked at again and again. Once another file has the name and
//! something is in it, the old one is read to its end a last time, then those that were rotated in between, then the new
//! one. While the new one is empty, a writer may still be writing to the old one. If what was read before has vanished
//! from the file, it was truncated: what was left in it is read from the copy that was made before, if there is one.

use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moodring_codec::Compression;

use super::current::{Current, Progress, ReadError};
use super::folder::{Folder, FolderStamp};
use super::identity::{FileId, Mark, trace_of};
use crate::clock::Clock;
use crate::deliver::{Halt, submit};
use crate::outlet::Outlet;
use crate::segment::Position;
use crate::status::Status;
use crate::style::{Style, failure};

/// How long to wait between two looks at a file that is being written to, and at one that is not.
const SHORT_WAIT: Duration = Duration::from_millis(5);
const LONG_WAIT: Duration = Duration::from_millis(25);

/// After how many short waits without anything to read the long ones begin.
const SHORT_WAITS: u32 = 200;

/// After how many waits a folder is listed that seems not to have changed.
const LOOK_AGAIN: u32 = 40;

/// What is followed, and how.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) path: PathBuf,
    /// The path for messages.
    pub(crate) name: String,
    /// Whether to wait for more at the end.
    pub(crate) follow: bool,
    /// A file that is compressed cannot be followed.
    pub(crate) compression: Compression,
    pub(crate) style: Style,
}

/// What to do after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Take the next one at once.
    Again,
    /// Take the next one after this time.
    Wait(Duration),
}

/// Follows a file.
pub(crate) struct Follower {
    options: Options,
    clock: Box<dyn Clock>,
    /// Where an earlier process was, until that place has been found.
    from: Option<Position>,
    current: Option<Current>,
    /// The file that was read last, until it is known what comes after it.
    left: Option<FileId>,
    /// The rotated files that come before the one under the name.
    queue: VecDeque<FileId>,
    /// What the folder looked like when it was last listed while the name was not taken.
    listed: Option<FolderStamp>,
    has_caught_up: bool,
    waits: u32,
    status: Option<Status>,
}

impl Follower {
    pub(crate) fn new(options: Options, from: Option<Position>, clock: Box<dyn Clock>) -> Follower {
        Follower {
            options,
            clock,
            from,
            current: None,
            left: None,
            queue: VecDeque::new(),
            listed: None,
            has_caught_up: false,
            waits: 0,
            status: None,
        }
    }

    /// Reads once and delivers what is complete, or finds out what to read next.
    pub(crate) fn turn(&mut self, outlet: &dyn Outlet) -> Result<Turn, Halt> {
        let Some(current) = &mut self.current else {
            return self.open(outlet);
        };
        let ended = current.is_leaving || !self.options.follow;
        match current.read(&self.options.style, ended) {
            Ok(Progress::Read) => {
                self.waits = 0;
                self.deliver(outlet, false)?;
                Ok(Turn::Again)
            }
            Ok(Progress::AtEnd) => self.at_end(outlet),
            Ok(Progress::Truncated) => self.truncated(outlet),
            Err(ReadError::Io(error)) => {
                let why = failure("read", &self.options.name, error);
                Ok(self.retry(outlet, why))
            }
            Err(ReadError::Style(error)) => {
                let why = failure("read", &self.options.name, error);
                Err(Halt::Stopped(why))
            }
        }
    }

    /// Delivers the records that have been read. `ended` says that what is left is one too.
    fn deliver(&mut self, outlet: &dyn Outlet, ended: bool) -> Result<(), Halt> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let Some(buffer) = &mut current.buffer else {
            return Ok(());
        };
        while let Some(piece) = buffer.next_piece(ended) {
            let position = Mark::new(current.id, buffer.trace()).position(piece.end);
            let arrival = self.clock.now();
            submit(
                outlet,
                piece.into_segment(buffer.layout(), arrival, Some(position)),
            )?;
        }
        Ok(())
    }

    /// Opens the next file.
    fn open(&mut self, outlet: &dyn Outlet) -> Result<Turn, Halt> {
        let opened = match self.from.clone() {
            Some(position) => self.resume(&position, outlet),
            None => self.open_next(outlet),
        };
        match opened {
            Ok(Some(current)) => {
                self.current = Some(current);
                self.waits = 0;
                self.tell_reading(outlet);
                Ok(Turn::Again)
            }
            Ok(None) => Ok(Turn::Again),
            Err(error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => {
                        format!("there is no file \"{}\"", self.options.name)
                    }
                    _ => failure("open", &self.options.name, &error),
                };
                let needs_person = error.kind() == io::ErrorKind::InvalidInput;
                if needs_person || !self.options.follow {
                    return Err(Halt::Stopped(why));
                }
                Ok(self.retry(outlet, why))
            }
        }
    }

    /// Finds the file that an earlier process was in. `None` if it is gone: the next turn begins anew.
    fn resume(&mut self, position: &Position, outlet: &dyn Outlet) -> io::Result<Option<Current>> {
        let Some(mark) = Mark::of_position(position) else {
            self.from = None;
            outlet.gap("the stored position is not one in a file: the file is read from its start");
            return Ok(None);
        };
        let at_path = match open_regular(&self.options.path) {
            Ok(opened) => Some(opened),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some((file, metadata)) = at_path
            && FileId::of(&metadata) == mark.id
            && let Some(trace) = trace_of(&file, position.offset)?
            && mark.fits(&trace)
        {
            self.from = None;
            return Ok(Some(Current::new(
                file,
                mark.id,
                Some((position.offset, trace)),
            )));
        }
        let found = self.find_rotated(&mark, position.offset)?;
        self.from = None;
        if found.is_none() {
            outlet.gap(&format!(
                "the file that was read as \"{}\" is gone, or was truncated: what was written to it past byte {} is lost",
                self.options.name, position.offset
            ));
        }
        Ok(found)
    }

    fn find_rotated(&self, mark: &Mark, offset: u64) -> io::Result<Option<Current>> {
        let folder = match Folder::list(&self.options.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            folder => folder?,
        };
        let Some(file) = folder.find(mark, offset) else {
            return Ok(None);
        };
        let trace = trace_of(&file, offset)?.unwrap_or_default();
        let id = FileId::of(&file.metadata()?);
        Ok(Some(Current::new(file, id, Some((offset, trace)))))
    }

    /// Opens the first of the rotated files that wait, else the one under the name. `None` if the former is gone.
    fn open_next(&mut self, outlet: &dyn Outlet) -> io::Result<Option<Current>> {
        let Some(&id) = self.queue.front() else {
            // Opened before the folder is listed: whatever is rotated in between, this one or its successor is found.
            let opened = open_regular(&self.options.path);
            let Some(left) = self.left else {
                let (file, metadata) = opened?;
                return Ok(Some(Current::new(file, FileId::of(&metadata), None)));
            };
            let successors = Folder::list(&self.options.path)?.successors(left);
            let opened = match opened {
                _ if !successors.plain.is_empty() => None,
                opened => Some(opened?),
            };
            self.tell_compressed(&successors.compressed, outlet);
            self.queue = successors.plain.into();
            self.left = None;
            return Ok(
                opened.map(|(file, metadata)| Current::new(file, FileId::of(&metadata), None))
            );
        };
        let file = Folder::list(&self.options.path)?.open(id);
        self.queue.pop_front();
        if file.is_none() {
            let name = &self.options.name;
            outlet.gap(&format!(
                "a rotated file of \"{name}\" vanished before it was read"
            ));
        }
        Ok(file.map(|file| Current::new(file, id, None)))
    }

    /// There is nothing more to read in the file at present.
    fn at_end(&mut self, outlet: &dyn Outlet) -> Result<Turn, Halt> {
        let Some(current) = &mut self.current else {
            return Ok(Turn::Again);
        };
        let at_path = fs::metadata(&self.options.path);
        if let Ok(metadata) = &at_path
            && FileId::of(metadata) == current.id
        {
            if !self.options.follow {
                self.deliver(outlet, true)?;
                return Err(Halt::Ended);
            }
            current.is_leaving = false;
            self.has_caught_up = true;
            self.tell_reading(outlet);
            return Ok(Turn::Wait(self.next_wait()));
        }
        let has_bytes = at_path.as_ref().is_ok_and(|metadata| metadata.len() > 0);
        if !has_bytes && self.queue.is_empty() {
            self.look_for_successors();
        }
        let Some(current) = &mut self.current else {
            return Ok(Turn::Again);
        };
        if has_bytes || !self.queue.is_empty() || !self.options.follow {
            if current.is_leaving {
                self.leave(outlet)?;
            } else {
                // A writer that has begun the next file has finished this one: one more look sees all of it.
                current.is_leaving = true;
            }
            return Ok(Turn::Again);
        }
        match at_path {
            Ok(_) => self.tell_reading(outlet),
            Err(error) => {
                let why = failure("open", &self.options.name, error);
                self.tell(outlet, retrying(why));
            }
        }
        Ok(Turn::Wait(self.next_wait()))
    }

    /// Looks for files that were rotated after the current one, although there is no new one under the name as yet. The
    /// folder is listed again when it has changed, and now and then, as changes within a few milliseconds look like one.
    fn look_for_successors(&mut self) {
        let stamp = FolderStamp::of(&self.options.path);
        let is_unchanged = stamp.is_some() && stamp == self.listed;
        if is_unchanged && !self.waits.is_multiple_of(LOOK_AGAIN) {
            return;
        }
        let Some(current) = &self.current else {
            return;
        };
        if let Ok(folder) = Folder::list(&self.options.path) {
            self.queue = folder.successors(current.id).plain.into();
            self.listed = stamp;
        }
    }

    /// Delivers the rest of a file that was rotated away.
    fn leave(&mut self, outlet: &dyn Outlet) -> Result<(), Halt> {
        self.deliver(outlet, true)?;
        self.left = self.current.take().map(|left| left.id);
        self.queue.clear();
        Ok(())
    }

    fn tell_compressed(&self, compressed: &[String], outlet: &dyn Outlet) {
        let name = &self.options.name;
        for compressed in compressed {
            outlet.gap(&format!(
                "\"{compressed}\" was rotated and compressed before it was read as \"{name}\""
            ));
        }
    }

    /// What was read is no longer in the file.
    fn truncated(&mut self, outlet: &dyn Outlet) -> Result<Turn, Halt> {
        tracing::info!("\"{}\" was truncated", self.options.name);
        let mark = self.current.as_ref().and_then(Current::mark);
        if let Some((mark, offset)) = mark
            && let Ok(Some(copy)) = self.find_rotated(&mark, offset)
        {
            self.current = Some(copy);
            return Ok(Turn::Again);
        }
        self.deliver(outlet, true)?;
        self.current = None;
        Ok(Turn::Again)
    }

    fn retry(&mut self, outlet: &dyn Outlet, why: String) -> Turn {
        self.tell(outlet, retrying(why));
        Turn::Wait(self.next_wait())
    }

    fn next_wait(&mut self) -> Duration {
        self.waits = self.waits.saturating_add(1);
        if self.waits <= SHORT_WAITS {
            SHORT_WAIT
        } else {
            LONG_WAIT
        }
    }

    fn tell_reading(&mut self, outlet: &dyn Outlet) {
        let status = if self.has_caught_up {
            Status::Live
        } else {
            Status::CatchingUp
        };
        self.tell(outlet, status);
    }

    fn tell(&mut self, outlet: &dyn Outlet, status: Status) {
        if self.status.as_ref() != Some(&status) {
            outlet.set_status(status.clone());
            self.status = Some(status);
        }
    }
}

fn retrying(why: String) -> Status {
    Status::Retrying {
        wait: LONG_WAIT,
        why,
    }
}

/// Opens a file, if it is one.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    // A pipe would block until somebody writes into it.
    if !fs::metadata(path)?.is_file() {
        return Err(not_regular());
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(not_regular())
    }
}

fn not_regular() -> io::Error {
    let why = "it is no regular file; read a pipe as stdin:";
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
