//! The way of a task into the pool and of its reply out of it.
//!
//! Callers push requests into the [`Backlog`], which blocks them when it is full. The pool pulls them through
//! `BacklogFeed`, its feed; the ticket of each goes past the pool to `ReplySink`, its sink, which answers it. A
//! ticket that is dropped says so, wherever that happens: nobody waits for a reply that cannot come.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crossbeam_channel::Sender;

use super::error::Stopped;
use super::slot::{Done, Slot, remember};
use crate::ids::ShardId;
use crate::supervisor::TaskPolicy;

/// A task that asks for a reply.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) task: Vec<u8>,
    pub(super) policy: TaskPolicy,
    pub(super) ticket: Ticket,
}

/// The right to one reply.
#[derive(Debug)]
pub(super) struct Ticket {
    to: ReplyTo,
    answered: bool,
}

/// Where a reply goes.
#[derive(Debug)]
enum ReplyTo {
    Slot(Arc<Slot>),
    Queue { number: u64, replies: Sender<Reply> },
}

/// What came of a request that is answered into a queue.
#[derive(Debug)]
pub(super) struct Reply {
    /// The number of its ticket.
    pub(super) number: u64,
    /// None if the pool ended before it was done.
    pub(super) done: Option<Done>,
}

impl Ticket {
    pub(super) fn numbered(number: u64, replies: Sender<Reply>) -> Self {
        Self {
            to: ReplyTo::Queue { number, replies },
            answered: false,
        }
    }

    pub(super) fn for_slot(slot: Arc<Slot>) -> Self {
        Self {
            to: ReplyTo::Slot(slot),
            answered: false,
        }
    }

    pub(super) fn answer(mut self, done: Done) {
        self.answered = true;
        self.send(Some(done));
    }

    fn send(&self, done: Option<Done>) {
        match &self.to {
            ReplyTo::Slot(slot) => slot.fill(done),
            ReplyTo::Queue { number, replies } => {
                let number = *number;
                // Whoever dropped the iterator does not want to know.
                let _ = replies.send(Reply { number, done });
            }
        }
    }

    fn is_for(&self, wanted: &Arc<Slot>) -> bool {
        matches!(&self.to, ReplyTo::Slot(slot) if Arc::ptr_eq(slot, wanted))
    }

    fn goes_to(&self, queue: &Sender<Reply>) -> bool {
        matches!(&self.to, ReplyTo::Queue { replies, .. } if replies.same_channel(queue))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.answered {
            self.send(None);
        }
    }
}

/// The requests that wait for the pool: a queue with a bound.
#[derive(Debug)]
pub(super) struct Backlog {
    capacity: usize,
    state: Mutex<State>,
    /// There is room, or there never will be.
    room: Condvar,
    /// There is a request, or there never will be.
    arrival: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: VecDeque<Request>,
    closed: bool,
    /// How many requests the pool has taken: the next one's shard.
    taken: u64,
    /// Futures that wait for room.
    waiting: Vec<Waker>,
    /// Why requests were lost, once one may have been.
    end: Option<Stopped>,
    /// Whether the pool is gone.
    ended: bool,
}

/// Why a request was not taken. It is dropped.
#[derive(Debug)]
pub(super) enum Refused {
    Full,
    Stopped,
}

