//! The process of a worker, shared by the threads that attend it.

use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A thread that panicked with the lock held has not left a `Child` in pieces.
pub(super) fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn kill(child: &Mutex<Child>) {
    // Fails only if the process is gone already, which is what is wanted.
    let _ = lock(child).kill();
}

/// Has children that end wait to be asked how, where this process inherited that they do not: a program that ignores
/// SIGCHLD hands that on to the programs it starts.
pub(crate) fn await_children() {
    // SAFETY: both calls are given a whole, initialized `sigaction` each; what is installed is the default action, or
    // the handler that was there before with one flag less.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGCHLD, std::ptr::null(), &raw mut action) != 0 {
            return;
        }
        let ignored = action.sa_sigaction == libc::SIG_IGN;
        if !ignored && action.sa_flags & libc::SA_NOCLDWAIT == 0 {
            return;
        }
        if ignored {
            action.sa_sigaction = libc::SIG_DFL;
        }
        action.sa_flags &= !libc::SA_NOCLDWAIT;
        libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut());
    }
}
