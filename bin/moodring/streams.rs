//! Which standard streams were closed when the process was started.
//!
//! Before `main`, Rust's runtime opens `/dev/null` in the place of each standard stream that is closed. Output that goes
//! there is lost without an error, and input that comes from there is empty. A person who redirects a stream to `/dev/null`
//! means that; one whose service manager closed it does not. Only code that runs before the runtime can tell the two apart.

use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::ensure;

/// A standard stream that a run may need.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Standard {
    Input,
    Output,
}

static CLOSED: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];

/// Whether the stream was closed when the process was started.
pub(crate) fn was_closed(stream: Standard) -> bool {
    CLOSED[stream as usize].load(Ordering::Relaxed)
}

/// Returns an error if standard output is closed, for commands that print their result there.
pub(crate) fn check_output() -> anyhow::Result<()> {
    ensure!(
        !was_closed(Standard::Output),
        "standard output is closed, and what is printed there would be lost; open it"
    );
    Ok(())
}

/// Notes which streams are closed.
extern "C" fn look() {
    for (descriptor, closed) in (0..).zip(&CLOSED) {
        closed.store(!is_open(descriptor), Ordering::Relaxed);
    }
}

fn is_open(descriptor: RawFd) -> bool {
    // SAFETY: the number is not -1, and the descriptor is only asked for its flags. If it is closed, as it may be, the kernel
    // says so (EBADF); nothing else of this process runs yet that could open another file under its number.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    rustix::io::fcntl_getfd(descriptor).is_ok()
}

// SAFETY: the section holds pointers to functions of this signature, which the C library calls once before `main` (the
// System V ABI, "Initialization and Termination Functions"). `look` needs nothing that is not set up by then: it makes two
// system calls and writes to statics that need no initialization.
#[unsafe(link_section = ".init_array")]
#[used]
static LOOK_BEFORE_MAIN: extern "C" fn() = look;
