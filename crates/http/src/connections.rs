//! The open connections, and which one is closed when there are too many.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// A connection, shared by its task and the listener.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// Whether a complete request is being answered.
    is_answering: AtomicBool,
    /// Notified when the connection must be closed.
    pub(crate) close: Notify,
}

impl Connection {
    pub(crate) fn answering(&self, is_answering: bool) {
        self.is_answering.store(is_answering, Ordering::Relaxed);
    }
}

/// All open connections, by age.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_age: BTreeMap<u64, Arc<Connection>>,
}

impl Connections {
    /// Adds a connection. If there are `max` already, closes the oldest one without a request in progress: it is idle
    /// or has not sent its headers. Returns `None` if all have one.
    pub(crate) fn open(&self, max: usize) -> Option<(Arc<Connection>, Registered)> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.by_age.len() >= max {
            let waits = |it: &(&u64, &Arc<Connection>)| !it.1.is_answering.load(Ordering::Relaxed);
            let oldest = open.by_age.iter().find(waits).map(|(id, _)| *id)?;
            if let Some(connection) = open.by_age.remove(&oldest) {
                connection.close.notify_one();
            }
        }
        let id = open.next;
        open.next += 1;
        let connection = Arc::new(Connection::default());
        open.by_age.insert(id, Arc::clone(&connection));
        let registered = Registered {
            id,
            connections: self.clone(),
        };
        Some((connection, registered))
    }
}

/// Removes its connection from the list when dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    id: u64,
    connections: Connections,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut open = self
            .connections
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.by_age.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_waits_goes_when_there_are_too_many() {
        let connections = Connections::default();
        let (first, one) = connections.open(2).unwrap();
        first.answering(true);
        let (_second, _two) = connections.open(2).unwrap();
        let (third, _three) = connections.open(2).unwrap();
        third.answering(true);
        assert!(connections.open(2).is_none(), "both are being answered");
        drop(one);
        assert!(connections.open(2).is_some());
    }
}
