//! Where the reply to one input arrives, and how threads and futures wait for it.
//!
//! Everything waits by polling with a [`Waker`]. A thread has one of its own that unparks it, so that it can wait
//! for one slot, for several, or with a deadline in the same way.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::ids::ShardId;
use crate::sink::Quarantined;

/// A task that was worked through.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) report: Vec<u8>,
    pub(super) quarantined: Vec<Quarantined>,
}

/// The place of one reply.
#[derive(Debug, Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    /// The shard that the input became, once the pool has taken it.
    pub(super) shard: OnceLock<ShardId>,
}

#[derive(Debug)]
enum State {
    Waiting(Waiting),
    /// `None` if the pool ended before the input was done.
    Arrived(Option<Done>),
    Taken,
}

/// Who wants to know when the reply arrives.
#[derive(Debug, Default)]
struct Waiting {
    /// One for each thread.
    threads: Vec<Waker>,
    /// The task that polled the handle last. Each poll may come with another waker, of which only the last counts.
    task: Option<Waker>,
}

impl Default for State {
    fn default() -> Self {
        Self::Waiting(Waiting::default())
    }
}

impl Slot {
    /// Puts the reply in. Only the first one counts.
    pub(super) fn fill(&self, done: Option<Done>) {
        let mut state = self.lock();
        let State::Waiting(waiting) = &mut *state else {
            return;
        };
        let Waiting { threads, task } = std::mem::take(waiting);
        *state = State::Arrived(done);
        drop(state);
        threads.into_iter().chain(task).for_each(Waker::wake);
    }

    /// Whether the reply is still to come.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(*self.lock(), State::Waiting(_))
    }

    /// Ready once the reply is here. For threads that wait by [`block_on`].
    pub(super) fn poll_done(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self.lock() {
            State::Waiting(waiting) => {
                remember(&mut waiting.threads, cx.waker());
                Poll::Pending
            }
            State::Arrived(_) | State::Taken => Poll::Ready(()),
        }
    }

    /// Ready once the reply is here. For a future.
    pub(super) fn poll_by_task(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self.lock() {
            State::Waiting(waiting) => {
                waiting.task = Some(cx.waker().clone());
                Poll::Pending
            }
            State::Arrived(_) | State::Taken => Poll::Ready(()),
        }
    }

    /// Takes the reply out. There is one if a poll was ready, and this is the first time.
    pub(super) fn take(&self) -> Option<Done> {
        let mut state = self.lock();
        if matches!(*state, State::Waiting(_)) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Arrived(done) => done,
            State::Waiting(_) | State::Taken => None,
        }
    }

    /// Wakers are called without the lock, so no foreign code runs with it held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a waker, unless it is there already.
pub(super) fn remember(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|known| known.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// One for each thread, so that a thread that waits again and again is remembered once.
    static UNPARK: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// Blocks this thread until `poll` is ready. Gives `None` if that takes longer than `timeout`.
pub(super) fn block_on<T>(
    timeout: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    // A time that the clock cannot reach is no limit.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let waker = UNPARK.with(Waker::clone);
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(ready) = poll(&mut cx) {
            return Some(ready);
        }
        let Some(deadline) = deadline else {
            thread::park();
            continue;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}
