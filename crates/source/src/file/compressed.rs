//! A complete file that is compressed. Positions count decompressed bytes: to resume, what is before is read again.

use moodring_codec::expand;

use super::follower::{Options, open_regular};
use super::identity::{FileId, Mark};
use crate::clock::Clock;
use crate::deliver::{Halt, submit};
use crate::outlet::Outlet;
use crate::segment::Position;
use crate::status::Status;
use crate::stream::{Stream, StreamError};
use crate::style::failure;

/// Delivers what is behind `from`.
pub(crate) fn read_compressed(
    options: &Options,
    from: Option<&Position>,
    outlet: &dyn Outlet,
    clock: &dyn Clock,
) -> Halt {
    let delivered = open(options, from, outlet).and_then(|(id, mut stream)| {
        outlet.set_status(Status::CatchingUp);
        deliver(id, &mut stream, outlet, clock)
    });
    delivered.unwrap_or_else(|error| Halt::Stopped(failure("read", &options.name, error)))
}

/// Opens the file where the position is; at its start if that is in another file.
fn open(
    options: &Options,
    from: Option<&Position>,
    outlet: &dyn Outlet,
) -> Result<(FileId, Stream<'static>), StreamError> {
    let start = || -> Result<_, StreamError> {
        let (file, metadata) = open_regular(&options.path)?;
        let reader = expand(options.compression, file)?;
        let stream = Stream::open(reader, &options.style)?;
        Ok((FileId::of(&metadata), stream))
    };
    let (id, mut stream) = start()?;
    let Some(from) = from else {
        return Ok((id, stream));
    };
    let is_there = match stream.skip_to(from.offset) {
        Err(StreamError::TooShort { .. }) => false,
        skipped => {
            skipped?;
            // A copy of the file will do as well.
            Mark::of_position(from).is_some_and(|mark| mark.fits(stream.trace()))
        }
    };
    if is_there {
        return Ok((id, stream));
    }
    outlet.gap(&format!(
        "\"{}\" is not the file that was read before: it is read from its start",
        options.name
    ));
    start()
}

fn deliver(
    id: FileId,
    stream: &mut Stream<'_>,
    outlet: &dyn Outlet,
    clock: &dyn Clock,
) -> Result<Halt, StreamError> {
    while let Some(piece) = stream.next_piece()? {
        let position = Mark::new(id, stream.trace()).position(piece.end);
        let segment = piece.into_segment(stream.layout(), clock.now(), Some(position));
        if let Err(halt) = submit(outlet, segment) {
            return Ok(halt);
        }
    }
    Ok(Halt::Ended)
}
