//! Standard input.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use moodring_codec::Compression;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::clock::{Clock, SystemClock};
use crate::deliver::Halt;
use crate::outlet::{Outlet, Refused};
use crate::segment::{Position, Segment};
use crate::source::{Kind, Source};
use crate::status::Status;
use crate::stream::{Stream, StreamError, expanded};
use crate::style::Style;

/// How long a pipe is waited for before the source looks whether it is to return.
const LOOK: Duration = Duration::from_millis(100);

/// How long to wait until a segment that could not be stored is submitted again.
const RETRY: Duration = Duration::from_secs(1);

/// How standard input is read.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// `None` if its first bytes are to tell.
    pub(crate) compression: Option<Compression>,
    pub(crate) style: Style,
}

/// Delivers the records of standard input as they come.
pub(crate) struct StdinSource {
    options: Options,
}

impl StdinSource {
    pub(crate) fn new(options: Options) -> StdinSource {
        StdinSource { options }
    }
}

impl Source for StdinSource {
    fn kind(&self) -> Kind {
        Kind {
            has_position: false,
            is_live: true,
            pace: 1.0,
        }
    }

    fn run(self: Box<Self>, _from: Option<Position>, outlet: Arc<dyn Outlet>) {
        let outlet = &*outlet;
        // Past the buffer of `io::stdin`, which reads pieces of 8 KiB.
        let halt = match io::stdin().as_fd().try_clone_to_owned() {
            Ok(input) => read(
                File::from(input),
                &self.options,
                outlet,
                &SystemClock::new(),
            ),
            Err(error) => stopped(&error.into()),
        };
        halt.tell(outlet);
    }
}

/// Delivers what comes out of a pipe.
fn read(input: File, options: &Options, outlet: &dyn Outlet, clock: &dyn Clock) -> Halt {
    outlet.set_status(Status::Live);
    let input = UntilClosed { input, outlet };
    let read = || -> Result<Halt, StreamError> {
        let mut stream = Stream::open(expanded(input, options.compression)?, &options.style)?;
        while let Some(piece) = stream.next_piece()? {
            let segment = piece.into_segment(stream.layout(), clock.now(), None);
            if let Err(halt) = submit(outlet, &segment) {
                return Ok(halt);
            }
        }
        Ok(Halt::Ended)
    };
    match read() {
        Err(_) if outlet.is_closed() => Halt::Closed,
        Err(error) => stopped(&error),
        Ok(halt) => halt,
    }
}

fn stopped(error: &StreamError) -> Halt {
    Halt::Stopped(format!("cannot read standard input: {error}"))
}

/// Submits a segment until it is taken, as it cannot be read again.
fn submit(outlet: &dyn Outlet, segment: &Segment) -> Result<(), Halt> {
    let mut has_failed = false;
    loop {
        match outlet.submit(segment.clone()) {
            Ok(()) if has_failed => {
                outlet.set_status(Status::Live);
                return Ok(());
            }
            Ok(()) => return Ok(()),
            Err(Refused::Closed(_)) => return Err(Halt::Closed),
            Err(error) => {
                has_failed = true;
                let (wait, why) = (RETRY, error.to_string());
                outlet.set_status(Status::Retrying { wait, why });
                if !outlet.wait(RETRY) {
                    return Err(Halt::Closed);
                }
            }
        }
    }
}

/// Reads until the source is to return, which then looks like an error.
struct UntilClosed<'o> {
    input: File,
    outlet: &'o dyn Outlet,
}

