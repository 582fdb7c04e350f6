//! The way of a task into the pool and of its reply out of it.
//!
//! Callers push requests into the [`Backlog`], which blocks them when it is full. The pool pulls them through
//! [`Intake`], its feed; the ticket of each goes past the pool to [`Outlet`], its sink, which answers it. A ticket
//! that is dropped says so, wherever that happens: nobody waits for a reply that cannot come.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender};

use crate::ids::ShardId;
use crate::pool::{BoxError, Feed, Quarantined, Released, Sink};

/// A task that asks for a reply.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) task: Vec<u8>,
    pub(super) ticket: Ticket,
}

/// The right to one reply.
#[derive(Debug)]
pub(super) struct Ticket {
    number: u64,
    replies: Sender<Reply>,
    answered: bool,
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Reply {
    /// The number of its ticket.
    pub(super) number: u64,
    /// None if the pool ended before it was done.
    pub(super) done: Option<Done>,
}

/// A task that was worked through.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) report: Vec<u8>,
    pub(super) quarantined: Vec<Quarantined>,
}

impl Ticket {
    pub(super) fn new(number: u64, replies: Sender<Reply>) -> Self {
        Self {
            number,
            replies,
            answered: false,
        }
    }

    fn answer(mut self, done: Done) {
        self.answered = true;
        self.send(Some(done));
    }

    fn send(&self, done: Option<Done>) {
        // Whoever dropped the handle does not want to know.
        let _ = self.replies.send(Reply {
            number: self.number,
            done,
        });
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
    /// Why the pool is gone, once it is.
    end: Option<String>,
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

    /// The oldest request, once there is one. None if none will come.
    fn pop(&self) -> Option<Request> {
        let mut state = self.lock();
        while !state.closed && state.requests.is_empty() {
            state = self
                .arrival
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.room.notify_one();
        state.requests.pop_front()
    }

    /// Takes no more requests. Those that are here are still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake_all();
    }

    /// The pool is gone, for this reason. The first one counts.
    pub(super) fn end(&self, reason: &str) {
        let mut state = self.lock();
        state.end.get_or_insert_with(|| reason.to_owned());
        // Under the same lock, as nobody would pull what came in between.
        state.closed = true;
        let lost = std::mem::take(&mut state.requests);
        drop(state);
        self.wake_all();
        drop(lost);
    }

    fn wake_all(&self) {
        self.room.notify_all();
        self.arrival.notify_all();
    }

    /// Why a ticket was dropped.
    pub(super) fn why_lost(&self) -> String {
        let end = self.lock().end.clone();
        end.unwrap_or_else(|| "the pool is closed".to_owned())
    }

    /// No code that can panic runs with the lock held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pool's feed.
pub(super) struct Intake {
    pub(super) backlog: Arc<Backlog>,
    pub(super) tickets: Sender<Ticket>,
}

impl Feed for Intake {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.backlog.pop().map(|Request { task, ticket }| {
            // If the pool is gone, the ticket comes back with the error and is dropped.
            let _ = self.tickets.send(ticket);
            task
        }))
    }
}

/// The pool's sink.
pub(super) struct Outlet {
    tickets: Receiver<Ticket>,
    /// The tickets of the shards that are under way.
    open: HashMap<ShardId, Ticket>,
    /// The shard whose ticket comes next: they come in the order in which the shards are numbered.
    next: ShardId,
}

impl Outlet {
    pub(super) fn new(tickets: Receiver<Ticket>) -> Self {
        Self {
            tickets,
            open: HashMap::new(),
            next: ShardId(0),
        }
    }
}

impl Sink for Outlet {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        while self.next <= released.shard {
            self.open.insert(self.next, self.tickets.try_recv()?);
            self.next = self.next.next();
        }
        if let Some(ticket) = self.open.remove(&released.shard) {
            ticket.answer(Done {
                report: released.report.to_vec(),
                quarantined: released.quarantined.to_vec(),
            });
        }
        Ok(Vec::new())
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
            ticket: Ticket::new(number, replies.clone()),
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
        assert_eq!(backlog.pop().unwrap().ticket.number, 1);
        assert!(backlog.pop().is_none());
    }

    #[test]
    fn the_end_answers_those_in_the_queue_and_those_who_wait_for_room() {
        let (backlog, (replies_in, replies)) = (Backlog::new(1), unbounded());
        backlog.push(request(1, &replies_in));
        thread::scope(|threads| {
            threads.spawn(|| backlog.push(request(2, &replies_in)));
            backlog.end("the roof fell in");
        });
        let mut lost: Vec<_> = replies.try_iter().collect();
        lost.sort_by_key(|reply| reply.number);
        assert_eq!(lost.len(), 2);
        assert!(lost.iter().all(|reply| reply.done.is_none()));
        assert_eq!(backlog.why_lost(), "the roof fell in");
    }

    #[test]
    fn shards_that_are_released_out_of_order_answer_their_own_tickets() {
        let (replies_in, replies) = unbounded();
        let (tickets_in, tickets) = unbounded();
        for number in [10, 11, 12] {
            tickets_in
                .send(Ticket::new(number, replies_in.clone()))
                .unwrap();
        }
        let mut outlet = Outlet::new(tickets);
        for shard in [1, 0, 2] {
            let released = Released {
                shard: ShardId(shard),
                report: &[],
                quarantined: &[],
            };
            outlet.release(&released).unwrap();
        }
        let numbers: Vec<_> = replies.try_iter().map(|reply| reply.number).collect();
        assert_eq!(numbers, [11, 10, 12]);
    }
}
