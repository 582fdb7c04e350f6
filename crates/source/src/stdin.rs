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
