//! Cancel, timeout, retry, and the first of several results: what `pebble` and `loky` add to `multiprocessing.Pool`.
//!
//! ```text
//! cargo run --release -p moodring-pool --example deadline
//! ```

use std::time::Duration;

use moodring_pool::typed::wait_any;
use moodring_pool::{BoxError, Call, CallOptions, Context, Retry, Workers, serve_if_worker};

/// Sleeps for so many milliseconds, and tells who did.
struct Sleep;

impl Call for Sleep {
    type Setup = ();
    type Input = u64;
    type Output = String;

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, millis: u64) -> Result<String, BoxError> {
        std::thread::sleep(Duration::from_millis(millis));
        let context = Context::current().ok_or("this is no worker")?;
        Ok(format!(
            "{millis} ms in {}, attempt {}",
            context.worker, context.attempt
        ))
    }
}

fn main() -> Result<(), BoxError> {
    serve_if_worker::<Sleep>();

    let pool = Workers::<Sleep>::start(3, ())?;
    pool.wait_ready(Duration::from_secs(30))?;

    // pebble: pool.schedule(f, args, timeout=0.2). The worker is killed and replaced; there is no second attempt.
    let once = CallOptions::new()
        .timeout(Duration::from_millis(200))
        .retry(Retry::Never);
    match pool.with(once).submit(60_000).wait() {
        Err(error) if error.is_timeout() => println!("too slow: {error}"),
        other => println!("{other:?}"),
    }

    // concurrent.futures: wait(futures, return_when=FIRST_COMPLETED)
    let mut handles = [60_000, 50, 60_000]
        .map(|millis| pool.submit(millis))
        .into_iter()
        .collect::<Vec<_>>();
    if let Some(first) = wait_any(&handles) {
        println!("first: {}", handles.swap_remove(first).wait()?);
    }

    // pebble: future.cancel(). Two workers are killed and replaced.
    drop(handles);
    println!("afterwards: {}", pool.submit(1).wait()?);

    // loky: executor.shutdown()
    let outcome = pool.join()?;
    println!("{} workers had to be started anew", outcome.restarts);
    Ok(())
}
