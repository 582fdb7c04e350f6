//! Passes what workers write to standard error on, without ever waiting for whoever reads it.
//!
//! A pipe whose reader has stopped blocks whoever writes to it. If the threads that wait for workers did, a
//! worker's death would go unseen, and the run would hang. So they only queue the bytes, and one thread writes
//! them. Once the queue is full, further bytes are dropped and counted.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::driver_event::DriverEvent;
use crate::helper;

/// The capacity of the queue, in pieces of at most 4 KiB: 256 KiB.
const CAPACITY: usize = 64;

/// How long a full queue is waited for before bytes are dropped: a reader that is only slow loses nothing.
const PUSH_TIMEOUT: Duration = Duration::from_millis(100);

/// How long the end of a run waits for the queue to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// What the writing thread is asked to do.
enum Piece {
    Bytes(Vec<u8>),
    /// Says that this many bytes were dropped here.
    Dropped(u64),
    /// Confirms that everything before is written.
    Flush(Sender<()>),
}

/// The queue of the writing thread, for the threads that read from workers.
#[derive(Clone)]
pub(crate) struct Forwarder(Arc<Mutex<Queue>>);

struct Queue {
    pieces: Sender<Piece>,
    /// How many bytes were dropped since the last piece was queued.
    dropped: u64,
}

impl Forwarder {
    /// Starts the thread that writes to this process's standard error. It ends with the last clone of the value.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(crate) fn start(events: &Sender<DriverEvent>) -> io::Result<Self> {
        Self::to(io::stderr(), events)
    }

    fn to(output: impl Write + Send + 'static, events: &Sender<DriverEvent>) -> io::Result<Self> {
        let (sender, pieces) = bounded(CAPACITY);
        helper::start("stderr".to_owned(), events, move || {
            write_pieces(output, &pieces);
        })?;
        Ok(Self(Arc::new(Mutex::new(Queue {
            pieces: sender,
            dropped: 0,
        }))))
    }

    /// Queues `bytes`. If the queue is full and stays full for a moment, drops and counts them; as long as bytes
    /// are being dropped, returns at once.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.dropped > 0 {
            if queue
                .pieces
                .try_send(Piece::Dropped(queue.dropped))
                .is_err()
            {
                queue.dropped += bytes.len() as u64;
                return;
            }
            queue.dropped = 0;
        }
        let piece = Piece::Bytes(bytes.to_vec());
        if queue.pieces.send_timeout(piece, PUSH_TIMEOUT).is_err() {
            queue.dropped += bytes.len() as u64;
        }
    }

    /// Waits until everything that was queued is written, but no longer than a second.
    pub(crate) fn flush(&self) {
        self.flush_within(FLUSH_TIMEOUT);
    }

    fn flush_within(&self, timeout: Duration) {
        let (pieces, dropped) = {
            let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (queue.pieces.clone(), std::mem::take(&mut queue.dropped))
        };
        let deadline = Instant::now() + timeout;
        let (done, written) = bounded(1);
        // If one of these fails, nobody reads, and the rest would not be read either.
        if dropped == 0
            || pieces
                .send_deadline(Piece::Dropped(dropped), deadline)
                .is_ok()
        {
            let _ = pieces.send_deadline(Piece::Flush(done), deadline);
            let _ = written.recv_deadline(deadline);
        }
    }
}

/// Writes pieces until there is nobody left to queue any. Errors are ignored: if standard error is closed, nobody
/// reads it.
fn write_pieces(mut output: impl Write, pieces: &Receiver<Piece>) {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => {
                let _ = output.write_all(&bytes);
            }
            Piece::Dropped(bytes) => {
                let _ = writeln!(
                    output,
                    "\nmoodring: {bytes} bytes that workers wrote here were dropped: nobody read them in time"
                );
            }
            Piece::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    /// A pipe whose reader reads one piece for each token.
    struct Pipe {
        tokens: Receiver<()>,
        text: Sender<String>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.tokens.recv();
            let _ = self.text.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_does_not_fit_into_the_queue_is_dropped_and_counted() {
        let (events, _kept) = unbounded();
        let ((tokens_in, tokens), (text_in, text)) = (unbounded(), unbounded());
        let pipe = Pipe {
            tokens,
            text: text_in,
        };
        let forwarder = Forwarder::to(pipe, &events).unwrap();
        for _ in 0..10 * CAPACITY {
            forwarder.push(b"four");
        }
        // The reader reads again.
        drop(tokens_in);
        forwarder.flush_within(Duration::from_mins(1));
        drop(forwarder);
        let text: String = text.iter().collect();
        let written = text.matches("four").count();
        assert!(written >= CAPACITY, "{text}");
        let dropped = 4 * (10 * CAPACITY - written);
        assert!(
            text.contains(&format!("moodring: {dropped} bytes")),
            "{text}"
        );
    }

    #[test]
    fn a_reader_that_is_slow_loses_nothing() {
        let (events, _kept) = unbounded();
        let ((tokens_in, tokens), (text_in, text)) = (unbounded(), unbounded());
        let pipe = Pipe {
            tokens,
            text: text_in,
        };
        let forwarder = Forwarder::to(pipe, &events).unwrap();
        for _ in 0..CAPACITY {
            forwarder.push(b"four");
        }
        for _ in 0..CAPACITY {
            let _ = tokens_in.send(());
            forwarder.push(b"five");
        }
        drop((tokens_in, forwarder));
        assert_eq!(text.iter().count(), 2 * CAPACITY);
    }

    #[test]
    fn a_flush_ends_while_nobody_reads() {
        let (events, _kept) = unbounded();
        let ((_tokens_in, tokens), (text, _text)) = (unbounded(), unbounded());
        let forwarder = Forwarder::to(Pipe { tokens, text }, &events).unwrap();
        forwarder.push(b"text");
        forwarder.flush();
    }
}