impl Read for UntilClosed<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let look = Timespec::try_from(LOOK).map_err(io::Error::other)?;
        loop {
            if self.outlet.is_closed() {
                return Err(io::Error::other("the stream has ended"));
            }
            let mut input = [PollFd::new(&self.input, PollFlags::IN)];
            match poll(&mut input, Some(&look)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return self.input.read(buf),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::thread;

    use moodring_codec::Compressor;
    use moodring_record::Format;

    use super::*;
    use crate::testing::{Recorded, Recorder, style};

    fn options(format: Option<Format>) -> Options {
        Options {
            compression: None,
            style: Style {
                format,
                ..style(Format::Text)
            },
        }
    }

    fn pipe() -> (File, File) {
        let (reader, writer) = io::pipe().unwrap();
        (
            File::from(OwnedFd::from(reader)),
            File::from(OwnedFd::from(writer)),
        )
    }

    /// Reads a pipe that holds all this.
    fn read_all(content: &[u8], format: Option<Format>) -> (Halt, Vec<String>) {
        let recorder = Recorder::default();
        let (input, mut writer) = pipe();
        let halt = thread::scope(|scope| {
            scope.spawn(move || writer.write_all(content).unwrap());
            read(input, &options(format), &recorder, &recorder)
        });
        (halt, recorder.records())
    }

    #[test]
    fn what_is_complete_is_delivered_while_the_pipe_is_open() {
        let recorder = Recorder::default();
        let (input, mut writer) = pipe();
        thread::scope(|scope| {
            let reader = scope.spawn(|| read(input, &options(None), &recorder, &recorder));
            writer.write_all(b"{\"text\":\"one\"}\n{\"te").unwrap();
            drop(recorder.until(|recorded| recorded.segments.len() == 1));
            writer.write_all(b"xt\":\"two\"}").unwrap();
            drop(writer);
            assert_eq!(reader.join().unwrap(), Halt::Ended);
        });
        assert_eq!(
            recorder.records(),
            ["{\"text\":\"one\"}", "{\"text\":\"two\"}"]
        );
    }

    #[test]
    fn a_pipe_that_stays_open_does_not_hold_up_the_end_of_the_stream() {
        let recorder = Recorder::default();
        let (input, writer) = pipe();
        thread::scope(|scope| {
            let reader = scope.spawn(|| read(input, &options(None), &recorder, &recorder));
            drop(recorder.until(|recorded| !recorded.statuses.is_empty()));
            recorder.change(|recorded| recorded.closes_after = Some(0));
            assert_eq!(reader.join().unwrap(), Halt::Closed);
        });
        drop(writer);
    }

    #[test]
    fn compressed_bytes_are_recognized() {
        let mut stored = Vec::new();
        let mut compressor = Compressor::new(Compression::Zstd).unwrap();
        compressor.compress(b"one\ntwo\n", &mut stored).unwrap();
        let (halt, records) = read_all(&stored, Some(Format::Text));
        assert_eq!(
            (halt, records),
            (Halt::Ended, vec!["one".to_owned(), "two".to_owned()])
        );
    }

    #[test]
    fn an_unknown_format_stops_the_source() {
        let (halt, records) = read_all(b"text,time\n", None);
        assert!(
            matches!(&halt, Halt::Stopped(why) if why.contains("add format=")),
            "{halt:?}"
        );
        assert!(records.is_empty());
    }

    #[test]
    fn an_outlet_without_room_holds_the_reader_up_and_nothing_is_lost() {
        let recorder = Recorder::default();
        recorder.change(|recorded| recorded.room = Some(1));
        let content = "x\n".repeat(2000);
        let (input, mut writer) = pipe();
        thread::scope(|scope| {
            let reader =
                scope.spawn(|| read(input, &options(Some(Format::Text)), &recorder, &recorder));
            writer.write_all(content.as_bytes()).unwrap();
            drop(writer);
            let count = |recorded: &Recorded| {
                let records = recorded.segments.iter().map(|segment| segment.records);
                records.sum::<u32>()
            };
            while count(
                &recorder.until(|recorded| recorded.room == Some(0) || count(recorded) == 2000),
            ) < 2000
            {
                recorder.change(|recorded| recorded.room = Some(1));
            }
            assert_eq!(reader.join().unwrap(), Halt::Ended);
        });
        assert_eq!(recorder.records().len(), 2000);
    }
}
