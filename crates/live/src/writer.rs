//! The thread that saves: one transaction for each snapshot, and now and then what keeps the state small.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use moodring_store::state::State;

use crate::error::LiveError;
use crate::shared::Shared;
use crate::side_files::SideFiles;
use crate::stream::Snapshot;
use crate::upkeep::Upkeep;

/// The pause after an attempt that failed; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// For how long a run that is to end tries to save what it has.
const LAST_TRIES: Duration = Duration::from_secs(10);
/// How often the state is made smaller, in small steps.
const UPKEEP: Duration = Duration::from_mins(1);

/// Called with what was saved, in the writer's thread.
pub(crate) type OnSaved = Box<dyn Fn(&Snapshot) + Send>;

pub(crate) struct Writer {
    pub(crate) state: State,
    pub(crate) files: SideFiles,
    pub(crate) upkeep: Upkeep,
    pub(crate) shared: Arc<Shared>,
    pub(crate) snapshots: Receiver<Snapshot>,
    /// Tells the fold that it may take the next snapshot.
    pub(crate) saved: Sender<()>,
    /// Learns how far each source is saved.
    pub(crate) on_saved: OnSaved,
}

impl Writer {
    /// Saves snapshots until there are no more.
    pub(crate) fn run(mut self) -> Result<(), LiveError> {
        let mut next_upkeep = Instant::now() + UPKEEP;
        loop {
            let wait = next_upkeep.saturating_duration_since(Instant::now());
            match self.snapshots.recv_timeout(wait) {
                Ok(snapshot) => {
                    self.save(snapshot)?;
                    if self.saved.send(()).is_err() {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if next_upkeep <= Instant::now() {
                let is_done = self.tidy()?;
                let pause = if is_done { UPKEEP } else { FIRST_PAUSE };
                next_upkeep = Instant::now() + pause;
            }
        }
    }

    /// Saves a snapshot, and tries again as long as it takes where that may help.
    fn save(&mut self, mut snapshot: Snapshot) -> Result<(), LiveError> {
        let mut pause = FIRST_PAUSE;
        let mut closed_since = None;
        while let Err(error) = self.try_to_save(&mut snapshot) {
            let is_closed = self.shared.intake.is_closed();
            let since = is_closed.then(|| *closed_since.get_or_insert_with(Instant::now));
            if !error.may_pass() || since.is_some_and(|since| since.elapsed() > LAST_TRIES) {
                return Err(error);
            }
            self.tell(&error);
            if is_closed {
                thread::sleep(FIRST_PAUSE);
            } else {
                self.shared.intake.wait(pause);
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
        if self.shared.trouble().is_some() {
            tracing::warn!("what had piled up is saved");
            self.shared.set_trouble(None);
        }
        self.shared.status().commits += 1;
        self.upkeep.advance(snapshot.commit.watermark);
        (self.on_saved)(&snapshot);
        Ok(())
    }

    fn tell(&self, error: &LiveError) {
        let trouble = error.to_string();
        if self.shared.trouble().as_ref() != Some(&trouble) {
            tracing::warn!("nothing can be saved, and no more posts are taken: {trouble}");
            self.shared.set_trouble(Some(trouble));
        }
    }

    fn try_to_save(&mut self, snapshot: &mut Snapshot) -> Result<(), LiveError> {
        self.files.append(&snapshot.aside)?;
        snapshot.commit.files = self.files.rows();
        self.state.commit(&snapshot.commit)?;
        self.files.committed();
        Ok(())
    }

    /// Makes the state smaller by a step, and returns whether that is all for now.
    fn tidy(&mut self) -> Result<bool, LiveError> {
        match self.upkeep.step(&mut self.state) {
            Ok(is_done) => Ok(is_done),
            Err(error) if error.may_pass() => {
                tracing::warn!("cannot make the state smaller: {error}");
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}