impl Backlog {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            state: Mutex::default(),
            room: Condvar::new(),
            arrival: Condvar::new(),
        }
    }

    /// Adds a request, once there is room. If the pool takes no more, the request is dropped, and its ticket says so.
    pub(super) fn push(&self, request: Request) {
        let mut state = self.lock();
        while !state.closed && state.requests.len() >= self.capacity {
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closed {
            state.requests.push_back(request);
            self.arrival.notify_one();
        }
    }

    /// Whether there is no room now.
    pub(super) fn is_full(&self) -> bool {
        let state = self.lock();
        !state.closed && state.requests.len() >= self.capacity
    }

    /// Adds a request, if there is room now and the pool takes any.
    pub(super) fn try_push(&self, request: Request) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Stopped);
        }
        if state.requests.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.requests.push_back(request);
        self.arrival.notify_one();
        Ok(())
    }

    /// As [`push`](Self::push), for a future: takes the request out of `request` once there is room.
    pub(super) fn poll_push(
        &self,
        request: &mut Option<Request>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut state = self.lock();
        if !state.closed && state.requests.len() >= self.capacity {
            remember(&mut state.waiting, cx.waker());
            return Poll::Pending;
        }
        let request = request.take();
        if state.closed {
            drop(state);
            drop(request);
        } else {
            state.requests.extend(request);
            self.arrival.notify_one();
        }
        Poll::Ready(())
    }

    /// Takes a request back that the pool has not taken. If it has, gives the shard that it became.
    pub(super) fn cancel(&self, slot: &Arc<Slot>) -> Option<ShardId> {
        let mut state = self.lock();
        let mut requests = state.requests.iter();
        let Some(at) = requests.position(|request| request.ticket.is_for(slot)) else {
            return slot.shard.get().copied();
        };
        let request = state.requests.remove(at);
        self.made_room(state);
        drop(request);
        None
    }

    /// Takes back all requests that are to be answered into this queue and that the pool has not taken.
    pub(super) fn withdraw(&self, queue: &Sender<Reply>) {
        let mut state = self.lock();
        let requests = std::mem::take(&mut state.requests);
        let (theirs, others) = requests
            .into_iter()
            .partition(|request| request.ticket.goes_to(queue));
        state.requests = others;
        self.made_room(state);
        drop::<VecDeque<_>>(theirs);
    }

    /// Tells those who wait for room. Futures are woken without the lock, as that runs foreign code.
    fn made_room(&self, mut state: MutexGuard<'_, State>) {
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.room.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The oldest request, once there is one. None if none will come.
    pub(super) fn pop(&self) -> Option<Request> {
        let mut state = self.lock();
        while !state.closed && state.requests.is_empty() {
            state = self
                .arrival
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let request = state.requests.pop_front();
        if let Some(request) = &request {
            if let ReplyTo::Slot(slot) = &request.ticket.to {
                // It is set once, here.
                let _ = slot.shard.set(ShardId(state.taken));
            }
            state.taken += 1;
        }
        if state.waiting.is_empty() {
            drop(state);
            self.room.notify_one();
        } else {
            self.made_room(state);
        }
        request
    }

    /// Takes no more requests. Those that are here are still done.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.wake_all(state);
    }

    /// Takes no more requests, and drops those that are here.
    pub(super) fn drain(&self) {
        let mut state = self.lock();
        state.end.get_or_insert(Stopped::Drained);
        self.clear(state);
    }

    /// As [`drain`](Self::drain), as the pool is being stopped.
    pub(super) fn terminate(&self) {
        let mut state = self.lock();
        if !state.ended {
            state.end = Some(Stopped::Terminated);
        }
        self.clear(state);
    }

    /// The pool is gone, for this reason. A failure outweighs that somebody wanted it to end; else the first one
    /// counts.
    pub(super) fn end(&self, reason: Stopped) {
        let mut state = self.lock();
        if state.end.is_none() || reason != Stopped::Closed {
            state.end = Some(reason);
        }
        state.ended = true;
        self.clear(state);
    }

    /// Drops all requests. Under the same lock as what comes before, as nobody would pull what came in between.
    fn clear(&self, mut state: MutexGuard<'_, State>) {
        state.closed = true;
        let lost = std::mem::take(&mut state.requests);
        self.wake_all(state);
        drop(lost);
    }

    fn wake_all(&self, state: MutexGuard<'_, State>) {
        self.made_room(state);
        self.arrival.notify_all();
    }

    /// Why a ticket was dropped.
    pub(super) fn why_lost(&self) -> Stopped {
        self.lock().end.clone().unwrap_or(Stopped::Closed)
    }

    /// Waits until the pool is gone, and tells why.
    pub(super) fn why_ended(&self) -> Stopped {
        let mut state = self.lock();
        while !state.ended {
            state = self
                .arrival
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.end.clone().unwrap_or(Stopped::Closed)
    }

    /// No code that can panic runs with the lock held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crossbeam_channel::unbounded;

    use super::*;

    fn request(number: u64, replies: &Sender<Reply>) -> Request {
        Request {
            task: Vec::new(),
            policy: TaskPolicy::default(),
            ticket: Ticket::numbered(number, replies.clone()),
        }
    }

    #[test]
    fn no_more_requests_wait_than_there_is_room_for() {
        const EACH: u64 = 500;
        let (backlog, (replies, _kept)) = (Backlog::new(3), unbounded());
        let mut most = 0;
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| (0..EACH).for_each(|n| backlog.push(request(n, &replies))));
            }
            for _ in 0..2 * EACH {
                most = most.max(backlog.lock().requests.len());
                backlog.pop();
            }
        });
        assert!(most <= 3, "{most} waited");
    }

    #[test]
    fn what_waits_is_still_done_after_closing_and_nothing_is_added() {
        let (backlog, (replies_in, replies)) = (Backlog::new(3), unbounded());
        backlog.push(request(1, &replies_in));
        backlog.close();
        backlog.push(request(2, &replies_in));
        let refused = replies.try_recv().unwrap();
        assert_eq!((refused.number, refused.done.is_none()), (2, true));
        drop(backlog.pop().unwrap());
        assert_eq!(replies.try_recv().unwrap().number, 1);
        assert!(backlog.pop().is_none());
    }

    #[test]
    fn the_end_answers_those_in_the_queue_and_those_who_wait_for_room() {
        let (backlog, (replies_in, replies)) = (Backlog::new(1), unbounded());
        backlog.push(request(1, &replies_in));
        thread::scope(|threads| {
            threads.spawn(|| backlog.push(request(2, &replies_in)));
            backlog.end(Stopped::Failed("the roof fell in".to_owned()));
        });
        let mut lost: Vec<_> = replies.try_iter().collect();
        lost.sort_by_key(|reply| reply.number);
        assert_eq!(lost.len(), 2);
        assert!(lost.iter().all(|reply| reply.done.is_none()));
        let why = Stopped::Failed("the roof fell in".to_owned());
        assert_eq!(backlog.why_lost(), why);
        // That the pool ends in the end is no news.
        backlog.end(Stopped::Closed);
        assert_eq!(backlog.why_ended(), why);
    }

    #[test]
    fn what_is_cancelled_while_it_waits_makes_room_and_never_leaves_the_queue() {
        let backlog = Backlog::new(1);
        let slots = [(); 2].map(|()| Arc::new(Slot::default()));
        let request = |slot: &Arc<Slot>| Request {
            task: Vec::new(),
            policy: TaskPolicy::default(),
            ticket: Ticket::for_slot(Arc::clone(slot)),
        };
        backlog.push(request(&slots[0]));
        let refused = backlog.try_push(request(&slots[1]));
        assert!(matches!(refused, Err(Refused::Full)));
        assert_eq!(backlog.cancel(&slots[0]), None);
        backlog.try_push(request(&slots[1])).unwrap();
        let taken = backlog.pop().unwrap();
        assert!(taken.ticket.is_for(&slots[1]));
        assert_eq!(backlog.cancel(&slots[1]), Some(ShardId(0)));
    }

    #[test]
    fn inputs_of_an_iterator_that_is_dropped_are_withdrawn_and_no_others() {
        let backlog = Backlog::new(4);
        let ((mine, _kept), (theirs, _too)) = (unbounded(), unbounded());
        for (number, queue) in [(1, &mine), (2, &theirs), (3, &mine)] {
            backlog.push(request(number, queue));
        }
        backlog.withdraw(&mine);
        backlog.close();
        assert!(backlog.pop().unwrap().ticket.goes_to(&theirs));
        assert!(backlog.pop().is_none());
    }

    #[test]
    fn a_future_gets_room_when_there_is_some() {
        let (backlog, (replies_in, _kept)) = (Backlog::new(1), unbounded());
        backlog.push(request(1, &replies_in));
        thread::scope(|threads| {
            let pushed = threads.spawn(|| {
                let mut request = Some(request(2, &replies_in));
                crate::typed::slot::block_on(None, |cx| backlog.poll_push(&mut request, cx))
            });
            assert!(backlog.pop().is_some());
            assert_eq!(pushed.join().unwrap(), Some(()));
        });
        assert_eq!(backlog.lock().requests.len(), 1);
    }
}
