//! A file that posts are appended to, or one that is complete.

mod compressed;
mod current;
mod folder;
mod follower;
mod identity;
mod rotation;

pub(crate) use follower::Options;

use std::sync::Arc;

use moodring_codec::Compression;

use crate::clock::SystemClock;
use crate::deliver::Halt;
use crate::outlet::Outlet;
use crate::segment::Position;
use crate::source::{Kind, Source};
use crate::status::Status;

use compressed::read_compressed;
use follower::{Follower, Turn};

/// Delivers the records of a file, as far as they are complete.
pub(crate) struct FileSource {
    options: Options,
}

impl FileSource {
    pub(crate) fn new(options: Options) -> FileSource {
        FileSource { options }
    }
}

impl Source for FileSource {
    fn kind(&self) -> Kind {
        Kind {
            has_position: true,
            is_live: true,
            pace: 1.0,
        }
    }

    fn run(self: Box<Self>, from: Option<Position>, outlet: Arc<dyn Outlet>) {
        let outlet = &*outlet;
        outlet.set_status(Status::Connecting);
        if self.options.compression != Compression::None {
            let clock = SystemClock::new();
            return read_compressed(&self.options, from.as_ref(), outlet, &clock).tell(outlet);
        }
        let mut follower = Follower::new(self.options, from, Box::new(SystemClock::new()));
        follow(&mut follower, outlet).tell(outlet);
    }
}

fn follow(follower: &mut Follower, outlet: &dyn Outlet) -> Halt {
    loop {
        if outlet.is_closed() {
            return Halt::Closed;
        }
        match follower.turn(outlet) {
            Ok(Turn::Again) => {}
            Ok(Turn::Wait(time)) => {
                if !outlet.wait(time) {
                    return Halt::Closed;
                }
            }
            Err(halt) => return halt,
        }
    }
}

#[cfg(test)]
mod tests;
