//! Lines over a connection, bounded in length and in time: whoever is at the other end may be hostile, stopped or gone.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::Serialize;

/// When a conversation must be over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// From now on.
    pub(crate) fn within(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// How much time is left.
    pub(crate) fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

/// Reads a line of at most `most` bytes, without its end. `None` if the connection ends before the line does.
pub(crate) fn read_line(
    mut stream: &UnixStream,
    most: usize,
    deadline: Deadline,
) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        stream.set_read_timeout(Some(deadline.left()?))?;
        let got = match stream.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(got) => got,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(timed_out(error)),
        };
        let end = buffer[..got].iter().position(|&byte| byte == b'\n');
        let piece = &buffer[..end.unwrap_or(got)];
        if line.len() + piece.len() > most {
            let reason = format!("a line of more than {most} bytes came");
            return Err(io::Error::new(ErrorKind::InvalidData, reason));
        }
        line.extend_from_slice(piece);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

/// Writes a message as a line of JSON.
pub(crate) fn write_line(
    mut stream: &UnixStream,
    message: &impl Serialize,
    deadline: Deadline,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut rest = &line[..];
    while !rest.is_empty() {
        stream.set_write_timeout(Some(deadline.left()?))?;
        match stream.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(timed_out(error)),
        }
    }
    Ok(())
}

/// A read or write that reached its timeout says that it would block.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    fn long() -> Deadline {
        Deadline::within(Duration::from_mins(1))
    }

    proptest! {
        #[test]
        fn a_line_arrives_whole_however_it_is_cut(text in "[^\n]{0,40}", cut in 0_usize..40) {
            let (here, there) = UnixStream::pair()?;
            let sent = format!("{text}\nmore");
            let (head, tail) = sent.as_bytes().split_at(cut.min(sent.len()));
            (&there).write_all(head)?;
            (&there).write_all(tail)?;
            prop_assert_eq!(read_line(&here, 160, long())?, Some(text.into_bytes()));
        }
    }

    #[test]
    fn a_line_that_has_no_end_is_given_up_at_the_limit() {
        let (here, there) = UnixStream::pair().unwrap();
        let flood = thread::spawn(move || while (&there).write_all(&[b'x'; 4096]).is_ok() {});
        let error = read_line(&here, 10_000, long()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        drop(here);
        flood.join().unwrap();
    }

    #[test]
    fn a_line_that_trickles_in_is_given_up_at_the_deadline() {
        let (here, there) = UnixStream::pair().unwrap();
        let trickle = thread::spawn(move || {
            while (&there).write_all(b"x").is_ok() {
                thread::yield_now();
            }
        });
        let deadline = Deadline::within(Duration::from_millis(30));
        let error = read_line(&here, usize::MAX, deadline).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(here);
        trickle.join().unwrap();
    }

    #[test]
    fn a_client_that_never_reads_is_given_up_at_the_deadline() {
        let (here, there) = UnixStream::pair().unwrap();
        let deadline = Deadline::within(Duration::from_millis(30));
        let error = write_line(&here, &"x".repeat(8 << 20), deadline).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(there);
    }

    #[test]
    fn a_line_that_is_cut_off_is_none() {
        let (here, there) = UnixStream::pair().unwrap();
        (&there).write_all(b"\"stop\"").unwrap();
        drop(there);
        assert_eq!(read_line(&here, 100, long()).unwrap(), None);
    }
}
