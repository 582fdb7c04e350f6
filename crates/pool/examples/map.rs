//! The shape of `with Pool(4) as pool: pool.map(square, range(10))`.
//!
//! ```text
//! cargo run --release -p moodring-pool --example map
//! ```

use moodring_pool::{BoxError, Call, Workers, serve_if_worker};

/// The function. It is a type, as a worker is a new process that has to know it by name.
struct Square;

impl Call for Square {
    type Setup = ();
    type Input = u64;
    type Output = u64;

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, n: u64) -> Result<u64, BoxError> {
        n.checked_mul(n).ok_or_else(|| "too large".into())
    }
}

fn main() -> Result<(), BoxError> {
    // Python's `if __name__ == "__main__"`: a worker goes no further.
    serve_if_worker::<Square>();

    let pool = Workers::<Square>::start(4, ())?;

    // pool.map: a list of results, in order.
    println!("{:?}", pool.map(0..10));

    // A result per input: one that fails takes no other with it.
    for (n, squared) in [3, u64::MAX, 5].into_iter().zip(pool.map([3, u64::MAX, 5])) {
        match squared {
            Ok(squared) => println!("{n} squared is {squared}"),
            Err(error) => println!("{n} squared: {error}"),
        }
    }

    // pool.imap: an iterator. The inputs may be endless, as they are taken only when there is room.
    let sum: u64 = pool.map_iter(0..).take(1000).flatten().sum();
    println!("the first 1000 squares add up to {sum}");

    // pool.imap_unordered: as they come, with the number of the input.
    let last = pool.map_unordered(0..100).last();
    println!("the last to come was {last:?}");
    Ok(())
    // The pool ends here, as at the end of Python's `with`.
}
