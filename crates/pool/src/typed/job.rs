//! The worker's side: makes a [`Job`] of a [`Call`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use serde_bytes::ByteBuf;

use super::Call;
use super::error::{CodecError, Part};
use super::message::{Answer, ChunkReport, MAX_BYTES, Task};
use crate::error::with_causes;
use crate::panics::message;
use crate::wire;
use crate::worker::{ItemAction, Job, JobError, Work};

/// Calls `C` on each input of a task. The inputs are the items of the shard, so that one that kills the worker is
/// found and left out.
pub(super) struct CallJob<C> {
    setup: Vec<u8>,
    /// None after a panic, until the next input.
    state: Option<C>,
    /// Whether an output was read back.
    codec_checked: bool,
}

impl<C: Call> Job for CallJob<C> {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        Ok(Self {
            state: Some(start(setup)?),
            setup: setup.to_owned(),
            codec_checked: false,
        })
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        let task: Task = wire::decode(work.task).map_err(JobError::new)?;
        let began = Instant::now();
        let mut answers = Vec::with_capacity(task.len());
        let mut room = MAX_BYTES;
        for (item, input) in (0..).zip(task) {
            let mut answer = match (work.action(item), input) {
                (ItemAction::Process, Ok(input)) => self.answer(&input)?,
                (ItemAction::Process, Err(reason)) => Answer::Codec(reason),
                (ItemAction::Quarantined, _) => Answer::Quarantined,
                (ItemAction::Skip, _) => continue,
            };
            if answer.len() > room {
                answer = Answer::Codec(CodecError::TooLong {
                    part: Part::Output,
                    bytes: answer.len(),
                    limit: MAX_BYTES,
                });
            }
            room = room.saturating_sub(answer.len());
            answers.push(answer);
        }
        let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        wire::encode_into(&ChunkReport { nanos, answers }, report).map_err(JobError::new)
    }
}

impl<C: Call> CallJob<C> {
    /// Calls on one input. A panic may have left the state half changed, so it is dropped, and the next input gets a
    /// new one.
    fn answer(&mut self, input: &[u8]) -> Result<Answer, JobError> {
        let mut state = match self.state.take() {
            Some(state) => state,
            None => start(&self.setup)?,
        };
        let checked = &mut self.codec_checked;
        let called = catch_unwind(AssertUnwindSafe(|| call(&mut state, input, checked)));
        match called {
            Ok(answer) => {
                self.state = Some(state);
                Ok(answer)
            }
            Err(panic) => {
                // What such a state does when it is dropped is not to be trusted either.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(state)));
                Ok(Answer::Panicked(message(&*panic)))
            }
        }
    }
}

fn start<C: Call>(setup: &[u8]) -> Result<C, JobError> {
    let setup = wire::decode(setup)
        .map_err(|error| JobError::new(CodecError::decode::<C::Setup>(Part::Setup, &error)))?;
    match catch_unwind(AssertUnwindSafe(|| C::start(setup))) {
        Ok(started) => started.map_err(JobError::new),
        Err(panic) => Err(JobError::new(format!("a panic: {}", message(&*panic)))),
    }
}

/// Calls on an encoded input. Until an output was read back, each is: a type that cannot be carried is told at its
/// first use.
fn call<C: Call>(state: &mut C, input: &[u8], codec_checked: &mut bool) -> Answer {
    let input = match wire::decode(input) {
        Ok(input) => input,
        Err(error) => {
            let error = CodecError::decode::<C::Input>(Part::Input, &error);
            return Answer::Codec(error);
        }
    };
    match state.call(input) {
        Ok(output) => match wire::encode(&output) {
            Ok(bytes) => {
                if !*codec_checked {
                    if let Err(error) = wire::decode::<C::Output>(&bytes) {
                        let error = CodecError::unsupported::<C::Output>(Part::Output, &error);
                        return Answer::Codec(error);
                    }
                    *codec_checked = true;
                }
                Answer::Output(ByteBuf::from(bytes))
            }
            Err(error) => Answer::Codec(CodecError::encode::<C::Output>(Part::Output, &error)),
        },
        Err(error) => Answer::Failed(with_causes(&*error)),
    }
}
