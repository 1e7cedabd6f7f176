//! A mutual exclusion lock: both the mutex, which has an owner, and the raw lock, which does not
//! care who releases it.

use crate::op::ThreadId;

/// | state | meaning |
/// |---|---|
/// | `None` | free: whoever asks may have it, in any order (it barges, it does not queue) |
/// | `Some(t)` | `t` took it last, and nobody released it since |
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Mutex {
    pub(super) holder: Option<ThreadId>,
}

impl Mutex {
    /// Takes the lock if it is free; whether it did.
    pub(super) fn take(&mut self, by: ThreadId) -> bool {
        if self.holder.is_some() {
            return false;
        }
        self.holder = Some(by);
        true
    }

    /// Frees the lock, whoever holds it; whether anyone did.
    pub(super) fn release(&mut self) -> bool {
        self.holder.take().is_some()
    }
}
