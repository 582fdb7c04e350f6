//! Handles as futures, in an executor of a few lines.

use std::fs;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use moodring_pool::{CallError, Stopped};
use tempfile::tempdir;

use crate::support::{start_workers, test_workers};
use crate::test_call::Ask;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The least that an executor must do: it polls only after it was woken.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_handle_is_a_future_of_its_result() {
    let pool = start_workers(2);
    let sum = block_on(async {
        let handles: Vec<_> = (0..50).map(|n| pool.submit(Ask::Echo(n))).collect();
        let mut sum = 0;
        for handle in handles {
            sum += handle.await?;
        }
        Ok::<_, CallError>(sum)
    });
    assert_eq!(sum, Ok(1225));
    assert!(block_on(pool.submit(Ask::Fail)).is_err());
}

#[test]
fn submitting_in_async_code_waits_for_room_without_blocking() {
    let folder = tempdir().unwrap();
    let go = folder.path().join("go");
    let pool = test_workers(1).backlog(1).start().unwrap();
    let mut waiting = Vec::new();
    waiting.push(pool.submit(Ask::Await(go.clone())));
    let mut blocked = loop {
        let mut next = Box::pin(pool.submit_async(Ask::Echo(waiting.len() as u64)));
        let mut cx = Context::from_waker(Waker::noop());
        match next.as_mut().poll(&mut cx) {
            Poll::Ready(handle) => waiting.push(handle),
            Poll::Pending => break next,
        }
    };
    fs::write(go, "").unwrap();
    let last = block_on(async {
        let handle = blocked.as_mut().await;
        handle.await
    });
    assert_eq!(last, Ok(waiting.len() as u64));
    let expected = 0..waiting.len() as u64;
    assert!(
        waiting
            .into_iter()
            .map(|handle| handle.wait().unwrap())
            .eq(expected)
    );
}

#[test]
fn futures_end_with_the_pool() {
    let pool = test_workers(1).backlog(1).start().unwrap();
    let hanging = pool.submit(Ask::Hang);
    thread::scope(|threads| {
        let waiting = threads.spawn(|| {
            block_on(async {
                let mut handles = Vec::new();
                for n in 0..10 {
                    handles.push(pool.submit_async(Ask::Echo(n)).await);
                }
                handles.pop().unwrap().await
            })
        });
        pool.terminate();
        let stopped = Err(CallError::Stopped(Stopped::Terminated));
        assert_eq!(block_on(hanging), stopped);
        assert_eq!(waiting.join().unwrap(), stopped);
    });
}
