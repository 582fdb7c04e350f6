//! One input at a time, and what can become of it: the shape of `pool.apply_async(f, (x,)).get(timeout=1)`.
//!
//! ```text
//! cargo run --release -p moodring-pool --example submit
//! ```

use std::time::Duration;

use moodring_pool::{BoxError, Call, CallError, Workers, serve_if_worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Order {
    Add(i64, i64),
    Divide(i64, i64),
    Panic,
    Abort,
    Loop,
}

struct Clerk;

impl Call for Clerk {
    type Setup = ();
    type Input = Order;
    type Output = i64;

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, order: Order) -> Result<i64, BoxError> {
        match order {
            Order::Add(a, b) => Ok(a + b),
            Order::Divide(a, b) => Ok(a.checked_div(b).ok_or("a division by zero")?),
            Order::Panic => panic!("the clerk is upset"),
            Order::Abort => std::process::abort(),
            Order::Loop => loop {
                std::thread::park();
            },
        }
    }
}

fn main() -> Result<(), BoxError> {
    serve_if_worker::<Clerk>();

    let pool = Workers::<Clerk>::builder(2, ())
        // A call that takes longer loses its worker. Python has no such limit.
        .timeout(Some(Duration::from_millis(250)))
        // `maxtasksperchild`
        .max_shards(Some(100))
        .start()?;

    // pool.apply(f, args)
    println!("{}", pool.submit(Order::Add(2, 3)).wait()?);

    // pool.apply_async: all of them are under way before the first is waited for. Each error is that of one input.
    let orders = [
        Order::Divide(6, 3),
        Order::Divide(1, 0),
        Order::Panic,
        Order::Abort,
        Order::Loop,
        Order::Add(1, 1),
    ];
    for handle in orders.map(|order| pool.submit(order)) {
        match handle.wait() {
            Ok(sum) => println!("{sum}"),
            Err(CallError::Failed(reason)) => println!("failed: {reason}"),
            Err(CallError::Panicked(message)) => println!("panicked: {message}"),
            Err(CallError::Died { exit, attempts, .. }) => {
                println!("killed {attempts} workers; the last one {exit}");
            }
            Err(error) => println!("{error}"),
        }
    }

    // AsyncResult.get(timeout=...): waiting may end before the call does.
    let handle = pool.submit(Order::Loop);
    match handle.wait_timeout(Duration::from_millis(10)) {
        Ok(result) => println!("{result:?}"),
        Err(handle) => println!("not yet; then: {:?}", handle.wait()),
    }

    // pool.close(); pool.join()
    let outcome = pool.join()?;
    println!("{} workers had to be started anew", outcome.restarts);
    Ok(())
}
