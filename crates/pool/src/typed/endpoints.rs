//! The feed and the sink of a pool of typed calls.

use std::collections::HashMap;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use super::backlog::{Backlog, Ticket};
use super::slot::Done;
use crate::error::BoxError;
use crate::feed::Feed;
use crate::ids::ShardId;
use crate::sink::{Released, Sink};
use crate::supervisor::TaskPolicy;

/// The pool's feed.
pub(super) struct BacklogFeed {
    pub(super) backlog: Arc<Backlog>,
    pub(super) tickets: Sender<Ticket>,
    /// Of the task that was given last.
    pub(super) policy: TaskPolicy,
}

impl Feed for BacklogFeed {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let Some(request) = self.backlog.pop() else {
            return Ok(None);
        };
        self.policy = request.policy;
        // If the pool is gone, the ticket comes back with the error and is dropped.
        let _ = self.tickets.send(request.ticket);
        Ok(Some(request.task))
    }

    fn policy(&mut self) -> TaskPolicy {
        self.policy
    }
}

/// The pool's sink.
pub(super) struct ReplySink {
    tickets: Receiver<Ticket>,
    /// The tickets of the shards that are under way.
    open: HashMap<ShardId, Ticket>,
    /// The shard whose ticket comes next: they come in the order in which the shards are numbered.
    next: ShardId,
}

impl ReplySink {
    pub(super) fn new(tickets: Receiver<Ticket>) -> Self {
        Self {
            tickets,
            open: HashMap::new(),
            next: ShardId(0),
        }
    }
}

impl ReplySink {
    /// The ticket of a shard; it is taken once.
    fn ticket(&mut self, shard: ShardId) -> Result<Option<Ticket>, BoxError> {
        while self.next <= shard {
            self.open.insert(self.next, self.tickets.try_recv()?);
            self.next = self.next.next();
        }
        Ok(self.open.remove(&shard))
    }
}

impl Sink for ReplySink {
    fn cancelled(&mut self, shard: ShardId) -> Result<(), BoxError> {
        self.ticket(shard).map(drop)
    }

    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        if let Some(ticket) = self.ticket(released.shard)? {
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
    use crossbeam_channel::unbounded;

    use super::*;

    #[test]
    fn shards_that_are_released_out_of_order_answer_their_own_tickets() {
        let (replies_in, replies) = unbounded();
        let (tickets_in, tickets) = unbounded();
        for number in [10, 11, 12] {
            tickets_in
                .send(Ticket::numbered(number, replies_in.clone()))
                .unwrap();
        }
        let mut sink = ReplySink::new(tickets);
        for shard in [1, 0, 2] {
            let released = Released {
                shard: ShardId(shard),
                report: &[],
                quarantined: &[],
            };
            sink.release(&released).unwrap();
        }
        let numbers: Vec<_> = replies.try_iter().map(|reply| reply.number).collect();
        assert_eq!(numbers, [11, 10, 12]);
    }
}
