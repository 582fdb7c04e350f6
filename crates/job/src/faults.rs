//! Misfortune on demand, for tests of the pool: compiled in only with the `faults` feature.
//!
//! `MOODRING_FAULTS` holds pairs `CAUSE=TEXT`, separated by `;`. A worker that is about to score a post whose text
//! contains `TEXT` meets the cause instead: `kill`, `segv`, `abort`, `exit0`, `exit1`, `panic`, `overflow` (of the
//! stack), `hang` (an endless loop) or `stop` (as by SIGSTOP).

use std::hint::black_box;
use std::process;

/// What is to happen, and on which texts.
pub(crate) struct Faults(Vec<(String, String)>);

impl Faults {
    pub(crate) fn from_environment() -> Self {
        let typed = std::env::var("MOODRING_FAULTS").unwrap_or_default();
        let pairs = typed.split(';').filter_map(|pair| pair.split_once('='));
        Self(
            pairs
                .map(|(cause, text)| (cause.to_owned(), text.to_owned()))
                .collect(),
        )
    }

    /// Meets the misfortune that the text calls for, if any.
    pub(crate) fn strike(&self, text: &str) {
        for (cause, trigger) in &self.0 {
            if text.contains(trigger) {
                meet(cause);
            }
        }
    }
}

fn meet(cause: &str) {
    match cause {
        "kill" => raise("KILL"),
        // Rust's handler, which looks for a stack overflow, lets the first one pass for the faulting instruction to
        // be tried again. Here there is none.
        "segv" => {
            raise("SEGV");
            raise("SEGV");
        }
        "stop" => raise("STOP"),
        "abort" => process::abort(),
        "exit0" => process::exit(0),
        "exit1" => process::exit(1),
        "panic" => panic!("a fault was asked for"),
        "overflow" => drop(black_box(overflow(black_box(0)))),
        "hang" => loop {
            black_box(());
        },
        _ => {}
    }
}

fn raise(signal: &str) {
    let pid = process::id().to_string();
    let _ = process::Command::new("kill")
        .args([&format!("-{signal}"), &pid])
        .status();
}

/// Goes on until the stack is full.
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    overflow(depth + 1) + frame[0]
}
