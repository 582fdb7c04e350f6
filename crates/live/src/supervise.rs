//! Runs the sources, each in a thread of its own. What goes wrong with one is its status, and the others carry on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use moodring_source::{Closed, Done, Full, Outlet, Position, Refused, Segment, Source, Status};

use crate::error::LiveError;
use crate::fold_thread::by_the_clock;
use crate::shared::{Shared, SharedSource};

/// The outlet of a source whose records go straight into the intake.
#[derive(Debug)]
pub(crate) struct DirectOutlet {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: usize,
}

impl DirectOutlet {
    fn source(&self) -> &SharedSource {
        &self.shared.sources[self.number]
    }
}

impl Outlet for DirectOutlet {
    fn submit(&self, segment: Segment) -> Result<(), Refused> {
        Ok(self.shared.intake.submit(self.number, segment)?)
    }

    fn offer(&self, segment: Segment, done: Done) -> Result<(), Full> {
        match self.shared.intake.offer(self.number, segment) {
            Ok(Ok(())) => done(Ok(())),
            Ok(Err(segment)) => return Err(Full(Box::new(segment))),
            Err(Closed) => done(Err(Closed.into())),
        }
        Ok(())
    }

    fn set_status(&self, status: Status) {
        self.source().set_status(status);
    }

    fn gap(&self, why: &str) {
        self.source().add_gap(by_the_clock(), why);
    }

    fn wait(&self, time: Duration) -> bool {
        self.shared.intake.wait(time)
    }

    fn is_closed(&self) -> bool {
        self.shared.intake.is_closed()
    }
}

/// Starts the thread of a source. It tells the intake when the source is over, unless something else still delivers for
/// it.
pub(crate) fn start(
    source: Box<dyn Source>,
    from: Option<Position>,
    outlet: Arc<dyn Outlet>,
    name: &str,
    over: impl FnOnce() + Send + 'static,
) -> Result<(), LiveError> {
    let body = move || {
        let telling = Arc::clone(&outlet);
        let run = AssertUnwindSafe(|| source.run(from, outlet));
        if let Err(panic) = catch_unwind(run) {
            let why = format!("it panicked: {}", message(&*panic));
            telling.set_status(Status::Stopped { why });
        }
        over();
    };
    let thread = thread::Builder::new().name(format!("source {name}"));
    thread.spawn(body).map(drop).map_err(LiveError::Thread)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
