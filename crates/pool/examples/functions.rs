//! One pool for several functions: they are the variants of an enum, and each has a method that knows its own types.
//!
//! ```text
//! cargo run --release -p moodring-pool --example functions
//! ```

use moodring_pool::{BoxError, Call, CallError, Handle, Workers, serve_if_worker};
use serde::{Deserialize, Serialize};

/// Which function, and its arguments.
#[derive(Serialize, Deserialize)]
enum Function {
    CountWords(String),
    Mean(Vec<f64>),
}

/// What they return, in the same order.
#[derive(Debug, Serialize, Deserialize)]
enum Returned {
    Words(usize),
    Mean(Option<f64>),
}

/// All functions of this program. What they share, such as a model, would be its fields.
struct Functions;

impl Call for Functions {
    type Setup = ();
    type Input = Function;
    type Output = Returned;

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, function: Function) -> Result<Returned, BoxError> {
        Ok(match function {
            Function::CountWords(text) => Returned::Words(text.split_whitespace().count()),
            Function::Mean(numbers) => Returned::Mean(mean(&numbers)),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "no list is that long")]
fn mean(numbers: &[f64]) -> Option<f64> {
    let sum: f64 = numbers.iter().sum();
    (!numbers.is_empty()).then(|| sum / numbers.len() as f64)
}

/// The functions as the rest of the program calls them.
struct Pool(Workers<Functions>);

impl Pool {
    fn count_words(&self, text: &str) -> Result<usize, CallError> {
        let returned = self.submit(Function::CountWords(text.to_owned())).wait()?;
        let Returned::Words(words) = returned else {
            return Err(mismatch(&returned));
        };
        Ok(words)
    }

    fn mean(&self, numbers: &[f64]) -> Result<Option<f64>, CallError> {
        let returned = self.submit(Function::Mean(numbers.to_owned())).wait()?;
        let Returned::Mean(mean) = returned else {
            return Err(mismatch(&returned));
        };
        Ok(mean)
    }

    fn submit(&self, function: Function) -> Handle<Returned> {
        self.0.submit(function)
    }
}

fn mismatch(returned: &Returned) -> CallError {
    CallError::Failed(format!("another function returned {returned:?}"))
}

fn main() -> Result<(), BoxError> {
    serve_if_worker::<Functions>();

    let pool = Pool(Workers::start(2, ())?);
    println!(
        "{} words",
        pool.count_words("one pool for several functions")?
    );
    println!("mean {:?}", pool.mean(&[1.0, 2.0, 4.5])?);
    println!("mean of nothing {:?}", pool.mean(&[])?);
    Ok(())
}
