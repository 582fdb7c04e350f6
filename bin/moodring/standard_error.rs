//! Standard error, without waiting for ever for whoever reads it.
//!
//! A pipe whose reader has stopped, and a terminal that was stopped by Ctrl-S, block whoever writes to them. If that were
//! the thread that runs the pool, a line of the log would stop the run. So each piece is written only when there is room
//! for it, which is waited for a while; once that was in vain, nothing is waited for until there is room again.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How long a log line waits for room.
pub(crate) const LOG_PATIENCE: Duration = Duration::from_millis(100);

/// How long a sentence for a person waits for room.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// A pipe that says that there is room takes as much without blocking: pipe(7), `PIPE_BUF`.
const PIECE: usize = 4096;

/// Whether the last write found no room in time.
static IS_STALLED: AtomicBool = AtomicBool::new(false);

/// How many lines were dropped, and not told of yet.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Who writes: between the look for room and the write nobody else may take it.
static WRITER: Mutex<()> = Mutex::new(());

/// Writes a line, or drops and counts it if there is no room for it in time. Errors are ignored: if standard error is closed,
/// there is nobody to tell.
pub(crate) fn write(line: &[u8], patience: Duration) {
    let _writer = WRITER.lock();
    let stderr = io::stderr();
    write_to(&stderr, line, patience, &IS_STALLED, &DROPPED);
}

/// Returns how many lines were dropped since this was asked last.
pub(crate) fn take_dropped() -> u64 {
    DROPPED.swap(0, Ordering::Relaxed)
}

fn write_to<W: AsFd>(
    output: &W,
    line: &[u8],
    patience: Duration,
    is_stalled: &AtomicBool,
    dropped: &AtomicU64,
) where
    for<'w> &'w W: Write,
{
    for piece in line.chunks(PIECE) {
        let patience = if is_stalled.load(Ordering::Relaxed) {
            Duration::ZERO
        } else {
            patience
        };
        if !has_room(output, patience) {
            is_stalled.store(true, Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        is_stalled.store(false, Ordering::Relaxed);
        let mut output = output;
        let _ = output.write_all(piece);
    }
}

/// Whether a write would not block, now or within that time.
fn has_room(output: &impl AsFd, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    let mut fds = [PollFd::new(output, PollFlags::OUT)];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        match poll(&mut fds, left.as_ref()) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            // What cannot be asked is written to as it always was.
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_line_that_nobody_reads_in_time_is_dropped_and_counted() {
        let (mut reader, writer) = io::pipe().unwrap();
        let (is_stalled, dropped) = (AtomicBool::new(false), AtomicU64::new(0));
        let line = [b'x'; 1000];
        let write = |patience| write_to(&writer, &line, patience, &is_stalled, &dropped);
        // Far more than a pipe holds. Only the first line that finds no room waits.
        let began = Instant::now();
        for _ in 0..2000 {
            write(Duration::from_millis(50));
        }
        assert!(began.elapsed() < Duration::from_secs(30));
        let lost = dropped.load(Ordering::Relaxed);
        assert!(lost > 1000, "{lost}");
        // Read again, it takes lines again.
        let mut all = vec![0; usize::try_from(2000 - lost).unwrap() * line.len()];
        reader.read_exact(&mut all).unwrap();
        write(Duration::ZERO);
        assert_eq!(dropped.load(Ordering::Relaxed), lost);
        reader.read_exact(&mut all[..line.len()]).unwrap();
    }
}
