//! Calls in real worker processes, which are another program: `worker.rs`.

mod codec;
mod control;
mod errors;
mod futures;
mod lifecycle;
mod results;
mod support;
mod test_call;
mod wait;
