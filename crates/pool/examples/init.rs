//! What each worker needs once: the shape of `Pool(2, initializer=load, initargs=("en",))`.
//!
//! ```text
//! cargo run --release -p moodring-pool --example init
//! ```

use std::collections::HashMap;

use moodring_pool::{BoxError, Call, Workers, serve_if_worker};

/// Counts how many words of a text are in a list. In Python the list would be a global variable of the worker; here it
/// is the call's own.
struct CountMoods {
    words: HashMap<&'static str, i32>,
}

impl Call for CountMoods {
    /// `initargs`: what the initialiser starts from.
    type Setup = String;
    type Input = String;
    type Output = i32;

    /// `initializer`: once in each worker, however many inputs it gets. A worker that cannot start ends the pool with
    /// this error; Python's would be replaced by the next one that cannot, for ever.
    fn start(language: String) -> Result<Self, BoxError> {
        let words = match language.as_str() {
            "en" => HashMap::from([("good", 1), ("happy", 1), ("bad", -1)]),
            "de" => HashMap::from([("gut", 1), ("froh", 1), ("schlecht", -1)]),
            other => return Err(format!("there is no word list for `{other}`").into()),
        };
        Ok(Self { words })
    }

    fn call(&mut self, text: String) -> Result<i32, BoxError> {
        let scores = text.split(' ').filter_map(|word| self.words.get(word));
        Ok(scores.sum())
    }
}

fn main() -> Result<(), BoxError> {
    serve_if_worker::<CountMoods>();

    let pool = Workers::<CountMoods>::start(2, "en".to_owned())?;
    let texts = ["a good day and a happy one", "bad news", "a bus"];
    let scores = pool.map(texts.map(str::to_owned));
    for (text, score) in texts.iter().zip(scores) {
        println!("{:>2}  {text}", score?);
    }

    let lost = Workers::<CountMoods>::start(2, "tlh".to_owned())?;
    if let Err(error) = lost.join() {
        println!("{error}");
    }
    Ok(())
}
